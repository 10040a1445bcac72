"""Errors at every threshold: how many are missed, and how many mistaken for another."""

import io

from matplotlib.figure import Figure


class Plotter:
    def setup(self, parameters):
        self.title, self.dpi = str(parameters["title"]), int(parameters["dpi"])
        return True

    def process(self, inputs):
        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.subplots()
        for label, data in inputs:
            axes.step(
                data.false_match_rate,
                1 - data.false_non_match_rate,
                where="post",
                label=str(label),
            )
        axes.set_xscale("symlog", linthresh=1e-3)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.01)
        axes.set_xlabel("mistaken for another (false match rate)")
        axes.set_ylabel("recognised (1 - false non-match rate)")
        axes.set_title(self.title)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=self.dpi)
        return picture.getvalue()
