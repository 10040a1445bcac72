"""Where data go: links between things that cannot be linked, loose ends, circles."""

from __future__ import annotations

from collections.abc import Iterator

from dlg_translator.checks.groups import enclosing, place
from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import categories, names
from dlg_translator.model.logical import Link, LogicalGraph, Node
from dlg_translator.model.values import truth

_DROPS = frozenset({categories.DATA, categories.APPLICATION})
_OUTPUT = "\0output"
_FEEDING = frozenset({"GroupBy", "Gather", "Loop", "Scatter"})


def check_ends(graph: LogicalGraph, report: Report) -> None:
    """Find links from application to application, from data to data, and to oneself."""
    for link in graph.links:
        src, dst = graph.nodes[link.src], graph.nodes[link.dst]
        where = Place(link.pointer)
        what = f"{src.name!r} ({src.id}) is linked to {dst.name!r} ({dst.id})"
        kinds = (_runs(src), _runs(dst))
        if link.src == link.dst:
            report.add("self-link", f"{src.name!r} ({src.id}) is linked to itself", where)
        elif kinds == (True, True):
            report.add("app-to-app", what + ", both applications", where)
        elif kinds == (False, False):
            report.add("data-to-data", what + ", both data", where)


def _runs(node: Node) -> bool | None:
    """Whether links of `node` are those of an application, None if that is for the rules."""
    if node.category_type in _DROPS:
        return node.category_type == categories.APPLICATION
    if node.category in {"Scatter", "Gather"} and any(not a.is_placeholder for a in node.apps()):
        return True
    return None


def check_unconnected(graph: LogicalGraph, report: Report) -> None:
    """Find drops that nothing is linked to, unless the graph is but one drop."""
    linked = {link.src for link in graph.links} | {link.dst for link in graph.links}
    drops = [n for n in graph.nodes.values() if n.category_type in _DROPS]
    if len(drops) < 2:  # noqa: PLR2004  (one drop alone is a graph)
        return
    for node in drops:
        holder = graph.nodes[node.parent].category if node.parent is not None else ""
        if node.id not in linked and holder not in _FEEDING:
            report.add("unconnected-node", "nothing is linked to it", place(node))


def check_cycles(graph: LogicalGraph, report: Report) -> None:
    """Find nodes that wait for each other, other than through the iterations of a loop."""
    follow: dict[str, list[str]] = {}
    for link in graph.links:
        if link.src != link.dst and not _carries(graph, link):
            start, end = _end(graph, link.src, link.src_port), _end(graph, link.dst, link.dst_port)
            follow.setdefault(start, []).append(end)
            follow.setdefault(end, [])
    for members in _circles(follow):
        path = _around(members, follow)
        nodes = [graph.nodes[i.removesuffix(_OUTPUT)] for i in path]
        what = " -> ".join([*(n.name for n in nodes), nodes[0].name])
        report.add("cycle", f"nodes wait for each other: {what}", place(nodes[0]))


def _end(graph: LogicalGraph, node_id: str, port: str) -> str:
    """Return what stands for an end of a link: a construct may have two applications."""
    app = graph.nodes[node_id].output_app
    at_output = app is not None and app.has_port(port) and not app.is_placeholder
    return node_id + _OUTPUT if at_output else node_id


def _carries(graph: LogicalGraph, link: Link) -> bool:
    """Whether `link` leads from one iteration of a loop to the next."""
    src, dst = graph.nodes[link.src], graph.nodes[link.dst]
    starts = truth(dst.value(*names.GROUP_START))
    ends = truth(src.value(*names.GROUP_END))
    if not link.closes_loop and not (starts and ends):
        return False
    loops = {n.id for n in enclosing(graph, src) if n.category == "Loop"}
    return any(n.id in loops for n in enclosing(graph, dst))


def _circles(follow: dict[str, list[str]]) -> Iterator[list[str]]:
    """Return the sets of two or more nodes that reach each other (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    for root, after in follow.items():
        if root in order:
            continue
        work = [(root, iter(after))]
        order[root] = low[root] = len(order)
        open_nodes.append(root)
        is_open.add(root)
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in order:
                    order[to] = low[to] = len(order)
                    open_nodes.append(to)
                    is_open.add(to)
                    work.append((to, iter(follow[to])))
                    break
                if to in is_open:
                    low[node] = min(low[node], order[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    members = _closed(node, open_nodes, is_open)
                    if len(members) > 1:
                        yield members


def _closed(node: str, open_nodes: list[str], is_open: set[str]) -> list[str]:
    at = len(open_nodes) - 1
    while open_nodes[at] != node:
        at -= 1
    members = open_nodes[at:]
    del open_nodes[at:]
    is_open.difference_update(members)
    return members


def _around(members: list[str], follow: dict[str, list[str]]) -> list[str]:
    """Return one circle through nodes that all reach each other."""
    inside = set(members)
    path: dict[str, int] = {}
    node = members[0]
    while node not in path:
        path[node] = len(path)
        node = next(to for to in follow[node] if to in inside)
    return list(path)[path[node] :]
