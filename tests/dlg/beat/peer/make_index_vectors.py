"""Write what the existing packages make of data indices (their Python runs this).

    PYTHON make_index_vectors.py ../vectors/indices.json

`mix`: lists of intervals and what they are mixed to. `split`: index lists, a number of ranges, and
the ranges. `steps`: the intervals of the inputs of a channel, and what the group says after each
step. `load`: the intervals of a loader's inputs, and each of its units.
"""

from __future__ import annotations

import importlib
import itertools
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

Intervals = list[tuple[int, int]]
PACKAGE = "beat.backend.python"


def intervals(rng: random.Random, length: int, units: int) -> Intervals:
    """Return intervals that cover 0 to `length` - 1."""
    cuts = sorted(rng.sample(range(1, length), min(units, length) - 1)) if length > 1 else []
    edges = [0, *cuts, length]
    return [(a, b - 1) for a, b in itertools.pairwise(edges)]


def some(rng: random.Random) -> list[Intervals]:
    """Return the intervals of one to four inputs that end together."""
    length = rng.randint(1, 12)
    return [intervals(rng, length, rng.randint(1, length)) for _ in range(rng.randint(1, 4))]


def outcome(function: Any, *arguments: Any) -> Any:
    """Return what a function returns, or the name of its error."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the vector)
        return {"error": type(error).__name__}


class Case:
    """Sources of given intervals, in files of the existing packages."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        formats = Path(folder, "dataformats", "u", "n")
        formats.mkdir(parents=True)
        (formats / "1.json").write_text('{"value": "int32"}')
        self.format = importlib.import_module("beat.core.dataformat").DataFormat(folder, "u/n/1")
        self.data = importlib.import_module(f"{PACKAGE}.data")
        self.count = itertools.count()

    def source(self, units: Intervals) -> Any:
        """Return a source of these units; the value of each is its start."""
        name = f"{self.folder}/f{next(self.count)}.data"
        sink = self.data.CachedDataSink()
        sink.setup(name, self.format, units[0][0], units[-1][1])
        for start, end in units:
            sink.write(self.format.type(value=start), start, end)
        sink.close()
        source = self.data.CachedDataSource()
        source.setup(name, self.folder)
        return source


def steps(case: Case, lists: list[Intervals]) -> list[Any]:
    """Return what a group of inputs says after each step."""
    module = importlib.import_module(f"{PACKAGE}.inputs")
    listener = importlib.import_module(f"{PACKAGE}.outputs").SynchronizationListener()
    group = module.InputGroup("c", synchronization_listener=listener, restricted_access=False)
    for number, units in enumerate(lists):
        group.add(module.Input(f"i{number}", case.format, case.source(units)))
    found: list[Any] = []
    while group.hasMoreData():
        try:
            group.next()
        except RuntimeError:
            found.append("RuntimeError")
            break
        inputs = [
            [
                *(i.data_index, i.data_index_end, int(i.data.value), i.hasMoreData()),
                *(i.hasDataChanged(), i.isDataUnitDone()),
            ]
            for i in group
        ]
        indices = [group.data_index, group.data_index_end]
        indices += [group.first_data_index, group.last_data_index]
        told = [listener.data_index_start, listener.data_index_end]
        found.append([indices, told, inputs])
    return found


def plain(answer: Any) -> Any:
    """Return what a loader returns without objects."""
    data, start, end = answer
    return None if data is None else [{k: int(v.value) for k, v in data.items()}, start, end]


def load(case: Case, lists: list[Intervals]) -> dict[str, Any]:
    """Return the units of a loader, and those of its views."""
    loader = importlib.import_module(f"{PACKAGE}.data_loaders").DataLoader("c")
    names = [f"i{number}" for number in range(len(lists))]
    for name, units in zip(names, lists):  # noqa: B905  (its Python may be old)
        loader.add(name, case.source(units))
    views = []
    for name in names:
        for number in range(loader.count(name) + 1):
            view = loader.view(name, number)
            if view is None:
                views.append([name, number, None])
                continue
            counts = [view.count(), *[view.count(n) for n in names]]
            units = [plain(view[i]) for i in range(view.count() + 1)]
            views.append(
                [name, number, [counts, view.data_index_start, view.data_index_end, units]]
            )
    return {
        "counts": [loader.count(), *[loader.count(name) for name in names]],
        "indices": [loader.data_index_start, loader.data_index_end],
        "units": [plain(loader[i]) for i in range(-1, loader.count() + 1)],
        "views": views,
    }


def main(target: Path) -> None:
    """Write all cases."""
    rng = random.Random(4)
    data = importlib.import_module(f"{PACKAGE}.data")
    mixes = [some(rng) for _ in range(30)]
    mixes += [[], [[]], [[(0, 3)], []], [[(2, 5), (6, 9)], [(0, 3), (4, 7)]], [[(0, 1), (4, 5)]]]
    mixes += [[[(0, 1)], [(4, 5)]], [[(0, 1), (4, 5)], [(0, 2), (3, 5)]], [[(0, 9)], [(3, 5)]]]
    mixes += [[[(0, 0), (5, 5)], [(0, 0), (3, 5)]], [[(0, 1), (2, 3)], [(0, 1)]]]
    splits: list[tuple[list[list[int]], int]] = [([[]], 2), ([[0, 1, 2], []], 2), ([[0, 5]], 3)]
    for _ in range(60):
        lists = [[*[a for a, _ in units], units[-1][1] + 1] for units in some(rng)]
        splits.append((lists, rng.randint(1, 6)))
    with tempfile.TemporaryDirectory() as folder:
        case = Case(folder)
        vectors = {
            "mix": [[m, outcome(data.mixDataIndices, m)] for m in mixes],
            "split": [[m, n, outcome(data.foundSplitRanges, m, n)] for m, n in splits],
            "steps": [[m, steps(case, m)] for m in (some(rng) for _ in range(25))],
            "load": [[m, load(case, m)] for m in (some(rng) for _ in range(12))],
        }
    lines = [
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]"
        for name, cases in vectors.items()
    ]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
