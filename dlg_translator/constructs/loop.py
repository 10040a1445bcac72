"""Loop: what is inside again and again, each iteration after the one before."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, outside_apps, width_of
from dlg_translator.model.logical import Node
from dlg_translator.model.names import ITERATIONS
from dlg_translator.model.plan import Group, GroupKind, Rule, Wire


class Loop(Construct):
    """As many iterations as `num_of_iter` says.

    All data marked as the end of the group is carried to all applications marked as its start, in
    the next iteration.
    """

    category: ClassVar[str] = "Loop"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the group of iterations."""
        width = width_of(node, ITERATIONS)
        state.plan.groups[node.id] = Group(node.id, GroupKind.ITERATIONS, path, width)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the applications outside of the iterations."""
        outside_apps(node, path, state)

    def wires(self, node: Node, state: Lowering) -> list[Wire]:
        """Carry each end to each start; a link someone drew between the two names the ports."""
        inside = [e for e in state.plan.entities.values() if e.path and e.path[-1] == node.id]
        ends = [e for e in inside if e.is_data and e.group_end]
        starts = [e for e in inside if e.is_app and e.group_start]
        drawn = {(link.src, link.dst): link for link in state.graph.links}
        made = []
        for end in ends:
            for start in starts:
                link = drawn.get((end.id, start.id))
                ports = (link.src_port_name, link.dst_port_name) if link is not None else ("", "")
                made.append(Wire(end.id, start.id, Rule.CARRY, *ports))
        return made
