"""How near a probe is to each template: the higher the score, the nearer."""

import numpy


class Algorithm:
    def setup(self, parameters):
        self.measure = parameters["measure"]
        return True

    def prepare(self, data_loaders):
        data, _, _ = data_loaders.loaderOf("gallery")[0]
        self.people = list(data["gallery"].people)
        self.templates = data["gallery"].templates
        return True

    def process(self, inputs, data_loaders, outputs):
        probe = inputs["vector"].data.value
        if self.measure == "euclidean":
            values = -numpy.linalg.norm(self.templates - probe, axis=1)
        else:
            lengths = numpy.linalg.norm(self.templates, axis=1) * numpy.linalg.norm(probe)
            values = self.templates.dot(probe) / numpy.maximum(lengths, 1e-12)
        who = inputs["person"].data.value
        genuine = [person == who for person in self.people]
        outputs["scores"].write({"values": values, "genuine": genuine})
        return True
