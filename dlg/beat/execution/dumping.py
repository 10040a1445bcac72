"""What programs elsewhere need of a block, in a folder: `configuration.json` and a `prefix`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.database import Database
from dlg.beat.declarations import dumps

_KEYS = ("channel", "path", "database", "protocol", "set", "output")


def dump_runner(
    directory: str, block: Mapping[str, Any], algorithms: Iterable[Algorithm | None]
) -> None:
    """Write what a program needs to run the algorithms of a block."""
    configuration = _part(block)
    if "result" in block:
        result = block["result"]
        configuration["result"] = {"channel": block["channel"], "path": result["path"]}
    if "range" in block:
        configuration["range"] = block["range"]
    if "loop" in block:
        configuration["loop"] = _part(block["loop"])
    _write(directory, configuration)
    for algorithm in algorithms:
        if algorithm is not None:
            algorithm.export(str(Path(directory, "prefix")))


def dump_databases(
    directory: str,
    block: Mapping[str, Any],
    databases: Mapping[str, Database],
    roots: Mapping[str, str],
) -> None:
    """Write what a program needs to serve databases, which may lie elsewhere than they say."""
    _write(directory, block)
    prefix = Path(directory, "prefix")
    for name, database in databases.items():
        database.export(str(prefix))
        if name in roots:
            file = prefix / "databases" / f"{name}.json"
            file.write_text(dumps({**json.loads(file.read_text()), "root_folder": roots[name]}))


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the algorithm of a block or of its loop has to know."""
    part = {
        "algorithm": block["algorithm"],
        "parameters": block["parameters"],
        "channel": block["channel"],
        "uid": os.getuid(),
        "inputs": {
            name: {key: one[key] for key in _KEYS if key in one}
            for name, one in block["inputs"].items()
        },
    }
    if "outputs" in block:
        part["outputs"] = {
            name: {key: one[key] for key in ("channel", "path")}
            for name, one in block["outputs"].items()
        }
    return part


def _write(directory: str, configuration: Mapping[str, Any]) -> None:
    Path(directory).mkdir(parents=True, exist_ok=True)
    Path(directory, "configuration.json").write_text(dumps(configuration, 2))
