"""MKN: M inputs are worked on by K applications, which make N outputs."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, outside_apps, value_of
from dlg_translator.model.logical import Node
from dlg_translator.model.plan import Entity, Group, GroupKind
from dlg_translator.model.values import IllTypedError, integer

STAGES = {"m": ("m", "M"), "k": ("k", "K"), "n": ("n", "N")}


class Mkn(Construct):
    """Data that is only read inside comes M times, applications K times, data made inside N times.

    Between the stages instances are spread as evenly as their numbers allow.
    """

    category: ClassVar[str] = "MKN"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the three stages; what is inside belongs to the middle one until links are known."""
        for stage, names in STAGES.items():
            group_id = stage_id(node, stage)
            width = _number(node, names)
            state.plan.groups[group_id] = Group(group_id, GroupKind.COPIES, path, width)
        return (*path, stage_id(node, "k"))

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the applications of the construct, of which there are K."""
        outside_apps(node, (*path, stage_id(node, "k")), state)
        for entity in state.plan.entities.values():
            if entity.is_data and entity.path[-1:] == (stage_id(node, "k"),):
                entity.path = (*path, stage_id(node, _stage(entity, state)))


def stage_id(node: Node, stage: str) -> str:
    """Return the id of the group of a stage."""
    return f"{node.id}#{stage}"


def _stage(data: Entity, state: Lowering) -> str:
    """Return the stage of data inside: n if something inside makes it, else m."""
    makers = [link.src for link in state.graph.links if link.dst == data.id]
    inside = {e.id for e in state.plan.entities.values() if e.path == data.path and e.is_app}
    return "n" if any(maker in inside for maker in makers) else "m"


def _number(node: Node, names: tuple[str, ...]) -> int:
    try:
        return max(1, integer(value_of(node.fields, names)))
    except IllTypedError:
        return 1
