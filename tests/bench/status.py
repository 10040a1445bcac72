"""What it costs to watch a session over REST: all states, those since a version, events, more.

    python tests/bench/status.py [--drops 10000] [--polls 50] [--peer PYTHON]

Each poll is a whole request on a connection of its own, as existing clients make it. With `--peer`
the existing system is asked for all states of the same graph.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import psutil
from common import emit, peer_option
from machines import HOST, Machines, run

from dlg.clients import ManagerClient
from dlg.clients.events import follow
from dlg.states.flow import Flow
from dlg.states.journal import Journal, RecordedFlow
from dlg.states.steps import APP
from dlg.support import clock
from dlg.testing.graphs import Spec, chain

SESSION = "watched"
CLASSES = {
    "Data": "dlg.data.drops.memory.InMemoryDROP",
    "Application": "dlg.apps.simple.NullBarrierApp",
}
"""Names that both systems know."""


def graph(drops: int, nodes: Sequence[str] = ()) -> list[Spec]:
    """Return a chain, over the nodes in turn where there are some."""
    places = nodes or [HOST]
    return [
        {
            **spec, "dropclass": CLASSES[str(spec["categoryType"])], "name": spec["oid"],
            "node": places[int(spec["oid"][1:]) % len(places)], "island": HOST, "weight": 1,
        }
        for spec in chain(drops // 2)
    ]  # fmt: skip


def milliseconds(ask: Callable[[], Any], polls: int) -> dict[str, float]:
    """Return the median time of a poll, and that which one in ten exceeds."""
    times = []
    for _ in range(polls):
        begun = perf_counter()
        ask()
        times.append(1000 * (perf_counter() - begun))
    times.sort()
    return {"median_ms": statistics.median(times), "p90_ms": times[int(0.9 * len(times))]}


def watch(
    machines: Machines, level: str, client: ManagerClient, specs: list[Spec], polls: int
) -> None:
    """Run a session and ask for its states in all ways."""
    run(client, SESSION, specs, ["d0"])
    facts: dict[str, Any] = {"system": machines.system, "level": level, "drops": len(specs)}
    emit(bench="full status", **facts, **milliseconds(lambda: client.graph_status(SESSION), polls))
    if machines.system != "dlg":
        return
    get = client.link.get
    path = ("v1", "sessions", SESSION)
    version = get(*path, "status")["version"]
    for behind in (0, 10, 100):
        took = milliseconds(partial(get, *path, "status", since=version - behind), polls)
        emit(bench="delta", changes=behind, **facts, **took)
    for name, more in (
        ("summary", ()), ("drops", ("drops",)), ("drop", ("drops", "d0")),
        ("timeline", ("timeline",)),
    ):  # fmt: skip
        emit(bench=name, **facts, **milliseconds(partial(get, *path, *more), polls))
    begun = perf_counter()
    told = sum(len(e.data["changes"]) for e in follow(client.link, SESSION) if e.name == "changes")
    emit(bench="events", changes=told, per_s=told / (perf_counter() - begun), **facts)


def recording(drops: int = 200_000) -> None:
    """What the journal costs a change."""
    costs = [_drive(drops, journal=True) - _drive(drops, journal=False) for _ in range(5)]
    changes = 3 * (drops // 2)  # data completes, an app runs and finishes
    emit(bench="recording", microseconds_per_change=statistics.median(costs) / changes * 1e6)


def _drive(drops: int, *, journal: bool) -> float:
    """Return how long a chain takes of which the apps do nothing."""
    traits = bytearray([0, APP] * (drops // 2))
    after: list[Sequence[int]] = [(row + 1,) for row in range(drops - 1)]
    before: list[Sequence[int]] = [(row,) for row in range(drops - 1)]
    links = [*after, ()], [(), *before]
    flow = (
        RecordedFlow(traits, *links, journal=Journal(), now=clock.now_of())
        if journal
        else Flow(traits, *links)
    )
    begun = perf_counter()
    flow.start([0])
    while flow.ready:
        row = flow.ready.popleft()
        flow.claim(row)
        flow.finish(row)
    return perf_counter() - begun


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=10_000)
    parser.add_argument("--polls", type=int, default=50)
    peer_option(parser)
    asked = parser.parse_args()
    with Machines() as machines:
        names = [machines.node(), machines.node()]
        watch(machines, "node", names[0][1], graph(asked.drops), asked.polls)
        nodes = [name for name, *_ in names]
        _name, island = machines.island(nodes)
        names[0][1].destroy_session(SESSION)
        watch(machines, "island", island, graph(asked.drops, nodes), asked.polls)
    if asked.peer:
        with Machines(asked.peer) as machines:
            watch(machines, "node", machines.node()[1], graph(asked.drops), asked.polls)
    recording()
    emit(bench="machine", cores=psutil.cpu_count(), load=psutil.getloadavg()[0])


if __name__ == "__main__":
    main()
