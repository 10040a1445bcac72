"""Write and read caches with the existing packages, as a request says (their Python runs this).

Reads a list of cases as JSON from standard input: {"prefix", "format", "read" and "write": paths
of outputs or null, "parts": [[start, end, [[first, last, bytes in hex], ...]], ...]}.
Prints a list: of what was read [[first, last, bytes in hex], ...], or null.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def write(data: Any, dataformat: Any, path: str, parts: list[Any]) -> None:
    """Write units that are packed."""
    for start, end, units in parts:
        sink = data.CachedDataSink()
        if not sink.setup(path, dataformat, start, end):
            raise SystemExit(f"{path} cannot be written")
        for first, last, content in units:
            value = dataformat.type()
            value.unpack(bytes.fromhex(content))
            sink.write(value, first, last)
        sink.close()


def read(data: Any, prefix: str, path: str) -> list[Any]:
    """Return all units."""
    source = data.CachedDataSource()
    if not source.setup(path, prefix):
        raise SystemExit(f"{path} cannot be read")
    return [[first, last, value.pack().hex()] for value, first, last in source]


def main() -> None:
    """Answer all cases."""
    data = importlib.import_module("beat.backend.python.data")
    dataformat = importlib.import_module("beat.core.dataformat").DataFormat
    answers = []
    for case in json.load(sys.stdin):
        if case["write"]:
            asset = dataformat(case["prefix"], case["format"])
            write(data, asset, case["write"], case["parts"])
        found = read(data, case["prefix"], case["read"]) if case["read"] else None
        answers.append(found)
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
