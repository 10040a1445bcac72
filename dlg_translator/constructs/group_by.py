"""GroupBy: the instances of an input sorted by their place in one of the scatters around it."""

from __future__ import annotations

import math
from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, value_of
from dlg_translator.model.logical import Node
from dlg_translator.model.names import GROUP_KEY
from dlg_translator.model.plan import Entity, Group, GroupKind, Rule, Wire

GROUP_APP = "dlg.apps.simple.SleepApp"
GROUP_DATA = "dlg.data.drops.memory.InMemoryDROP"


class GroupBy(Construct):
    """One group for each key; the key is the innermost scatter's index, or as `group_key` says.

    Each group is one drop that waits for its members, and data that what is inside reads.
    """

    category: ClassVar[str] = "GroupBy"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the groups, whose number follows from the input."""
        state.plan.groups[node.id] = Group(node.id, GroupKind.GATHERS, path)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the drop that waits for the members of a group and the data that stands for them."""
        inside = (*path, node.id)
        waiter = Entity(
            node.id, node.name, "GroupBy", "Application", GROUP_APP, inside, is_app=True,
            pointer=node.pointer,
        )  # fmt: skip
        data = Entity(
            data_id(node), "grpdata", "Memory", "Data", GROUP_DATA, inside, is_data=True,
            pointer=node.pointer, group_end=True,
        )  # fmt: skip
        data.extra["oid_of"] = (node.id, "-grp-data")
        state.late += [waiter, data]
        state.receivers[node.id], state.senders[node.id] = node.id, data.id

    def width(self, node: Node, state: Lowering) -> int:
        """Return how many keys there are."""
        keys = keys_of(node, state)
        if not keys or not state.plan.known(keys):
            return -1
        return math.prod(state.plan.groups[key].width for key in keys)

    def wires(self, node: Node, state: Lowering) -> list[Wire]:
        """Link the waiting drop to its data, and the data to what starts inside."""
        made = [Wire(node.id, data_id(node), Rule.NEST)]
        starts = state.starts_inside(node)
        return made + [Wire(data_id(node), e.id, Rule.NEST) for e in starts]


def data_id(node: Node) -> str:
    """Return the id of the entity of a group's data."""
    return f"{node.id}-grp-data"


def keys_of(node: Node, state: Lowering) -> tuple[str, ...]:
    """Return the scatters whose index is the key: those named, or the innermost one."""
    links = state.links_into(node)
    if not links:
        return ()
    source = state.plan.entities.get(state.senders.get(links[0].src, links[0].src))
    around = state.paths.get(links[0].src, ()) if source is None else source.path
    shared = state.plan.groups[node.id].parent
    beyond = around[len(shared) :] if around[: len(shared)] == shared else around
    scatters = [g for g in beyond if state.plan.groups[g].kind is GroupKind.COPIES]
    named = {word.strip() for word in str(value_of(node.fields, GROUP_KEY) or "").split(",")}
    chosen = tuple(g for g in scatters if named & _names_of(g, state))
    return chosen or tuple(scatters[-1:])


def _names_of(group_id: str, state: Lowering) -> set[str]:
    """Return what a drawing may call a group: its id or the name of its node."""
    node = state.graph.nodes.get(group_id.partition("#")[0])
    return {group_id} if node is None else {group_id, node.name}
