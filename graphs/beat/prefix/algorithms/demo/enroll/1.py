"""The template of a person is the mean of the pictures, seen in the subspace."""

import numpy


class Algorithm:
    def process(self, data_loaders, outputs):
        loader = data_loaders.loaderOf("image")
        found = {}
        for place in range(loader.count()):
            data, _, end = loader[place]
            subspace = data["subspace"]
            vector = pictures.as_vector(data["image"].value)  # a library
            seen = subspace.basis.dot(vector - subspace.mean)
            found.setdefault(data["person"].value, []).append(seen)
        people = sorted(found)
        templates = numpy.array([numpy.mean(found[person], axis=0) for person in people])
        outputs["gallery"].write({"people": people, "templates": templates}, end)
        return True
