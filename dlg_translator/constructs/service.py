"""Service: an application that other parts of the graph talk to while it runs."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, outside_apps
from dlg_translator.model.logical import Node
from dlg_translator.model.plan import Group, GroupKind


class Service(Construct):
    """Its application, as an ordinary app drop; nothing else is made of the construct."""

    category: ClassVar[str] = "Service"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add a level that repeats nothing."""
        state.plan.groups[node.id] = Group(node.id, GroupKind.ONCE, path, 1)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the application."""
        outside_apps(node, path, state)
