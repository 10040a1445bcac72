"""From nodes and links as a reader found them to a `LogicalGraph`, the same for all generations.

A reader translates words (`Found`, `FoundLink`); what must hold between the pieces is seen to
here: ids are unique, embedded applications belong to their constructs, links end at constructs and
not at their applications, parents exist. What does not fit is reported and left out, so that later
checks see a graph in which every id can be looked up, and can report their findings as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import categories
from dlg_translator.model.logical import EmbeddedApp, Field, Link, LogicalGraph, Node
from dlg_translator.model.names import STREAMING
from dlg_translator.model.values import truth

NODE_KEYS = frozenset(
    {"id", "name", "category", "categoryType", "isGroup", "parentId", "embedId", "fields"}
    | {f"{side}AppFields" for side in ("input", "output")}
    | {
        f"{side}Application{what}"
        for side in ("input", "output")
        for what in ("Name", "Type", "Id")
    }
)
"""The keys of a node that have attributes of their own; all others stay in `raw`."""


@dataclass(slots=True)
class Found:
    """A node in a file, its keys in today's words."""

    id: str
    pointer: str
    keys: Mapping[str, Any]
    fields: list[Field] = field(default_factory=list)
    input_fields: list[Field] = field(default_factory=list)
    output_fields: list[Field] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.pointer, self.name, self.id)

    @property
    def name(self) -> str:
        """What it is called."""
        return text(self.keys.get("name"))


@dataclass(slots=True)
class FoundLink:
    """A link in a file."""

    src: str
    dst: str
    src_port: str
    dst_port: str
    pointer: str
    keys: Mapping[str, Any]
    loop_aware: bool = False
    closes_loop: bool = False
    streaming: bool = False
    ports_are_sides: bool = False
    """The ports are B, T, L, R: where the line touches the box, nothing more."""


def assemble(nodes: Iterable[Found], links: Iterable[FoundLink], report: Report) -> LogicalGraph:
    """Return the graph of `nodes` and `links`; what does not fit together is reported."""
    found = _unique(nodes, report)
    hosts = _hosts(found)
    graph = LogicalGraph({i: _node(f) for i, f in found.items() if i not in hosts}, [])
    for app_id, host_id in hosts.items():
        host = graph.nodes.get(host_id)
        if host is None:
            what = f"it is embedded in {host_id!r}, which there is not"
            report.add("embedded-app-lost", what, found[app_id].place)
        else:
            _embed(host, found[host_id], found[app_id])
    _find_parents(graph, hosts, report)
    _link(graph, links, hosts, report)
    return graph


def text(value: object) -> str:
    """Return a value of a file as text, and "" for null."""
    return "" if value is None else str(value)


def _unique(nodes: Iterable[Found], report: Report) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for node in nodes:
        if not node.id:
            report.add("missing-id", "a node has no id", node.place)
        elif node.id in found:
            first = found[node.id]
            what = f"the id is that of {first.name!r} ({first.pointer}) already"
            report.add("duplicate-id", what, node.place)
        else:
            found[node.id] = node
    return found


def _hosts(found: Mapping[str, Found]) -> dict[str, str]:
    """Return for each node that is an embedded application the construct it is embedded in."""
    return {i: text(f.keys["embedId"]) for i, f in found.items() if text(f.keys.get("embedId"))}


def _node(found: Found) -> Node:
    keys = found.keys
    category, category_type = categories.today(
        text(keys.get("category")), text(keys.get("categoryType"))
    )
    return Node(
        id=found.id,
        name=found.name,
        category=category,
        category_type=category_type,
        is_group=truth(keys.get("isGroup")) or category_type == categories.CONSTRUCT,
        parent=text(keys.get("parentId")) or None,
        fields=found.fields,
        input_app=_embedded(found, "input", found.input_fields),
        output_app=_embedded(found, "output", found.output_fields),
        pointer=found.pointer,
        raw={k: v for k, v in keys.items() if k not in NODE_KEYS},
    )


def _embedded(found: Found, side: str, fields: list[Field]) -> EmbeddedApp | None:
    """Return the application that today's files write into the construct itself."""
    kind = text(found.keys.get(f"{side}ApplicationType"))
    if kind in {"", "None"} and not fields:
        return None
    return EmbeddedApp(
        name=text(found.keys.get(f"{side}ApplicationName")),
        category=categories.today(kind, "")[0] or "UnknownApplication",
        fields=fields,
        id=text(found.keys.get(f"{side}ApplicationId")) or None,
        pointer=found.pointer,
    )


def _embed(host: Node, host_found: Found, found: Found) -> None:
    """Give a construct the application that its file has as a node."""
    category, _ = categories.today(
        text(found.keys.get("category")), text(found.keys.get("categoryType"))
    )
    raw = {k: v for k, v in found.keys.items() if k not in NODE_KEYS}
    app = EmbeddedApp(found.name, category, found.fields, found.id, found.pointer, raw)
    is_output = text(host_found.keys.get("outputApplicationId")) == found.id
    if is_output or host.input_app is not None:
        host.output_app = app
    else:
        host.input_app = app


def _find_parents(graph: LogicalGraph, hosts: Mapping[str, str], report: Report) -> None:
    for node in graph.nodes.values():
        if node.parent is None:
            continue
        node.parent = hosts.get(node.parent, node.parent)
        place = Place(node.pointer, node.name, node.id)
        holder = graph.nodes.get(node.parent)
        if holder is None:
            report.add("parent-missing", f"there is no node {node.parent!r}", place)
            node.parent = None
        elif not holder.is_group:
            what = f"its parent {holder.name!r} ({holder.category}) is no construct"
            report.add("parent-not-a-construct", what, place)
            node.parent = None
    _break_circles(graph, report)


def _break_circles(graph: LogicalGraph, report: Report) -> None:
    sound: set[str] = set()
    for start in graph.nodes.values():
        path: list[Node] = []
        on_path: set[str] = set()
        at: Node | None = start
        while at is not None and at.id not in sound:
            if at.id in on_path:
                names = [n.name for n in path[path.index(at) :]]
                what = "it stands inside itself: " + " in ".join(map(repr, [*names, names[0]]))
                report.add("parent-circle", what, Place(at.pointer, at.name, at.id))
                at.parent = None
                break
            path.append(at)
            on_path.add(at.id)
            at = graph.nodes[at.parent] if at.parent is not None else None
        sound |= on_path


def _link(
    graph: LogicalGraph, links: Iterable[FoundLink], hosts: Mapping[str, str], report: Report
) -> None:
    ports = {n.id: {f.id: f.name for f in n.all_fields()} for n in graph.nodes.values()}
    seen: set[tuple[str, str, str, str]] = set()
    for found in links:
        src, dst = hosts.get(found.src, found.src), hosts.get(found.dst, found.dst)
        missing = [i for i in (src, dst) if i not in graph.nodes]
        place = Place(found.pointer)
        for node_id in missing:
            report.add("dangling-link", f"it ends at {node_id!r}, which there is not", place)
        if missing:
            continue
        link = _one_link(found, src, dst)
        link.streaming = link.streaming or _streams(graph.nodes[src])
        link.src_port_name = _port_name(graph, ports, found, (src, link.src_port), report)
        link.dst_port_name = _port_name(graph, ports, found, (dst, link.dst_port), report)
        key = (src, link.src_port, dst, link.dst_port)
        if key in seen:
            what = f"{graph.nodes[src].name!r} is linked to {graph.nodes[dst].name!r} twice"
            report.add("duplicate-link", what, place)
            continue
        seen.add(key)
        graph.links.append(link)


def _one_link(found: FoundLink, src: str, dst: str) -> Link:
    return Link(
        src,
        dst,
        "" if found.ports_are_sides else found.src_port,
        "" if found.ports_are_sides else found.dst_port,
        loop_aware=found.loop_aware,
        closes_loop=found.closes_loop,
        streaming=found.streaming,
        pointer=found.pointer,
        raw=dict(found.keys),
    )


def _streams(node: Node) -> bool:
    """Whether `node` is data to be read while it is written."""
    is_data = categories.TYPES.get(node.category, node.category_type) == categories.DATA
    return is_data and truth(node.value(*STREAMING))


def _port_name(
    graph: LogicalGraph,
    ports: Mapping[str, Mapping[str, str]],
    found: FoundLink,
    end: tuple[str, str],
    report: Report,
) -> str:
    node_id, port = end
    name = ports[node_id].get(port)
    if name is not None:
        return name
    if port:
        node = graph.nodes[node_id]
        what = f"{node.name!r} ({node_id}) has no port {port!r}"
        report.add("unknown-port", what, Place(found.pointer))
    return ""
