"""Exclusive-force node: a frame that only keeps things apart in the editor."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering
from dlg_translator.model.logical import Node


class ExclusiveForce(Construct):
    """Nothing at all: what is inside is as if it stood outside."""

    category: ClassVar[str] = "ExclusiveForceNode"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Return the path of the frame itself."""
        return path
