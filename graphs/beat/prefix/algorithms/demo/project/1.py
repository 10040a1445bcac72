"""Each picture as the few numbers that say where it lies in the subspace."""


class Algorithm:
    def prepare(self, data_loaders):
        data, _, _ = data_loaders.loaderOf("subspace")[0]
        self.subspace = data["subspace"]
        return True

    def process(self, inputs, data_loaders, outputs):
        vector = pictures.as_vector(inputs["image"].data.value)  # a library
        seen = self.subspace.basis.dot(vector - self.subspace.mean)
        outputs["vector"].write({"value": seen})
        return True
