"""A small prefix: numbers from a database, one added to each by two blocks, and their sum.

The first block waits at its third number until the test opens the gate, and says who it is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

COUNT = 12
"""How many numbers the database has."""
SUM = sum(range(COUNT)) + 2 * COUNT
NAME = "t/t/chain/1/all"

VIEW = """
from collections import namedtuple

from beat.backend.python.database import View


class Numbers(View):
    def index(self, root_folder, parameters):
        Row = namedtuple("Row", ["number"])
        return [Row(i) for i in range(parameters["count"])]

    def get(self, output, index):
        return {"value": self.objs[index].number}
"""
ADD = """
import os
from pathlib import Path

ROOT = Path(%(root)r)


class Algorithm:
    def process(self, inputs, data_loaders, outputs):
        value = inputs["number"].data.value
        with (ROOT / "log").open("a") as log:
            log.write(f"{value} {os.getpid()}\\n")
        if %(gated)r and value == 2 and not (ROOT / "open").exists():
            (ROOT / "waiting").write_text(str(os.getpid()))
            with (ROOT / "gate").open() as gate:  # until somebody opens it to write
                gate.read()
        outputs["sum"].write({"value": value + 1})
        return True
"""
TOTAL = """
import numpy


class Algorithm:
    def __init__(self):
        self.total = 0

    def process(self, inputs, data_loaders, output):
        self.total += int(inputs["number"].data.value)
        if not inputs["number"].hasMoreData():
            output.write({"total": numpy.int32(self.total)})
        return True
"""


def write(path: Path, content: Any) -> None:
    """Write a declaration, or code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


class Prefix:
    """The prefix in a directory."""

    def __init__(self, root: Path, slots: int = 1) -> None:
        self.root, self.path, self.cache = root, root / "prefix", root / "cache"
        os.mkfifo(root / "gate")
        self._write_data()
        self._write_algorithms()
        self._write_experiment(slots)

    def _write_data(self) -> None:
        write(self.path / "dataformats/t/number/1.json", {"value": "int64"})
        template = {
            "schema_version": 1, "sets": [{"name": "all", "outputs": {"number": "t/number/1"}}],
        }  # fmt: skip
        write(self.path / "protocoltemplates/numbers/1.json", template)
        views = {"all": {"view": "Numbers", "parameters": {"count": COUNT}}}
        protocols = [{"name": "main", "template": "numbers/1", "views": views}]
        declaration = {"schema_version": 2, "root_folder": "/nowhere", "protocols": protocols}
        write(self.path / "databases/numbers/1.json", declaration)
        write(self.path / "databases/numbers/1.py", VIEW)

    def _write_algorithms(self) -> None:
        number = {"type": "t/number/1"}
        common = {"schema_version": 2, "language": "python", "api_version": 2}
        for name, gated in (("first", True), ("second", False)):
            group = {"name": "main", "inputs": {"number": number}, "outputs": {"sum": number}}
            declaration = {**common, "type": "sequential", "splittable": True, "groups": [group]}
            write(self.path / f"algorithms/t/{name}/1.json", declaration)
            code = ADD % {"root": str(self.root), "gated": gated}
            write(self.path / f"algorithms/t/{name}/1.py", code)
        declaration = {
            **common, "type": "sequential",
            "groups": [{"name": "main", "inputs": {"number": number}}],
            "results": {"total": {"type": "int32", "display": True}},
        }  # fmt: skip
        write(self.path / "algorithms/t/total/1.json", declaration)
        write(self.path / "algorithms/t/total/1.py", TOTAL)

    def _write_experiment(self, slots: int) -> None:
        block = {"synchronized_channel": "data", "inputs": ["in"], "outputs": ["out"]}
        ends = [("data.number", "one.in"), ("one.out", "two.in"), ("two.out", "sum.in")]
        toolchain = {
            "datasets": [{"name": "data", "outputs": ["number"]}],
            "blocks": [{"name": "one", **block}, {"name": "two", **block}],
            "analyzers": [{"name": "sum", "synchronized_channel": "data", "inputs": ["in"]}],
            "connections": [{"from": a, "to": b, "channel": "data"} for a, b in ends],
            "representation": {"connections": {}, "blocks": {}, "channel_colors": {}},
        }
        write(self.path / "toolchains/t/chain/1.json", toolchain)
        blocks = {
            name: {
                "algorithm": f"t/{algorithm}/1", "inputs": {"number": "in"},
                "outputs": {"sum": "out"}, "nb_slots": slots,
            }
            for name, algorithm in (("one", "first"), ("two", "second"))
        }  # fmt: skip
        experiment = {
            "datasets": {"data": {"database": "numbers/1", "protocol": "main", "set": "all"}},
            "blocks": blocks,
            "analyzers": {"sum": {"algorithm": "t/total/1", "inputs": {"number": "in"}}},
            "globals": {"queue": "any", "environment": {"name": "python", "version": "1"}},
        }
        write(self.path / "experiments" / f"{NAME}.json", experiment)

    @property
    def waiting(self) -> int:
        """Return the number of the process that waits at the gate; 0 for none."""
        file = self.root / "waiting"
        text = file.read_text() if file.exists() else ""
        return int(text) if text else 0

    def open_gate(self) -> None:
        """Let who waits go on, and nobody wait any more."""
        (self.root / "open").touch()
        # For both, so that this waits for nobody.
        os.close(os.open(self.root / "gate", os.O_RDWR | os.O_NONBLOCK))
