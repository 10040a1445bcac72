"""A prefix with small algorithms, and execution blocks that use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dlg.beat.cached_source import CachedDataSource
from dlg.beat.dataformat import DataFormat
from dlg.beat.hash import hashDataset, toPath
from dlg.beat.sinks import CachedDataSink

FORMAT = "t/number/1"
DATABASE = "numbers/1"
CHANNEL = "numbers"
ENVIRONMENT = {"name": "Python", "version": "3"}
VIEW = """
from collections import namedtuple

from beat.backend.python.database import View


class Numbers(View):
    def index(self, root_folder, parameters):
        Row = namedtuple("Row", ["value", "label"])
        return [Row(i, i // 3) for i in range(int(parameters["count"]))]

    def get(self, output, index):
        row = self.objs[index]
        if parameters_of(self).get("crash_at") == index:
            import ctypes
            ctypes.string_at(0)
        if parameters_of(self).get("fail_at") == index:
            raise ValueError("no such number")
        return {"value": row.value if output == "value" else row.label}


def parameters_of(view):
    return view.parameters
"""
KINDS = {
    "sequential": "inputs, data_loaders, outputs",
    "autonomous": "data_loaders, outputs",
    "legacy": "inputs, outputs",
}


PROCESSOR = {
    "sequential": """
class Algorithm:
    def process(self, inputs, data_loaders, outputs, loop_channel):
        guess, valid = 0, False
        while not valid:
            guess += 1
            valid, answer = loop_channel.validate({"value": guess})
        outputs["y"].write({"value": inputs["x"].data.value + answer.value})
        return True
""",
    "autonomous": """
class Algorithm:
    def process(self, data_loaders, outputs, loop_channel):
        guess, valid = 0, False
        while not valid:
            guess += 1
            valid, answer = loop_channel.validate({"value": guess})
        for data, start, end in data_loaders[0]:
            outputs["y"].write({"value": data["x"].value + answer.value}, end)
        return True
""",
}
EVALUATOR = """
class Algorithm:
    def setup(self, parameters):
        self.threshold = int(parameters["threshold"])
        self.seen = -1
        return True

    def read(self, inputs):
        self.seen = int(inputs["x"].data.value)

    def validate(self, request):
        return request.value > self.threshold, {"value": 100 * int(request.value)}

    def write(self, outputs, processor_output_name, end_data_index):
        outputs["y"].write({"value": -self.threshold}, end_data_index)
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Prefix:
    """A prefix in a folder, with a cache."""

    def __init__(self, root: Path) -> None:
        self.root, self.path, self.cache = root, str(root / "prefix"), str(root / "cache")
        Path(self.cache).mkdir(parents=True, exist_ok=True)
        self._write(f"dataformats/{FORMAT}.json", {"value": "int64"})

    def _write(self, name: str, declaration: Any) -> None:
        write(Path(self.path, name), json.dumps(declaration))

    def database(self, count: int, **parameters: Any) -> None:
        """Write a database with a set of so many numbers, and its index."""
        view = {"view": "Numbers", "parameters": {"count": count, **parameters}}
        outputs = {"value": FORMAT, "label": FORMAT}
        self._write(
            "protocoltemplates/numbers/1.json",
            {"schema_version": 1, "sets": [{"name": "all", "outputs": outputs}]},
        )
        self._write(
            f"databases/{DATABASE}.json",
            {
                "schema_version": 2,
                "root_folder": "/nowhere",
                "protocols": [{"name": "p", "template": "numbers/1", "views": {"all": view}}],
            },
        )
        write(Path(self.path, f"databases/{DATABASE}.py"), VIEW)
        rows = [{"value": i, "label": i // 3} for i in range(count)]
        write(Path(self.cache, self.dataset_path), json.dumps(rows))

    @property
    def dataset_path(self) -> str:
        return str(toPath(hashDataset(DATABASE, "p", "all"), suffix=".db"))

    def cached(self, hash_: str, count: int) -> None:
        """Write so many numbers into the cache."""
        sink = CachedDataSink()
        dataformat = DataFormat(self.path, FORMAT)
        path = toPath(hash_, suffix="")
        assert sink.setup(str(Path(self.cache, path)), dataformat, 0, count - 1)
        for i in range(count):
            sink.write(dataformat.type(value=i), i, i)
        sink.close()

    def algorithm(self, body: str, kind: str = "sequential", **more: Any) -> str:
        """Write an algorithm of one input and one output; return its name."""
        name = f"t/{kind}_{len(list(Path(self.path).rglob('*.py')))}/1"
        group = {"inputs": {"x": {"type": FORMAT}}, "outputs": {"y": {"type": FORMAT}}}
        self._write(
            f"algorithms/{name}.json",
            {
                "schema_version": 2,
                "api_version": 1 if kind == "legacy" else 2,
                "type": kind,
                "language": "python",
                "splittable": True,
                "groups": [group],
                **more,
            },
        )
        lines = body.strip("\n").splitlines()
        first = "import numpy, os, sys, time\n\nclass Algorithm:\n"
        code = (
            body
            if body.lstrip().startswith("class")
            else first
            + (
                f"    def process(self, {KINDS[kind]}):\n"
                + "".join(f"        {line}\n" for line in lines)
            )
        )
        write(Path(self.path, f"algorithms/{name}.py"), code)
        return name

    def block(self, algorithm: str, source: str | None = None, **more: Any) -> dict[str, Any]:
        """Return a block of an algorithm, fed by a hash of the cache or else by the database."""
        where: dict[str, Any]
        if source is None:
            where = {
                "database": DATABASE,
                "protocol": "p",
                "set": "all",
                "output": "value",
                "path": self.dataset_path,
                "hash": hashDataset(DATABASE, "p", "all"),
            }
        else:
            where = {"path": toPath(source, suffix=""), "hash": source}
        common = {"channel": CHANNEL}
        made = output_hash(algorithm)
        return {
            "algorithm": algorithm,
            "channel": CHANNEL,
            "parameters": {},
            "queue": "q",
            "environment": ENVIRONMENT,
            "nb_slots": 1,
            "inputs": {"x": {**common, "endpoint": "in", **where}},
            "outputs": {
                "y": {**common, "endpoint": "out", "hash": made, "path": toPath(made, suffix="")}
            },
            **more,
        }

    def loop(self, form: str, threshold: int = 5) -> dict[str, Any]:
        """Return a block that adds what its evaluator allows; that writes the same, negative."""
        loop = {"request": {"type": FORMAT}, "answer": {"type": FORMAT}}
        common = {"schema_version": 3, "api_version": 2, "language": "python"}
        for part, code in (("processor", PROCESSOR[form]), ("evaluator", EVALUATOR)):
            group = {
                "inputs": {"x": {"type": FORMAT}},
                "outputs": {"y": {"type": FORMAT}},
                "loop": loop,
            }
            kind = {"type": f"{form}_loop_{part}", "groups": [group]}
            more: dict[str, Any] = {"splittable": False}
            if part == "evaluator":
                more = {"parameters": {"threshold": {"type": "int32", "default": 0}}}
            self._write(f"algorithms/t/{part}/1.json", {**common, **kind, **more})
            write(Path(self.path, f"algorithms/t/{part}/1.py"), code)
        evaluator = self.block("t/evaluator/1", parameters={"threshold": threshold})
        del evaluator["nb_slots"]
        return self.block("t/processor/1", loop=evaluator)

    def values(self, block: dict[str, Any]) -> list[tuple[int, int, int]]:
        """Return what the block has written: values with their intervals."""
        with CachedDataSource() as source:
            assert source.setup(str(Path(self.cache, block["outputs"]["y"]["path"])), self.path)
            return [(int(data.value), a, b) for data, a, b in source]  # type: ignore[union-attr, misc]

    def left_behind(self, block: dict[str, Any]) -> list[str]:
        """Return the files that the block's output has in the cache."""
        path = Path(self.cache, block["outputs"]["y"]["path"])
        if not path.parent.is_dir():
            return []
        return [f.name for f in path.parent.iterdir() if path.name in f.name]


def output_hash(algorithm: str) -> str:
    import hashlib

    return hashlib.sha256(algorithm.encode()).hexdigest()


PASS = """
outputs["y"].write({"value": inputs["x"].data.value + 1})
return True
"""
