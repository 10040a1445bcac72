"""The directions in which faces differ most: principal components of the pictures."""

import numpy


class Algorithm:
    def setup(self, parameters):
        self.components = int(parameters["components"])
        return True

    def process(self, data_loaders, outputs):
        loader = data_loaders.loaderOf("image")
        rows = []
        for place in range(loader.count()):
            data, _, end = loader[place]
            rows.append(pictures.as_vector(data["image"].value))  # a library
        rows = numpy.array(rows)
        mean = rows.mean(axis=0)
        _, _, basis = numpy.linalg.svd(rows - mean, full_matrices=False)
        basis = basis[: self.components]
        largest = basis[numpy.arange(len(basis)), abs(basis).argmax(axis=1)]
        basis = numpy.round(basis * numpy.sign(largest)[:, None], 9)
        outputs["subspace"].write({"mean": mean, "basis": basis}, end)
        return True
