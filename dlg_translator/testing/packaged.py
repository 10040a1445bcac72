"""The logical graphs of the package `eagle-test-graphs`, where that is installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from dlg_translator.formats import is_logical_graph


def logical_graphs() -> dict[str, Path]:
    """Return the paths of the graphs by their names in the package; none if it is not there."""
    spec = importlib.util.find_spec("daliuge_tests")
    found = {}
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for path in sorted(Path(folder).rglob("*.graph")):
            if is_logical_graph(json.loads(path.read_text(encoding="utf-8"))):
                found[path.relative_to(folder).as_posix()] = path
    return found
