"""Which instances of two linked entities are linked: the table.

A rule is chosen by what the two ends are, top row first. What no row allows is refused with the
names of both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dlg.graph.problems import Problem
from dlg_translator.checks.kinds import Place, problem
from dlg_translator.constructs.contract import Lowering
from dlg_translator.constructs.gather import bunch_width
from dlg_translator.constructs.group_by import keys_of
from dlg_translator.model.logical import EmbeddedApp, Link, Node
from dlg_translator.model.plan import Entity, Group, GroupKind, Rule, Wire

Ends = tuple[Entity, Entity, Link, Lowering]
Row = tuple[str, Callable[[Entity, Entity, Link, Lowering], bool], Rule | None]


def _is_carry(src: Entity, dst: Entity, _link: Link, state: Lowering) -> bool:
    if not src.path or src.path != dst.path or not (src.group_end and dst.group_start):
        return False
    loop = state.plan.groups[src.path[-1]].kind is GroupKind.ITERATIONS
    return loop and src.is_data and dst.is_app


def _into(category: str) -> Callable[[Entity, Entity, Link, Lowering], bool]:
    def test(src: Entity, dst: Entity, link: Link, state: Lowering) -> bool:
        node = state.graph.nodes.get(link.dst)
        return (
            node is not None and node.category == category and node.id in dst.path
            and node.id not in src.path
        )  # fmt: skip

    return test


def _is_nested(src: Entity, dst: Entity, _link: Link, _state: Lowering) -> bool:
    short, long = sorted((src.path, dst.path), key=len)
    return long[: len(short)] == short


def _are_stages(src: Entity, dst: Entity, _link: Link, _state: Lowering) -> bool:
    """Two stages of one MKN, or something just outside of it and a stage."""
    ends = [
        path[-1].partition("#")[0] if path and "#" in path[-1] else ""
        for path in (src.path, dst.path)
    ]
    return ends[0] != "" and ends[0] == ends[1] and not src.path[-1].endswith("#ranks")


def _are_twins(src: Entity, dst: Entity, _link: Link, state: Lowering) -> bool:
    """Groups side by side, of the same width, of which one follows the other step by step."""
    groups = state.plan.groups
    mine, theirs = _beyond(src.path, dst.path)
    if len(mine) != len(theirs) or state.plan.count(mine) != state.plan.count(theirs):
        return False
    kinds = {groups[g].kind for g in (*mine, *theirs)}
    return kinds <= {GroupKind.ITERATIONS} or GroupKind.GATHERS in kinds


TABLE: tuple[Row, ...] = (
    ("the end of a loop to its start: to the next iteration", _is_carry, None),
    ("into a gather: in bunches", _into("Gather"), Rule.BUNCH),
    ("into a group-by: by key", _into("GroupBy"), Rule.KEY),
    ("between the stages of an MKN: evenly", _are_stages, Rule.SPREAD),
    ("one inside the other's groups, or in the same: by nesting", _is_nested, Rule.NEST),
    ("side by side with the same width: step by step", _are_twins, Rule.PAIR),
)
"""What is said of two ends, how it is found out, and the rule. The carry of a loop has no rule
here: the loop itself links all its ends to all its starts, whoever drew a line."""


def connect(state: Lowering) -> None:
    """Add a wire for every link of the drawing, each once."""
    seen: set[tuple[str, str, str, str]] = set()
    for link in state.graph.links:
        for ends in find_ends(link, state):
            rule = rule_for(*ends, link, state)
            key = (ends[0].id, ends[1].id, link.src_port, link.dst_port)
            if rule is not None and key not in seen:
                seen.add(key)
                state.plan.wires.append(_wire(*ends, link, rule, state))


def find_ends(link: Link, state: Lowering) -> list[tuple[Entity, Entity]]:
    """Return the entities a link means; none where an end stands for nothing that runs.

    A link to a construct without an application means the applications that start inside.
    """
    entities = state.plan.entities
    src = entities.get(_end(link.src, link.src_port, state, state.senders))
    own = _end(link.dst, link.dst_port, state, state.receivers)
    targets = [own] if own in entities else state.starters.get(link.dst, [])
    return [] if src is None else [(src, entities[target]) for target in targets]


def _end(node_id: str, port: str, state: Lowering, default: dict[str, str]) -> str:
    """Return the entity at one end: by the port where a construct has two applications."""
    node = state.graph.nodes.get(node_id)
    if node is not None and port:
        for app, name in ((node.input_app, node_id), (node.output_app, f"{node_id}-out")):
            if _has(app, port) and name in state.plan.entities:
                return name
    return default.get(node_id, node_id)


def _has(app: EmbeddedApp | None, port: str) -> bool:
    return app is not None and app.has_port(port)


def rule_for(src: Entity, dst: Entity, link: Link, state: Lowering) -> Rule | None:
    """Return the rule of the first row that fits; `Rule.NEST` is never guessed."""
    for _what, fits, rule in TABLE:
        if fits(src, dst, link, state):
            return rule
    raise LinkRefusedError(link)


class LinkRefusedError(ValueError):
    """No row of the table allows a link."""

    def __init__(self, link: Link) -> None:
        super().__init__(link.pointer)
        self.link = link


def _wire(src: Entity, dst: Entity, link: Link, rule: Rule, state: Lowering) -> Wire:
    wire = Wire(
        src.id, dst.id, rule, link.src_port_name, link.dst_port_name,
        streaming=link.streaming and src.is_data, loop_aware=link.loop_aware,
    )  # fmt: skip
    node = state.graph.nodes[link.dst]
    if rule is Rule.BUNCH:
        wire.gather, wire.width = node.id, bunch_width(node)
    elif rule is Rule.KEY:
        wire.keys = keys_of(node, state)
    return wire


def refused_links(state: Lowering) -> Iterable[Problem]:
    """Yield a problem for each link that no row of the table allows."""
    for link in state.graph.links:
        for ends in find_ends(link, state):
            try:
                rule_for(*ends, link, state)
            except LinkRefusedError:
                yield _refusal(link, *ends, state)


def _refusal(link: Link, src: Entity, dst: Entity, state: Lowering) -> Problem:
    mine, theirs = _beyond(src.path, dst.path)
    inside = [_names(path, state) or "the outermost level" for path in (mine, theirs)]
    text = (
        f"{src.name!r} (in {inside[0]}) cannot be linked to {dst.name!r} (in {inside[1]}): "
        "neither is inside the other's constructs, and they do not repeat in step"
    )
    node: Node | None = state.graph.nodes.get(link.src)
    place = Place(link.pointer, node.name if node else src.name, src.id)
    return problem("forbidden-link", text, place, "bring the copies together with a Gather first")


def _names(path: tuple[str, ...], state: Lowering) -> str:
    def name(group: Group) -> str:
        node = state.graph.nodes.get(group.id.partition("#")[0])
        return f"{node.name!r}" if node is not None else group.id

    return " / ".join(name(state.plan.groups[g]) for g in path)


def _beyond(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what each path has beyond the part they share."""
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return a[shared:], b[shared:]
