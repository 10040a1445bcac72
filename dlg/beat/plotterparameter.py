"""Plotter parameters: values for the parameters of a plotter, kept under a name."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.beat.asset import PlainAsset
from dlg.beat.plotter import Plotter
from dlg.beat.storage import UserStorage

__all__ = ["Plotterparameter", "Storage"]


class Storage(UserStorage):
    """The files of plotter parameters."""

    asset_type: ClassVar[str] = "plotterparameter"
    asset_folder: ClassVar[str] = "plotterparameters"


class Plotterparameter(PlainAsset):
    """Values for a plotter, from their name, a declaration, or a pair of that and the plotter.

    `plotter` is the plotter; `plotter_cache` has those loaded so far, by name.
    """

    kind = "plotterparameter"
    storage_class = Storage

    def __init__(
        self,
        prefix: str,
        data: object,
        plotter_cache: dict[str, Plotter] | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.plotter: Plotter | None = None
        if isinstance(data, tuple | list) and len(data) == 2:  # noqa: PLR2004
            data, plotter = data
            self.plotter = plotter if isinstance(plotter, Plotter) else None
        if not self._declare(data):
            return
        plotter = self.plotter or self._load_plotter(
            {} if plotter_cache is None else plotter_cache
        )
        if plotter.valid:
            self.plotter = plotter
            self._check_values(plotter)
        else:
            self.errors += plotter.errors

    @property
    def values(self) -> dict[str, Any]:
        """The values, by parameter."""
        values: dict[str, Any] = self.data.get("data", {})
        return values

    def export(self, prefix: str) -> None:
        """Write this and its plotter into another prefix."""
        self._check_export(prefix)
        if self.plotter is not None:
            self.plotter.export(prefix)
        self.write(Storage(prefix, self.name))

    def _load_plotter(self, cache: dict[str, Plotter]) -> Plotter:
        name = self.data["plotter"]
        if name not in cache:
            cache[name] = Plotter(self.prefix, name, checked=self.checked, compat=self.compat)
        return cache[name]

    def _check_values(self, plotter: Plotter) -> None:
        for name, value in self.values.items():
            if name not in plotter.parameters:
                self.errors.append(f"{name!r} isn't a parameter for plotter {plotter.name}")
                continue
            try:
                plotter.clean_parameter(name, value)
            except ValueError as error:
                self.errors.append(
                    f"{value!r} is invalid for parameter {name} of plotter {plotter.name}: {error}"
                )
