"""How long blocks of experiments take: what a small one costs, and how many items pass a second.

    python tests/bench/beat_run.py [--peer PYTHON] [--items N] [--peer-items N]

The blocks hand on one number an item. `small`: milliseconds for making an executor and processing
ten items, the median of a chain of blocks. `items`: seconds of process() for a block that reads a
database and one that reads the cache, by kind of algorithm and executor. `cpu`: processor time,
where it is known, which says more while other work is done. The existing packages (`make
beat-peer`) do the same in the same run, with fewer items unless told otherwise, as they take
minutes. The first block of a run, which starts the processes that stay, is not counted.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any

HOME = Path("build/beat-peer")
KINDS = ("sequential", "autonomous")
CHAIN = 20
SMALL = 10
FORMAT = "b/number/1"
VIEW = """
from collections import namedtuple

from beat.backend.python.database import View


class Count(View):
    def index(self, root_folder, parameters):
        Row = namedtuple("Row", ["v"])
        return [Row(i) for i in range(int(parameters["n"]))]

    def get(self, output, index):
        return {"value": self.objs[index].v}
"""
CODE = {
    "sequential": """
class Algorithm:
    def process(self, inputs, data_loaders, outputs):
        outputs["y"].write(inputs["x"].data)
        return True
""",
    "autonomous": """
class Algorithm:
    def process(self, data_loaders, outputs):
        loader = data_loaders[0]
        for i in range(loader.count()):
            data, start, end = loader[i]
            outputs["y"].write(data["x"], end)
        return True
""",
}
COUNTER = """
class Algorithm:
    def process(self, inputs, data_loaders, output):
        if not inputs.hasMoreData():
            output.write({"n": 1})
        return True
"""


def write(root: Path, name: str, content: Any) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def toolchain(blocks: list[str]) -> dict[str, Any]:
    ends = [*blocks, "a"]
    sources = ["d.v", *(f"{block}.o" for block in blocks)]
    wires = [
        {"from": source, "to": f"{end}.i", "channel": "d"}
        for source, end in zip(sources, ends, strict=True)
    ]
    common = {"synchronized_channel": "d", "inputs": ["i"]}
    return {
        "datasets": [{"name": "d", "outputs": ["v"]}],
        "blocks": [{"name": block, **common, "outputs": ["o"]} for block in blocks],
        "analyzers": [{"name": "a", **common}],
        "connections": wires,
        "representation": {"connections": {}, "blocks": {}, "channel_colors": {"d": "#112233"}},
    }


def experiment(kind: str, count: int, blocks: list[str]) -> dict[str, Any]:
    one = {"algorithm": f"b/{kind}/1", "inputs": {"x": "i"}, "outputs": {"y": "o"}}
    return {
        "datasets": {"d": {"database": "count/1", "protocol": f"n{count}", "set": "all"}},
        "blocks": dict.fromkeys(blocks, one),
        "analyzers": {"a": {"algorithm": "b/counter/1", "inputs": {"y": "i"}}},
        "globals": {"queue": "q", "environment": {"name": "Python", "version": "3"}},
    }


def make_prefix(root: Path, counts: set[int]) -> None:
    """Write a prefix with databases of so many items, and the experiments."""
    write(root, f"dataformats/{FORMAT}.json", {"value": "int64"})
    sets = [{"name": "all", "outputs": {"v": FORMAT}}]
    write(root, "protocoltemplates/t/1.json", {"schema_version": 1, "sets": sets})
    protocols = [
        {
            "name": f"n{count}",
            "template": "t/1",
            "views": {"all": {"view": "Count", "parameters": {"n": count}}},
        }
        for count in sorted(counts)
    ]
    database = {"schema_version": 2, "root_folder": "/none", "protocols": protocols}
    write(root, "databases/count/1.json", database)
    write(root, "databases/count/1.py", VIEW)
    common = {"schema_version": 2, "api_version": 2, "language": "python"}
    ends = {"inputs": {"x": {"type": FORMAT}}, "outputs": {"y": {"type": FORMAT}}}
    for kind, code in CODE.items():
        declaration = {**common, "type": kind, "splittable": True, "groups": [ends]}
        write(root, f"algorithms/b/{kind}/1.json", declaration)
        write(root, f"algorithms/b/{kind}/1.py", code)
    counter = {**common, "type": "sequential", "groups": [{"inputs": {"y": {"type": FORMAT}}}]}
    counter["results"] = {"n": {"type": "int32"}}
    write(root, "algorithms/b/counter/1.json", counter)
    write(root, "algorithms/b/counter/1.py", COUNTER)
    chain = [f"p{i}" for i in range(CHAIN)]
    for name, blocks in (("chain", chain), ("two", chain[:2])):
        write(root, f"toolchains/b/{name}/1.json", toolchain(blocks))
        for kind in KINDS:
            for count in counts:
                label = f"experiments/b/b/{name}/1/{kind}{count}.json"
                write(root, label, experiment(kind, count, blocks))
    (root / "cache").mkdir()


def times(package: str, prefix: Path, label: str, executor: str) -> list[tuple[float, float]]:
    """Return the seconds that each block took, analyzers apart, and its processor time.

    The existing packages do not know the latter: it is 0.
    """
    part = {
        n: importlib.import_module(f"{package}.{n}") for n in ("experiment", "hash", "execution")
    }
    caches: list[dict[str, Any]] = [{}, {}, {}]
    made = part["experiment"].Experiment(str(prefix), label, *caches)
    assert made.valid, made.errors
    found = []
    with tempfile.TemporaryDirectory() as cache:
        for one in made.datasets.values():
            database, protocol, name = one["database"], one["protocol"], one["set"]
            digest = part["hash"].hashDataset(database.name, protocol, name)
            path = part["hash"].toPath(digest, suffix=".db")
            database.view(protocol, name).index(str(Path(cache, path)))
        for name, block in made.setup().items():
            if name == "a":
                continue
            begun = perf_counter()
            runs = getattr(part["execution"], executor)(
                str(prefix), block["configuration"], cache, *caches
            )
            with runs:
                result = runs.process()
            took, cpu = perf_counter() - begun, result["statistics"]["cpu"]
            found.append((took, cpu["user"] + cpu["system"]))
            assert result["status"] == 0, result
    return found


def measure(package: str, prefix: Path, items: int) -> None:
    """Print what a package needs, as lines of JSON."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    # The existing packages look for their programs beside the program that runs.
    sys.argv[0] = str(Path(sys.executable).with_name("x"))
    for executor in ("LocalExecutor", "SubprocessExecutor"):
        result: dict[str, Any] = {"bench": "beat_run", "package": package, "executor": executor}
        small = times(package, prefix, f"b/b/chain/1/sequential{SMALL}", executor)
        found: dict[str, Any] = {
            name: round(1000 * statistics.median(one[at] for one in small[1:]), 2)
            for at, name in enumerate(("ms", "cpu_ms"))
        }
        print(json.dumps({**result, "what": "small", **found}), flush=True)
        for kind in KINDS:
            # One of theirs is quadratic: ten times the items take it a hundred times as long.
            count = items if kind == "sequential" or package != "beat.core" else SMALL * 1000
            database, cache = times(package, prefix, f"b/b/two/1/{kind}{count}", executor)
            found = {"what": "items", "kind": kind, "items": count}
            for name, (took, cpu) in (("database", database), ("cache", cache)):
                found |= {f"{name}_s": round(took, 3), f"{name}_cpu_s": round(cpu, 3)}
            print(json.dumps({**result, **found}), flush=True)


def main() -> None:
    """Measure both in one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peer", type=Path, default=HOME / ".venv/bin/python")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--peer-items", type=int, default=10_000)
    parser.add_argument("--of", nargs=2, metavar=("PACKAGE", "PREFIX"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.of:
        measure(options.of[0], Path(options.of[1]), options.items)
        sys.stdout.flush()
        os._exit(0)  # threads of the existing packages may wait for ever
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder, "prefix")
        make_prefix(prefix, {SMALL, SMALL * 1000, options.items, options.peer_items})
        for package, python, items in (
            ("dlg.beat", sys.executable, options.items),
            ("beat.core", str(options.peer.absolute()), options.peer_items),
        ):
            if not Path(python).exists():
                print(json.dumps({"bench": "beat_run", "skipped": f"{package}: make beat-peer"}))
                continue
            of = ["--of", package, str(prefix), "--items", str(items)]
            subprocess.run([python, __file__, *of], check=True)


if __name__ == "__main__":
    main()
