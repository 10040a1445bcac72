"""Toolchains: which blocks there are, and how data flows between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from dlg.beat import wiring
from dlg.beat.asset import NamedStorage, PlainAsset
from dlg.beat.diagrams import Labels, diagram
from dlg.beat.storage import UserStorage
from dlg.beat.wiring import Kind, Wiring
from dlg.exceptions import InvalidAssetError

__all__ = ["Storage", "Toolchain"]


class Storage(UserStorage):
    """The files of a toolchain named `user/name/version`."""

    asset_type: ClassVar[str] = "toolchain"
    asset_folder: ClassVar[str] = "toolchains"


class Toolchain(PlainAsset):
    """A toolchain: a name in `prefix`, a declaration, or the empty one if `data` is None.

    Besides what its schema demands, endpoints and channels must exist, all inputs be connected,
    once, and no block may wait for itself. What is wrong is in `errors`.
    """

    kind: ClassVar[str] = "toolchain"
    storage_class: ClassVar[NamedStorage] = Storage

    def __init__(
        self, prefix: str, data: object = None, *, checked: bool = True, compat: bool = False
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        if self._declare(data) and checked:
            self.errors += wiring.problems(self.data, self.wiring, compat)

    @property
    def wiring(self) -> Wiring:
        """The nodes and connections, as records; raise `InvalidAssetError` if it has no form."""
        try:
            return wiring.read_wiring(self.data)
        except (KeyError, TypeError, AttributeError) as error:
            reasons = "\n".join(self.errors)
            raise InvalidAssetError(f"toolchain {self.name} is not valid:\n{reasons}") from error

    @property
    def datasets(self) -> dict[str, Any]:
        """All datasets by name."""
        return self._section(Kind.DATASET)

    @property
    def blocks(self) -> dict[str, Any]:
        """All blocks by name."""
        return self._section(Kind.BLOCK)

    @property
    def loops(self) -> dict[str, Any]:
        """All loops by name."""
        return self._section(Kind.LOOP)

    @property
    def analyzers(self) -> dict[str, Any]:
        """All analyzers by name."""
        return self._section(Kind.ANALYZER)

    def algorithm_item(self, name: str) -> dict[str, Any] | None:
        """Return the block, loop or analyzer of that name, or None."""
        for section in (self.blocks, self.loops, self.analyzers):
            if name in section:
                item: dict[str, Any] = section[name]
                return item
        return None

    @property
    def connections(self) -> list[dict[str, Any]]:
        """All connections: from, to, channel."""
        return list(self.data.get("connections", ()))

    def dependencies(self, name: str) -> set[str]:
        """Return the blocks and loops that feed `name`; datasets do not count."""
        return wiring.dependencies(self.wiring).get(name, set())

    def execution_order(self) -> OrderedDict[str, set[str]]:
        """Return what feeds each block, loop and analyzer, each one after all that feed it.

        Raises `InvalidAssetError` if some wait for each other.
        """
        wired = self.wiring
        around = wiring.circle(wired)
        if around:
            raise InvalidAssetError(
                f"toolchain {self.name}: there is no order to run in: {' -> '.join(around)}"
            )
        return wiring.execution_order(wired)

    def dot_diagram(
        self,
        title: str | None = None,
        label_callback: Callable[[str, str], str] | None = None,
        edge_callback: Callable[[str], str] | None = None,
        result_callback: Callable[[str], Sequence[str]] | None = None,
        is_layout: bool = False,
    ) -> Any:
        """Return a drawing, a `graphviz.Digraph`; raise `KeyError` if a channel has no colour.

        `label_callback` makes the label of a node out of its kind (dataset, block, loop,
        analyzer) and name, `edge_callback` that of a connection out of the output it begins at,
        `result_callback` names the results of an analyzer. With `is_layout`, ports have a fixed
        size and no names.
        """
        labels = Labels(label_callback, edge_callback, result_callback)
        colors = self.data["representation"]["channel_colors"]
        heading = title if title is not None else f"Toolchain: {self.name}"
        return diagram(self.wiring, colors, self.name, heading, labels, is_layout)

    def __str__(self) -> str:
        return self.json_dumps()

    def _section(self, kind: Kind) -> dict[str, Any]:
        return {one["name"]: one for one in self.data.get(kind.value, ())}
