"""Who feeds whom in a toolchain, in which order to run, and what can be wrong with that.

Pure. A declaration that fits its schema is read once into nodes; what follows from them takes time
in proportion to the toolchain.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a node of a toolchain is; the value is its section in the declaration."""

    DATASET = "datasets"
    BLOCK = "blocks"
    LOOP = "loops"
    ANALYZER = "analyzers"


@dataclass(frozen=True, slots=True)
class Node:
    """A dataset, block, loop or analyzer; a loop has the endpoints of both of its parts."""

    kind: Kind
    place: str
    name: str
    channel: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection: from an output to an input, each `node.endpoint`, on a channel."""

    place: str
    source: str
    target: str
    channel: str

    @property
    def start(self) -> str:
        """The name of the node that it begins at."""
        return self.source.partition(".")[0]

    @property
    def end(self) -> str:
        """The name of the node that it ends at."""
        return self.target.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The nodes and connections of a toolchain, in the order of its declaration."""

    nodes: tuple[Node, ...]
    connections: tuple[Connection, ...]

    def running(self) -> Iterator[Node]:
        """Yield what runs: blocks, loops, analyzers."""
        return (node for node in self.nodes if node.kind is not Kind.DATASET)


def read_wiring(declaration: Mapping[str, Any]) -> Wiring:
    """Return the wiring of a declaration; one that does not fit its schema raises `KeyError`."""
    nodes = [node for kind in Kind for node in _nodes(kind, declaration.get(kind.value, ()))]
    connections = [
        Connection(
            place=f"/connections/{one['from']}->{one['to']}[#{index}]",
            source=one["from"],
            target=one["to"],
            channel=one["channel"],
        )
        for index, one in enumerate(declaration["connections"])
    ]
    return Wiring(tuple(nodes), tuple(connections))


def dependencies(wiring: Wiring) -> dict[str, set[str]]:
    """Return for all that runs the names of what feeds it; datasets do not count."""
    needs: dict[str, set[str]] = {node.name: set() for node in wiring.running()}
    for one in wiring.connections:
        if one.end in needs and one.start in needs:
            needs[one.end].add(one.start)
    return needs


def execution_order(wiring: Wiring) -> OrderedDict[str, set[str]]:
    """Return what runs, with its dependencies, each after all that feed it.

    The order is that of going through the declaration again and again, each time taking whatever
    can go by then. What stands on a circle, or behind one, is not in it: see `circle`.
    """
    needs = dependencies(wiring)
    position = {name: index for index, name in enumerate(needs)}
    feeds: dict[str, list[str]] = defaultdict(list)
    for name, sources in needs.items():
        for source in sources:
            feeds[source].append(name)
    missing = {name: len(sources) for name, sources in needs.items()}
    rounds = {name: 0 for name, count in missing.items() if not count}
    ready = deque(rounds)
    while ready:
        done = ready.popleft()
        for name in feeds[done]:
            # What stands later in the declaration goes in the same round, else in the next.
            earliest = rounds[done] + (position[name] < position[done])
            rounds[name] = max(rounds.get(name, 0), earliest)
            missing[name] -= 1
            if not missing[name]:
                ready.append(name)
    whole = (name for name in rounds if not missing[name])
    order = sorted(whole, key=lambda name: (rounds[name], position[name]))
    return OrderedDict((name, needs[name]) for name in order)


def circle(wiring: Wiring) -> list[str]:
    """Return the names along one circle, the first one again at the end, or an empty list."""
    needs = dependencies(wiring)
    left = needs.keys() - execution_order(wiring).keys()
    if not left:
        return []
    # All that is left waits for something that is left too, so this comes back to where it was.
    path: dict[str, int] = {}
    name = min(left)
    while name not in path:
        path[name] = len(path)
        name = min(needs[name] & left)
    found = [*list(path)[path[name] :], name]
    return found[::-1]


def problems(declaration: Mapping[str, Any], wiring: Wiring, compat: bool) -> Iterator[str]:
    """Yield what is wrong with a declaration that fits its schema; with `compat` less is."""
    yield from _names(wiring)
    yield from _channels(wiring)
    yield from _connections(wiring)
    yield from _representation(declaration["representation"], wiring)
    if not compat:
        yield from _ambiguous(wiring)
        around = circle(wiring)
        if around:
            yield f"/connections: {' -> '.join(around)} is a circle: none of these can run first"


def _nodes(kind: Kind, section: Iterable[Mapping[str, Any]]) -> Iterator[Node]:
    for index, one in enumerate(section):
        name = one["name"]
        yield Node(
            kind=kind,
            place=f"/{kind.value}/{name}[#{index}]",
            name=name,
            channel=one.get("synchronized_channel", name),
            inputs=(*one.get("inputs", ()), *_of_loop(one, "inputs")),
            outputs=(*one.get("outputs", ()), *_of_loop(one, "outputs")),
        )


def _of_loop(one: Mapping[str, Any], which: str) -> Iterator[str]:
    yield from one.get(f"processor_{which}", ())
    yield from one.get(f"evaluator_{which}", ())


def _names(wiring: Wiring) -> Iterator[str]:
    seen: dict[str, Node] = {}
    for node in wiring.nodes:
        if node.name in seen:
            yield f"{node.place}: the name is taken by {seen[node.name].place} already"
        seen.setdefault(node.name, node)


def _channels(wiring: Wiring) -> Iterator[str]:
    datasets = {node.name for node in wiring.nodes if node.kind is Kind.DATASET}
    for node in wiring.nodes:
        if node.kind is not Kind.DATASET and node.channel not in datasets:
            yield (
                f"{node.place}/synchronized_channel: invalid synchronization channel "
                f"'{node.channel}'"
            )


def _connections(wiring: Wiring) -> Iterator[str]:
    datasets = {node.name for node in wiring.nodes if node.kind is Kind.DATASET}
    outputs = {f"{node.name}.{name}" for node in wiring.nodes for name in node.outputs}
    inputs = {f"{node.name}.{name}": None for node in wiring.nodes for name in node.inputs}
    taken: dict[str, Connection] = {}
    for one in wiring.connections:
        if one.target in taken:
            yield (
                f"{one.place}: ending on the same input as {taken[one.target].place} "
                "is unsupported"
            )
        taken.setdefault(one.target, one)
        if one.source not in outputs:
            yield f"{one.place}: invalid output endpoint '{one.source}'"
        if one.target not in inputs:
            yield f"{one.place}: invalid input endpoint '{one.target}'"
        if one.channel not in datasets:
            yield f"{one.place}/channel: invalid synchronization channel '{one.channel}'"
    unconnected = [name for name in inputs if name not in taken]
    if unconnected:
        yield f"input(s) `{', '.join(unconnected)}' remain unconnected"


def _representation(shown: Mapping[str, Any], wiring: Wiring) -> Iterator[str]:
    names = {node.name for node in wiring.nodes}
    for name in shown["blocks"]:
        if name not in names:
            yield (
                f"/representation/blocks/{name}: "
                "not listed on /datasets, /blocks, /loops or /analyzers"
            )
    connections = {f"{one.source}/{one.target}" for one in wiring.connections}
    for name in shown["connections"]:
        if name not in connections:
            yield f"/representation/connections/{name}: not listed on /connections"
    datasets = {node.name for node in wiring.nodes if node.kind is Kind.DATASET}
    for name in shown["channel_colors"]:
        if name not in datasets:
            yield f"/representation/channel_colors/{name}: not a dataset listed on /datasets"


def _ambiguous(wiring: Wiring) -> Iterator[str]:
    """Yield the endpoints that both parts of a loop have: nobody can tell which one is meant."""
    for node in wiring.nodes:
        for which, names in (("input", node.inputs), ("output", node.outputs)):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                yield f"{node.place}: both parts have the {which}(s) {', '.join(twice)}"
