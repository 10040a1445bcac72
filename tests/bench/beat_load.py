"""How fast all assets of a prefix of BEAT are loaded and checked, with and without caches.

    python tests/bench/beat_load.py [--prefix FOLDER] [--peer PYTHON]

The prefix is that of the tests of the existing packages (`make beat-peer`), as are, by default,
the Python with those packages, which do the same in the same run. Milliseconds, the median of
five runs after a first one, in which schemas are compiled; imports are not counted.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

HOME = Path("build/beat-peer")
RUNS = 5
# The classes by their folders, and which caches each takes, in the order of its arguments.
CLASSES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "dataformats": ("dataformat", "DataFormat", ("", "dataformats")),
    "libraries": ("library", "Library", ("libraries",)),
    "algorithms": ("algorithm", "Algorithm", ("dataformats", "libraries")),
    "plotters": ("plotter", "Plotter", ("dataformats", "libraries")),
    "plotterparameters": ("plotterparameter", "Plotterparameter", ("plotters",)),
    "protocoltemplates": ("protocoltemplate", "ProtocolTemplate", ()),
    "databases": ("database", "Database", ("dataformats",)),
    "toolchains": ("toolchain", "Toolchain", ()),
    "experiments": (
        "experiment",
        "Experiment",
        ("dataformats", "databases", "algorithms", "libraries"),
    ),
}


def load_all(
    makers: dict[str, Callable[..., Any]], prefix: Path, cached: bool
) -> dict[str, float]:
    """Load each asset once; return milliseconds by folder."""
    caches: dict[str, dict[str, Any]] = {folder: {} for folder in CLASSES}
    took = {}
    for folder, (_, _, wanted) in CLASSES.items():
        root = prefix / folder
        names = sorted(str(f.relative_to(root).with_suffix("")) for f in root.rglob("*.json"))
        given = [caches.get(name) if cached else None for name in wanted]
        begun = perf_counter()
        for name in names:
            makers[folder](str(prefix), name, *given)
        took[folder] = 1000 * (perf_counter() - begun)
    return took


def measure(package: str, prefix: Path) -> None:
    """Print what a package needs, as lines of JSON."""
    warnings.simplefilter("ignore")
    begun = perf_counter()
    makers = {
        folder: getattr(importlib.import_module(f"{package}.{module}"), name)
        for folder, (module, name, _) in CLASSES.items()
    }
    imported = 1000 * (perf_counter() - begun)
    first = sum(load_all(makers, prefix, cached=True).values())
    for cached in (True, False):
        runs = [load_all(makers, prefix, cached) for _ in range(RUNS)]
        total = statistics.median(sum(run.values()) for run in runs)
        each = {folder: round(statistics.median(r[folder] for r in runs), 1) for folder in CLASSES}
        result: dict[str, Any] = {"bench": "beat_load", "package": package, "caches": cached}
        result |= {"total_ms": round(total, 1), "first_ms": round(first, 1)}
        result |= {"import_ms": round(imported, 1), **each}
        print(json.dumps(result), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", type=Path, default=HOME / "prefix")
    parser.add_argument("--peer", default=str(HOME / ".venv/bin/python"))
    parser.add_argument("--package", default="", help="measure this one, in this process")
    options = parser.parse_args()
    if options.package:
        measure(options.package, options.prefix)
        return
    if not options.prefix.is_dir():
        print(json.dumps({"bench": "beat_load", "skipped": "make beat-peer was not run"}))
        return
    measure("dlg.beat", options.prefix)
    if Path(options.peer).exists():
        command = [options.peer, "-B", __file__, "--package", "beat.core"]
        subprocess.run([*command, "--prefix", str(options.prefix)], check=True)


if __name__ == "__main__":
    main()
