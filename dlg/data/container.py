"""Drops that hold other drops."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.drops import linking
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, ErrorIO


class ContainerDROP(DataDROP):
    """A group of drops; it completes when all its children have, and fails if one does."""

    __slots__ = ()

    holds_data: ClassVar[bool] = False

    def addChild(self, child: Any) -> None:
        """Hold `child`; raise `InvalidRelationshipException` for a circle or a second parent."""
        linking.contain(self, child)

    @property
    def children(self) -> list[Any]:
        """The drops directly in this container."""
        return self._drops(self._graph.children.get(self._row, ()))

    def getIO(self) -> DataIO:
        """Return an I/O that refuses: a container has no data of its own."""
        return ErrorIO()

    @property
    def dataURL(self) -> str:
        """A URL that names the container."""
        return f"container://{self.uid}"

    def exists(self) -> bool:
        """Return whether anything in the container exists."""
        return any(child.exists() for child in self.children)

    @property
    def expirationDate(self) -> float:
        """The latest date among the children, in seconds since 1970; -1 if none has one."""
        return max((child.expirationDate for child in self.children), default=-1.0)

    def delete(self) -> None:
        """Delete everything in the container, and move it to DELETED."""
        for child in self.children:
            child.delete()
        self._graph.apply(self._graph.flow.delete, self._row)
