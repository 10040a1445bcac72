"""Write the files that the existing packages make of given data (their Python runs this).

    PYTHON make_file_vectors.py ../vectors/files.json

`caches`: a format, the range and units of each part, and the files, in hex. `databases`: the rows
of a view, the index file made of them, the units of each output and what divides them.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "beat.backend.python"

CACHES: list[tuple[Any, list[Any]]] = [
    ({"value": "int32"}, [[0, 4, [[0, 1, {"value": 5}], [2, 4, {"value": -6}]]]]),
    (
        {"value": "int32"},
        [[0, 1, [[0, 1, {"value": 1}]]], [2, 11, [[2, 9, {"value": 2}], [10, 11, {"value": 3}]]]],
    ),
    (
        {"t": "string", "v": [0, 2, "float32"], "o": {"z": "bool"}},
        [
            [
                *(0, 2),
                [
                    [0, 0, {"t": "\u00e9\n", "v": [[1, 2]], "o": {"z": True}}],
                    [1, 2, {"t": "", "v": [], "o": {"z": False}}],
                ],
            ]
        ],
    ),
    ({}, [[0, 0, [[0, 0, {}]]]]),
]
VIEW = """
import json
from collections import namedtuple
from {package}.database import View

class Rows(View):
    def __init__(self):
        super().__init__()
        self.output_member_map = {{"class": "kind"}}

    def index(self, root_folder, parameters):
        rows = json.loads(parameters["rows"])
        Row = namedtuple("Row", ["value", "label", "kind"])
        return [Row(*row) for row in rows]

    def get(self, output, index):
        row = self.objs[index]
        row = {{"value": row.value, "label": row.label, "class": row.kind}}
        return {{"text": json.dumps(row[output])}}
"""
ROWS: list[list[Any]] = [
    [[0, "a", 1], [1, "a", 1], [2, "a", 2], [3, "b", 2], [4, "b", 2], [5, "\u00e9", 2]],
    [[0, "a", None], [0, "b", [1, 2]], [0, "a", [1, 2]]],
    [[1.5, True, {"x": 1}]],
]


def write(path: Path, text: str) -> None:
    """Write a file in a folder that may not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def cache(folder: Path, declaration: Any, parts: list[Any]) -> dict[str, Any]:
    """Return the files of an output."""
    write(folder / "dataformats/u/f/1.json", json.dumps(declaration))
    dataformat = importlib.import_module("beat.core.dataformat").DataFormat(str(folder), "u/f/1")
    data = importlib.import_module(f"{PACKAGE}.data")
    target = folder / "cache"
    target.mkdir()
    for start, end, units in parts:
        sink = data.CachedDataSink()
        sink.setup(str(target / "x.data"), dataformat, start, end)
        for first, last, value in units:
            sink.write(dataformat.type(**value), first, last)
        sink.close()
    files = {file.name: file.read_bytes().hex() for file in sorted(target.iterdir())}
    index = data.load_data_index(str(target), "x")
    return {"format": declaration, "parts": parts, "files": files, "index": index}


def database(folder: Path, rows: list[Any]) -> dict[str, Any]:
    """Return the index of a view, and its units."""
    write(folder / "dataformats/u/t/1.json", '{"text": "string"}')
    outputs = dict.fromkeys(("value", "label", "class"), "u/t/1")
    sets = [{"name": "all", "outputs": outputs}]
    template = {"schema_version": 1, "sets": sets}
    write(folder / "protocoltemplates/t/1.json", json.dumps(template))
    view = {"view": "Rows", "parameters": {"rows": json.dumps(rows)}}
    protocol = {"name": "p", "template": "t/1", "views": {"all": view}}
    declared = {"schema_version": 2, "root_folder": "/none", "protocols": [protocol]}
    write(folder / "databases/d/1.json", json.dumps(declared))
    write(folder / "databases/d/1.py", VIEW.format(package=PACKAGE))
    asset = importlib.import_module("beat.core.database").Database(str(folder), "d/1")
    if asset.errors:
        raise SystemExit(asset.errors)
    runner = asset.view("p", "all")
    (folder / "cache").mkdir()
    runner.index(str(folder / "cache/x.db"))
    runner.setup(str(folder / "cache/x.db"))
    data = importlib.import_module(f"{PACKAGE}.data")
    units = {
        name: [[content.hex(), start, end] for content, start, end in source]
        for name, source in runner.data_sources.items()
    }
    text = (folder / "cache/x.db").read_text()
    lists = data.load_data_index_db(str(folder / "cache"), "x.db")
    return {"rows": rows, "file": text, "units": units, "lists": lists}


def main(target: Path) -> None:
    """Write all cases."""
    found: dict[str, list[Any]] = {"caches": [], "databases": []}
    for declaration, parts in CACHES:
        with tempfile.TemporaryDirectory() as folder:
            found["caches"].append(cache(Path(folder), declaration, parts))
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            found["databases"].append(database(Path(folder), rows))
    target.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
