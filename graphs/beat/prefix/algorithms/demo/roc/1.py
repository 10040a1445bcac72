"""How often people are recognised, and how often mistaken for others, at every threshold."""

import numpy


class Algorithm:
    def __init__(self):
        self.genuine, self.others, self.right = [], [], []

    def process(self, inputs, data_loaders, output):
        scores = inputs["scores"].data
        values, genuine = numpy.asarray(scores.values), numpy.asarray(scores.genuine, dtype=bool)
        self.genuine.extend(values[genuine])
        self.others.extend(values[~genuine])
        self.right.append(bool(genuine[values.argmax()]))
        if not inputs.hasMoreData():
            self.write(output)
        return True

    def write(self, output):
        genuine, others = numpy.sort(self.genuine), numpy.sort(self.others)
        threshold = numpy.unique(numpy.concatenate([genuine, others]))
        missed = numpy.searchsorted(genuine, threshold, side="left") / float(len(genuine))
        matched = 1 - numpy.searchsorted(others, threshold, side="left") / float(len(others))
        at = abs(missed - matched).argmin()
        output.write(
            {
                "recognition_rate": numpy.float32(numpy.mean(self.right)),
                "equal_error_rate": numpy.float32((missed[at] + matched[at]) / 2),
                "probes": numpy.int32(len(self.right)),
                "roc": {
                    "false_match_rate": matched,
                    "false_non_match_rate": missed,
                    "threshold": threshold,
                },
            }
        )
