"""From a drawing to a plan: constructs become groups, nodes entities, links wires.

Each step is a pass over the whole drawing; the order matters and is that of `lower`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem, errors, summary
from dlg_translator.checks.kinds import Place, problem
from dlg_translator.constructs.contract import (
    Construct,
    Lowering,
    app_entity,
    value_of,
    weight_of,
)
from dlg_translator.constructs.exclusive import ExclusiveForce
from dlg_translator.constructs.gather import Gather
from dlg_translator.constructs.group_by import GroupBy
from dlg_translator.constructs.loop import Loop
from dlg_translator.constructs.mkn import Mkn
from dlg_translator.constructs.scatter import Scatter
from dlg_translator.constructs.service import Service
from dlg_translator.constructs.subgraph import SubGraph
from dlg_translator.model.categories import DATA, DEFAULT_APP_CLASS, TYPES, default_class
from dlg_translator.model.logical import LogicalGraph, Node
from dlg_translator.model.names import DATA_VOLUME, DROP_CLASS, GROUP_END, GROUP_START, PROCESSES
from dlg_translator.model.plan import Entity, Group, GroupKind, Plan
from dlg_translator.model.values import IllTypedError, integer, truth
from dlg_translator.unroll.linking import connect, refused_links

CONSTRUCTS: Mapping[str, Construct] = {
    construct.category: construct
    for construct in (
        Scatter(), Gather(), GroupBy(), Loop(), Mkn(), SubGraph(), Service(), ExclusiveForce(),
    )
}  # fmt: skip
VANISHING = frozenset({"Start", "Comment", "Description", "GlobalVariable", "GlobalVariables"})
"""Categories that stand for nothing that runs."""


def lower(graph: LogicalGraph) -> Plan:
    """Return the plan of `graph`, which the checks have found free of errors."""
    state = Lowering(graph)
    _find_paths(state)
    _add_nodes(state)
    _add_constructs(state)
    _find_widths(state)
    connect(state)
    for node, construct in _constructs(graph):
        state.plan.wires += construct.wires(node, state)
    return state.plan


def refusals(graph: LogicalGraph) -> list[Problem]:
    """Return a problem for each link that no rule allows; none for a graph with worse faults."""
    if errors(graph.problems):
        return []
    state = Lowering(graph)
    _find_paths(state)
    _add_nodes(state)
    _add_constructs(state)
    try:
        _find_widths(state)
    except InvalidGraphException as error:
        return list(error.problems)
    return list(refused_links(state))


def construct_of(node: Node) -> Construct | None:
    """Return what a node means as a construct, or None if it is none."""
    return CONSTRUCTS.get(node.category) if node.is_group else None


def _constructs(graph: LogicalGraph) -> list[tuple[Node, Construct]]:
    found = [(node, construct_of(node)) for node in graph.nodes.values()]
    return [(node, construct) for node, construct in found if construct is not None]


def _find_paths(state: Lowering) -> None:
    """Find the groups around each node, outside in, adding them on the way."""
    inside = state.graph.children()
    queue: list[tuple[str | None, tuple[str, ...]]] = [(None, ())]
    for parent, path in queue:  # grows while it is walked
        for node in inside.get(parent, ()):
            state.paths[node.id] = path
            construct = construct_of(node)
            if construct is not None:
                queue.append((node.id, construct.path_inside(node, path, state)))
            elif node.id in inside:
                queue.append((node.id, path))


def _add_nodes(state: Lowering) -> None:
    for node in state.graph.nodes.values():
        if construct_of(node) is None and node.category not in VANISHING and not node.is_group:
            state.plan.entities[node.id] = _entity(node, state)


def _entity(node: Node, state: Lowering) -> Entity:
    path = state.paths[node.id]
    if node.category_type == "Application":
        entity = app_entity(node.id, node.name, node.category, node.fields, path)
    else:
        entity = _other_entity(node, path)
    entity.name = str(node.value("name") or node.name)
    entity.pointer = node.pointer
    if node.category == "Mpi":
        entity.path = (*path, _ranks(node, path, state))
    return entity


def _other_entity(node: Node, path: tuple[str, ...]) -> Entity:
    """Return the entity of data, or of something the drawing does not say what it is."""
    # Files of some years call data nodes services; then the category says what they are.
    is_data = node.category_type == DATA or TYPES.get(node.category) == DATA
    given = node.value(*DROP_CLASS)
    cls = str(given or default_class(node.category, node.category_type))
    if not cls and node.category_type in {"Control", "Other"}:
        cls = DEFAULT_APP_CLASS
    return Entity(
        id=node.id,
        name=node.name,
        category=node.category,
        category_type=node.category_type,
        dropclass=cls,
        path=path,
        fields=node.fields,
        is_data=is_data,
        is_app=not is_data,
        group_start=truth(node.value(*GROUP_START)),
        group_end=truth(node.value(*GROUP_END)),
        weight=weight_of(value_of(node.fields, DATA_VOLUME)),
    )


def _ranks(node: Node, path: tuple[str, ...], state: Lowering) -> str:
    """Add the group of processes of an MPI program and return its id."""
    try:
        width = max(1, integer(node.value(*PROCESSES, default=1)))
    except IllTypedError:
        width = 1
    group_id = f"{node.id}#ranks"
    state.plan.groups[group_id] = Group(group_id, GroupKind.RANKS, path, width)
    return group_id


def _add_constructs(state: Lowering) -> None:
    """Add the applications of constructs, after all nodes."""
    for node, construct in _constructs(state.graph):
        construct.lower(node, state.paths[node.id], state)
    for entity in state.late:
        state.plan.entities[entity.id] = entity


def _find_widths(state: Lowering) -> None:
    """Find the widths that follow from others; inputs of gathers may be gathers themselves."""
    groups = state.plan.groups
    open_ones = [(n, c) for n, c in _constructs(state.graph) if _is_open(n, state)]
    while open_ones:
        for node, construct in open_ones:
            groups[node.id].width = construct.width(node, state)
        left = [(n, c) for n, c in open_ones if _is_open(n, state)]
        if len(left) == len(open_ones):
            problems = [_no_width(node) for node, _ in left]
            raise InvalidGraphException(summary(problems, state.graph.source), problems)
        open_ones = left


def _no_width(node: Node) -> Problem:
    text = "how often it must run does not follow from its inputs"
    place = Place(node.pointer, node.name, node.id)
    return problem("forbidden-link", text, place, "link data from a scatter to it")


def _is_open(node: Node, state: Lowering) -> bool:
    return node.id in state.plan.groups and state.plan.groups[node.id].width < 0
