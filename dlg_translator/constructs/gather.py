"""Gather: bunches of inputs, each brought together by one run of its application."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, value_of
from dlg_translator.model.logical import Node
from dlg_translator.model.names import GATHER_WIDTH
from dlg_translator.model.plan import Group, GroupKind
from dlg_translator.model.values import IllTypedError, integer


class Gather(Construct):
    """Brings `num_of_inputs` instances of each input together.

    Its application is inside: there is one for each bunch. Inputs are counted within each
    instance of the constructs around the gather.
    """

    category: ClassVar[str] = "Gather"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the group of bunches, whose number follows from the inputs."""
        state.plan.groups[node.id] = Group(node.id, GroupKind.GATHERS, path)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the applications, one of each for every bunch."""
        inside = (*path, node.id)
        first, last = node.input_app, node.output_app
        app = first if first is not None and not first.is_placeholder else last
        if app is None or app.is_placeholder:
            state.starters[node.id] = [e.id for e in state.starts_inside(node)]
            return
        entity = state.add_app(node, app, inside, node.id)
        entity.group_start = True
        state.receivers[node.id] = state.senders[node.id] = node.id

    def width(self, node: Node, state: Lowering) -> int:
        """Return how many bunches the inputs make; the first input says."""
        path = state.plan.groups[node.id].parent
        for link in state.links_into(node):
            source = state.plan.entities.get(state.senders.get(link.src, link.src))
            if source is None:
                continue
            beyond = source.path[len(_common(source.path, path)) :]
            if not state.plan.known(beyond):
                return -1
            return -(-state.plan.count(beyond) // bunch_width(node))
        return 1


def bunch_width(node: Node) -> int:
    """Return how many inputs a bunch has; 1 where the drawing does not say."""
    try:
        return max(1, integer(value_of(node.fields, GATHER_WIDTH)))
    except IllTypedError:
        return 1


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    length = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    return a[:length]
