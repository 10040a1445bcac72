"""What it costs that data has a date: a graph with lifespans beside the same without.

    python tests/bench/lifecycle.py [DROPS]

All drops of a fan are data in memory that live for a second. Measured are the time to run the
graph with and without lifespans, what an entry in the heap takes in memory, the time in which
all of them are deleted once they are due, how late a single date is met, and the processor time
that is used while nothing is due.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import statistics
import tempfile
import threading
import tracemalloc
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from common import emit

from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.support import clock
from dlg.testing.graphs import Spec, data
from dlg_engine.lifecycle.keeper import Keeper
from dlg_engine.lifecycle.life import Life
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.runners import make_runner
from dlg_engine.sessions.session import Session

RUNS = 3
LIFESPAN_S = 1e6
IDLE_S = 3.0
DATES = 50


class Kept(Session):
    """A session whose data is looked after."""

    life: Life | Keeper | None = None

    def _make_live(self) -> LiveGraph:
        live = super()._make_live()
        if isinstance(self.life, Keeper):
            now = clock.monotonic()
            around = dataclasses.replace(live.surroundings, keeper=self.life, created=now)
            live.surroundings = around
        if self.life is not None:
            self.life.adopt(live)
        return live


def graph(drops: int, lifespan_s: float) -> list[Spec]:
    """Return data that waits for nobody, and has a value."""
    more: dict[str, Any] = {} if lifespan_s == math.inf else {"lifespan": lifespan_s}
    return [data(f"d{i}", pydata=i, **more) for i in range(drops)]


def run(specs: list[Spec], life: Life | Keeper, place: Path) -> tuple[float, LiveGraph]:
    """Return how long it took from the dropspecs to the end, and the graph."""
    session = Kept("bench", place, make_runner("inline", None))
    session.life = life
    begun = perf_counter()
    session.add_graph(specs)
    session.deploy()
    session.wait()
    took_s = perf_counter() - begun
    assert session.live is not None
    return took_s, session.live


def asleep() -> None:
    """Be what is called where no thread is."""


def cost(drops: int, place: Path) -> None:
    """Tell what dates cost while a graph runs, and how long it takes to delete everything."""
    with_s, without_s, delete_s = [], [], []
    for _ in range(RUNS):
        without_s.append(run(graph(drops, math.inf), Keeper(LifecycleOptions(), asleep), place)[0])
        keeper = Keeper(LifecycleOptions(), asleep)
        took_s, live = run(graph(drops, LIFESPAN_S), keeper, place)
        with_s.append(took_s)
        with clock.replaced(clock.ManualClock()) as later:
            later.sleep(clock.SystemClock().monotonic() + 2 * LIFESPAN_S)
            begun = perf_counter()
            keeper.attend()
            delete_s.append(perf_counter() - begun)
        assert live.flow.status.count(DROPStates.DELETED) == drops
    extra_s = statistics.median(with_s) - statistics.median(without_s)
    emit(
        bench="lifecycle", drops=drops, run_with_dates_s=statistics.median(with_s),
        run_without_s=statistics.median(without_s), extra_us_per_drop=extra_s / drops * 1e6,
        delete_all_s=statistics.median(delete_s),
        delete_us_per_drop=statistics.median(delete_s) / drops * 1e6,
    )  # fmt: skip


def memory(drops: int, place: Path) -> None:
    """Tell what the entries of the heap take."""
    sizes = []
    for lifespan_s in (math.inf, LIFESPAN_S):
        specs = graph(drops, lifespan_s)
        keeper = Keeper(LifecycleOptions(), asleep)
        tracemalloc.start()
        _, live = run(specs, keeper, place)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del live, keeper
    emit(bench="lifecycle", drops=drops, bytes_per_date=(sizes[1] - sizes[0]) / drops)


class Watch:
    """Notes when drops are deleted."""

    def __init__(self, count: int) -> None:
        self.late_s: list[float] = []
        self._count, self.all = count, threading.Event()
        self.dates: dict[str, float] = {}

    def handleEvent(self, event: object) -> None:
        """Take note."""
        if getattr(event, "status", None) is DROPStates.DELETED:
            uid = str(getattr(event, "uid", ""))
            if uid in self.dates:
                self.late_s.append(clock.monotonic() - self.dates.pop(uid))
            if not self.dates:
                self.all.set()


def lateness(place: Path) -> None:
    """Tell how late dates are met by the thread of a node, and what it uses in between."""
    life = Life()
    mortal = [{**spec, "lifespan": 0.5 + i / 100} for i, spec in enumerate(graph(DATES, 1))]
    _, live = run(mortal, life, place)
    watch = Watch(DATES)
    created = live.surroundings.created or 0.0
    for row, uid in enumerate(live.uids):
        watch.dates[uid] = created + float(live.specs[row]["lifespan"])
        live.drop(row).subscribe(watch, "dropCompleted")
    watch.all.wait(60)
    ordered = sorted(watch.late_s)
    _, later = run(graph(1000, LIFESPAN_S), life, place)
    begun = process_time()
    threading.Event().wait(IDLE_S)
    idle_s = process_time() - begun
    emit(
        bench="lifecycle", dates=len(ordered), late_median_ms=statistics.median(ordered) * 1e3,
        late_worst_ms=ordered[-1] * 1e3, idle_cpu_percent=100 * idle_s / IDLE_S,
        waiting_dates=len(later.uids),
    )  # fmt: skip
    life.close()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drops", nargs="?", type=int, default=100_000)
    drops = parser.parse_args().drops
    with tempfile.TemporaryDirectory() as place:
        cost(drops, Path(place))
        memory(drops, Path(place))
        lateness(Path(place))


if __name__ == "__main__":
    main()
