"""A small prefix of our own, and how declarations of all kinds get into one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NUMBER = {"value": "int32"}
SCALE = {
    "schema_version": 2,
    "language": "python",
    "api_version": 2,
    "type": "sequential",
    "splittable": True,
    "groups": [
        {"inputs": {"in": {"type": "me/number/1"}}, "outputs": {"out": {"type": "me/number/1"}}}
    ],
    "parameters": {"factor": {"type": "int8", "default": 2, "range": [0, 9]}},
    "uses": {"tools": "me/tools/1"},
}
SCALE_CODE = """
class Algorithm:
    def setup(self, parameters):
        self.factor = parameters["factor"]
        return True

    def process(self, inputs, data_loaders, outputs):
        return tools.twice(self.factor)
"""
SUMMARY = {
    "schema_version": 2,
    "language": "python",
    "api_version": 2,
    "type": "autonomous",
    "groups": [{"inputs": {"in": {"type": "me/number/1"}}}],
    "results": {"total": {"type": "int32"}, "picture": {"type": "plot/points/1"}},
}
PLOTTER = {
    "language": "python",
    "dataformat": "plot/points/1",
    "parameters": {"colour": {"type": "string", "default": "red", "choice": ["red", "blue"]}},
}
PLOTTER_CODE = """
class Plotter:
    def setup(self, parameters):
        self.colour = parameters["colour"]
        return True

    def process(self, inputs):
        return self.colour.encode()
"""


def declare(
    prefix: Path, folder: str, name: str, declaration: Any, code: str = "", ending: str = ".py"
) -> None:
    """Write an asset into a prefix; a declaration that is a text is written as it is."""
    path = prefix / folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(declaration if isinstance(declaration, str) else json.dumps(declaration))
    if code:
        path.with_suffix(ending).write_text(code)


def fill(prefix: Path) -> None:
    """Write one valid asset of each kind with code, and the formats they need."""
    declare(prefix, "dataformats", "me/number/1", NUMBER)
    declare(prefix, "dataformats", "me/integers/1", {"value": "int64"})
    declare(prefix, "dataformats", "me/integers/10", {"value": "int64"})
    declare(prefix, "dataformats", "me/pair/1", {"#extends": "me/number/1", "other": "string"})
    declare(
        prefix, "dataformats", "plot/points/1", {"data": [0, {"x": "float64", "y": "float64"}]}
    )
    declare(prefix, "libraries", "me/base/1", {"language": "python"}, "two = 2\n")
    declare(
        prefix,
        "libraries",
        "me/tools/1",
        {"language": "python", "uses": {"base": "me/base/1"}},
        "def twice(x):\n    return base.two * x\n",
    )
    declare(prefix, "algorithms", "me/scale/1", SCALE, SCALE_CODE)
    declare(prefix, "algorithms", "me/summary/1", SUMMARY, "class Algorithm: ...\n")
    declare(prefix, "plotters", "me/points/1", PLOTTER, PLOTTER_CODE)
    declare(
        prefix,
        "plotterparameters",
        "me/blue/1",
        {"plotter": "me/points/1", "data": {"colour": "blue"}},
    )
