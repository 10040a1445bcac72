"""What it costs, and saves, to take results from the store instead of making them again.

    python tests/bench/reuse.py [--drops N] [--workers N] [--dir DIR]

Each line is a result: a first run with apps of 10 ms, whose results are kept, and runs of the same
graph that take everything from the store; then how fast contents of 256 MiB are put and placed.
A hit is to take 100 µs at most, and the second run a twentieth of the time of the first.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, get_args

from common import chains, emit, median_of

from dlg.graph import read_physical_graph
from dlg_engine.embedded import run_graph
from dlg_engine.reuse import upkeep
from dlg_engine.reuse.store import Facts, Store, Verify

MIB = 1 << 20


def run_s(graph: Any, root: Path, workers: int, store: Path | None) -> tuple[float, int]:
    """Return how long a run of a graph took, and how many apps did not have to run."""
    begun = perf_counter()
    report = run_graph(graph, workdir=root / "runs", workers=workers, store=store)
    seconds = perf_counter() - begun
    if report.status != "FINISHED":
        raise SystemExit(f"the run is {report.status}: {report.errors[:1]}")
    return seconds, len(report.reused)


def whole_graph(drops: int, workers: int, root: Path) -> None:
    """Measure a graph of which everything is reused, and what the hits cost beyond the run."""
    graph = read_physical_graph(chains(drops, 0.01))
    graph.neighbours  # noqa: B018  needed in any case
    first, none = run_s(graph, root, workers, root / "store")
    emit(what="first run, 10 ms apps", drops=drops, workers=workers, seconds=first, reused=none)
    found = [run_s(graph, root, workers, root / "store") for _ in range(3)]
    second, reused = sorted(found)[1]
    hit_us = second / reused * 1e6 if reused else float("inf")
    emit(
        what="everything reused", drops=drops, workers=workers, seconds=second, reused=reused,
        us_per_hit=hit_us, us_per_drop=second / drops * 1e6, times_faster=first / second,
    )  # fmt: skip
    store = Store(root / "store")
    keys = [one.entry.key for one in upkeep.listed(store)]
    bare = median_of(lambda: _find_all(store, keys)) / len(keys)
    emit(what="finding an entry", entries=len(keys), us=bare * 1e6)


def _find_all(store: Store, keys: list[str]) -> float:
    begun = perf_counter()
    for key in keys:
        store.find(key)
    return perf_counter() - begun


def large(root: Path) -> None:
    """Measure how fast large contents come and go, with and without comparing their hash."""
    source, target = root / "large", root / "placed"
    source.write_bytes(bytes(range(256)) * (MIB))
    store = Store(root / "other")
    begun = perf_counter()
    entry = store.put_file("0" * 64, source, Facts(form="file"))
    emit(what="put 256 MiB", mib_per_s=256 / (perf_counter() - begun))
    for verify in get_args(Verify):
        checked = Store(root / "other", verify)

        def place(checked: Store = checked) -> float:
            begun = perf_counter()
            checked.place(entry, target)
            return perf_counter() - begun

        emit(what="place 256 MiB", verify=verify, mib_per_s=256 / median_of(place))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--dir", type=Path, help="on which disk; by default that of temporaries")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.dir) as root:
        whole_graph(asked.drops, asked.workers, Path(root))
        large(Path(root))


if __name__ == "__main__":
    main()
