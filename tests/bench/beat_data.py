"""How fast data of BEAT's blocks move: written, read, through inputs and outputs, data loaders.

    python tests/bench/beat_data.py [--items N] [--peer PYTHON]

`--peer` is the Python of an environment with the existing packages (`make beat-peer`), which then
do the same in the same run. Times are seconds, the median of three runs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

ITEMS = 100_000
LOADED = (1_000, 10_000)
ARRAYS = 20


class Packages:
    """The modules that are measured: ours, or those of the existing packages."""

    def __init__(self, root: str, formats: str) -> None:
        names = ("data", "inputs", "outputs", "data_loaders")
        self.data, self.inputs, self.outputs, self.loaders = (
            importlib.import_module(f"{root}.{name}") for name in names
        )
        self.format: Any = importlib.import_module(formats).DataFormat


def timed(work: Callable[[], Any]) -> float:
    """Return how long something takes, the median of three."""
    times = []
    for _ in range(3):
        begun = perf_counter()
        work()
        times.append(perf_counter() - begun)
    return sorted(times)[1]


class Measures:
    """The pieces of work, on a prefix with one format."""

    def __init__(self, packages: Packages, root: Path) -> None:
        self.packages, self.root = packages, root
        formats = root / "dataformats" / "b" / "num"
        formats.mkdir(parents=True)
        (formats / "1.json").write_text('{"value": "int32"}')
        (formats / "2.json").write_text('{"value": [0, "float64"]}')
        self.format = packages.format(str(root), "b/num/1")
        self.arrays = packages.format(str(root), "b/num/2")

    def sink(self, name: str, items: int, dataformat: Any = None) -> Any:
        """Return a sink that is open."""
        sink = self.packages.data.CachedDataSink()
        path = str(self.root / f"{name}.data")
        if not sink.setup(path, dataformat or self.format, 0, items - 1):
            raise SystemExit(f"{name} cannot be written")
        return sink

    def source(self, name: str) -> Any:
        """Return a source that is open."""
        source = self.packages.data.CachedDataSource()
        if not source.setup(str(self.root / f"{name}.data"), str(self.root)):
            raise SystemExit(f"{name} cannot be read")
        return source

    def write(self, name: str, items: int) -> None:
        """Write items as an algorithm does, as dictionaries."""
        numpy = importlib.import_module("numpy")
        output = self.packages.outputs.Output("o", self.sink(name, items))
        for number in range(items):
            output.write({"value": numpy.int32(number)})
        output.close()

    def read(self, name: str) -> int:
        """Read all items."""
        return sum(1 for _ in self.source(name))

    def block(self, name: str) -> None:
        """Pass all items on, as a sequential algorithm does."""
        packages, source = self.packages, self.source(name)
        listener = packages.outputs.SynchronizationListener()
        group = packages.inputs.InputGroup("c", listener, restricted_access=False)
        group.add(packages.inputs.Input("i", self.format, source))
        output = packages.outputs.Output("o", self.sink(f"{name}-out", len(source)), listener)
        while group.hasMoreData():
            group.next()
            output.write(group[0].data)
        output.close()

    def write_arrays(self, name: str) -> None:
        """Write big arrays."""
        numpy = importlib.import_module("numpy")
        output = self.packages.outputs.Output("o", self.sink(name, ARRAYS, self.arrays))
        array = numpy.arange(1e6)
        for _ in range(ARRAYS):
            output.write({"value": array})
        output.close()

    def read_arrays(self, name: str) -> float:
        """Read a number of each array."""
        return float(sum(data.value[-1] for data, _, _ in self.source(name)))

    def load(self, name: str) -> None:
        """Read all items through a data loader, in order."""
        loader = self.packages.loaders.DataLoader("c")
        loader.add("i", self.source(name))
        for number in range(loader.count()):
            loader[number]


def measure(packages: Packages, items: int) -> dict[str, float]:
    """Return the seconds of each piece of work."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        measures = Measures(packages, Path(folder))
        found[f"write {items}"] = timed(lambda: measures.write("all", items))
        found[f"read {items}"] = timed(lambda: measures.read("all"))
        found[f"inputs to outputs {items}"] = timed(lambda: measures.block("all"))
        found[f"write {ARRAYS} arrays of 8 MB"] = timed(lambda: measures.write_arrays("big"))
        found[f"read {ARRAYS} arrays of 8 MB"] = timed(lambda: measures.read_arrays("big"))
        for count in LOADED:
            measures.write(f"few{count}", count)
            found[f"data loader {count}"] = timed(lambda c=count: measures.load(f"few{c}"))  # type: ignore[misc]
    return found


def main() -> None:
    """Print one line of JSON for each piece of work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--peer", default="")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_peer:
        packages = Packages("beat.backend.python", "beat.core.dataformat")
        print(json.dumps(measure(packages, options.items)))
        return
    ours = measure(Packages("dlg.beat", "dlg.beat.dataformat"), options.items)
    theirs: dict[str, float] = {}
    if options.peer:
        command = [options.peer, "-W", "ignore", __file__, "--as-peer", "--items"]
        done = subprocess.run(
            [*command, str(options.items)], stdout=subprocess.PIPE, text=True, check=True
        )
        theirs = json.loads(done.stdout.splitlines()[-1])
    for name, seconds in ours.items():
        line: dict[str, Any] = {"bench": "beat_data", "what": name, "s": round(seconds, 4)}
        if name in theirs:
            line |= {"peer_s": round(theirs[name], 4), "times": round(theirs[name] / seconds, 1)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
