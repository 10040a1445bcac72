"""From a physical graph to a live one: columns are turned into what the flow works on.

No drop object is made here. What differs between classes is looked up once a class, what differs
between drops only for the classes where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dlg.drops.app_base import BarrierAppDROP, InputFiredAppDROP
from dlg.drops.base import AbstractDROP
from dlg.drops.live import LiveGraph
from dlg.drops.parameters import to_int, values_of
from dlg.drops.runners import ON_DEMAND, Runner
from dlg.drops.surroundings import ALONE, Surroundings
from dlg.exceptions import InvalidGraphException
from dlg.graph.physical import PhysicalGraph
from dlg.states.flow import Flow
from dlg.states.steps import EXTERNAL, MANUAL
from dlg.support import garbage

FlowMaker = Callable[[bytearray, list[Sequence[int]], list[Sequence[int]]], Flow]
"""Makes the flow of a graph: from the traits of its rows, and those after and before each."""


def live_graph(
    graph: PhysicalGraph,
    resolve: Callable[[str], type],
    *,
    runner: Runner = ON_DEMAND,
    surroundings: Surroundings = ALONE,
    flow_of: FlowMaker = Flow,
) -> LiveGraph:
    """Return `graph` ready to be started; `resolve` gives the class of a dotted name.

    Raises `InvalidGraphException` if a class is no drop class.
    """
    classes = [_drop_class(resolve(name), name) for name in graph.class_names]
    with garbage.held_off():
        traits = _traits(graph, classes)
        after, before = graph.neighbours
        flow = flow_of(traits, after, before)
        oids = graph.oids if isinstance(graph.oids, list) else list(graph.oids)
        uids = list(graph.uids) if graph.uids else oids
        live = LiveGraph(flow, oids, uids, runner)
    live.classes, live.class_ids, live.specs = classes, graph.class_ids, graph.specs
    live.surroundings = surroundings
    _add_rare_things(live, graph)
    return live


def _drop_class(cls: Any, name: str) -> type[AbstractDROP]:
    if isinstance(cls, type) and issubclass(cls, AbstractDROP):
        return cls
    raise InvalidGraphException(f"{name} is no drop class: it does not derive from AbstractDROP")


def _traits(graph: PhysicalGraph, classes: list[type[AbstractDROP]]) -> bytearray:
    by_class = np.array([cls.traits for cls in classes], dtype=np.uint8)
    traits = bytearray(by_class[np.asarray(graph.class_ids, dtype=np.intp)].tobytes())
    for row in graph.external:
        traits[row] |= EXTERNAL
    return traits


def _add_rare_things(live: LiveGraph, graph: PhysicalGraph) -> None:
    """Tell the live graph of streams, containers and apps that do not wait for all inputs."""
    streams, children = graph.links.streaming_consumers, graph.links.children
    for data, app in zip(streams.src.tolist(), streams.dst.tolist(), strict=True):
        live.streams.setdefault(data, []).append(app)
    for parent, child in zip(children.src.tolist(), children.dst.tolist(), strict=True):
        live.children.setdefault(parent, []).append(child)
        live.parents[child] = parent
    manual = np.frombuffer(bytes(live.flow.traits), dtype=np.uint8) & MANUAL
    live.manual = np.flatnonzero(manual).tolist()
    choosy = [
        k for k, cls in enumerate(live.classes)
        if issubclass(cls, InputFiredAppDROP) and not issubclass(cls, BarrierAppDROP)
    ]  # fmt: skip
    for row in np.flatnonzero(np.isin(graph.class_ids, choosy)).tolist() if choosy else ():
        needed = to_int(values_of(graph.specs[row]).get("n_effective_inputs", -1))
        if needed > 0:
            live.flow.expect(row, needed)
