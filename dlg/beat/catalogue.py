"""Assets by kind and name: finding out which one is meant, and loading it.

A text names an asset by its name alone where only one kind has that name, or with the folder in
front: `algorithms/user/sum/1`. What is loaded once is not loaded again.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dlg.beat.algorithm import Algorithm
from dlg.beat.asset import Asset
from dlg.beat.database import Database
from dlg.beat.dataformat import DataFormat
from dlg.beat.experiment import Experiment
from dlg.beat.library import Library
from dlg.beat.plotter import Plotter
from dlg.beat.plotterparameter import Plotterparameter
from dlg.beat.prefixes import FOLDERS, names_in
from dlg.beat.protocoltemplate import ProtocolTemplate
from dlg.beat.storage import hashed_or_simple
from dlg.beat.toolchain import Toolchain
from dlg.exceptions import InvalidAssetError, UsageError

__all__ = ["CLASSES", "Catalogue", "Named"]

Cache = dict[str, Any]
SHORT_LABEL = 4
CLASSES: Mapping[str, Callable[..., Asset]] = {
    "dataformat": DataFormat,
    "library": Library,
    "algorithm": Algorithm,
    "protocoltemplate": ProtocolTemplate,
    "database": Database,
    "toolchain": Toolchain,
    "experiment": Experiment,
    "plotter": Plotter,
    "plotterparameter": Plotterparameter,
}
"""The class of each kind of asset."""
CACHES: Mapping[str, Mapping[str, str]] = {
    "dataformat": {"dataformat_cache": "dataformat"},
    "library": {"library_cache": "library"},
    "algorithm": {"dataformat_cache": "dataformat", "library_cache": "library"},
    "protocoltemplate": {"dataformat_cache": "dataformat"},
    "database": {"dataformat_cache": "dataformat"},
    "toolchain": {},
    "experiment": {
        "dataformat_cache": "dataformat",
        "database_cache": "database",
        "algorithm_cache": "algorithm",
        "library_cache": "library",
    },
    "plotter": {"dataformat_cache": "dataformat", "library_cache": "library"},
    "plotterparameter": {"plotter_cache": "plotter"},
}
"""Which caches the constructor of each kind takes, and whose assets are in them."""


class Named(NamedTuple):
    """An asset by its kind and name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{FOLDERS[self.kind]}/{self.name}"


@dataclass(slots=True)
class Catalogue:
    """The assets of one prefix; `compat` judges them as the existing packages do."""

    prefix: str
    compat: bool = False
    caches: dict[str, Cache] = field(default_factory=lambda: {kind: {} for kind in CLASSES})

    def names(self, kind: str) -> list[Named]:
        """Return all assets of a kind, sorted by name."""
        return [Named(kind, name) for name in names_in(self.prefix, kind)]

    def load(self, named: Named) -> Asset:
        """Return the asset; raise `InvalidAssetError` if what is said cannot be a name of one."""
        held = self.caches[named.kind].get(named.name)
        if held is None:
            given = {key: self.caches[kind] for key, kind in CACHES[named.kind].items()}
            held = CLASSES[named.kind](self.prefix, named.name, compat=self.compat, **given)
            self.caches[named.kind][named.name] = held
        loaded: Asset = held
        return loaded

    def find(self, text: str, kinds: tuple[str, ...] = tuple(FOLDERS)) -> Named:
        """Return which asset of one of these kinds `text` means.

        Raises `UsageError` if none of that name is there, or several are.
        """
        text = text.removesuffix(".json").strip("/")
        found = [named for named in self._meant(text, kinds) if self._exists(named)]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(map(str, found))
            raise UsageError(f"{text}: which of them is meant, {choices}?")
        others = tuple(kind for kind in FOLDERS if kind not in kinds)
        for other in filter(self._exists, self._meant(text, others)):
            raise UsageError(f"{other.name} is {a(other.kind)}, not {' or '.join(map(a, kinds))}")
        known = [each for kind in kinds for each in self.names(kind)]
        near = difflib.get_close_matches(text, [*map(str, known), *(n.name for n in known)], 1)
        cure = f"did you mean {near[0]}?" if near else "dlg beat list shows what there is"
        what = kinds[0] if len(kinds) == 1 else "asset"
        raise UsageError(f"there is no {what} {text} in {self.prefix}; {cure}")

    def _meant(self, text: str, kinds: tuple[str, ...]) -> list[Named]:
        folder, _, rest = text.partition("/")
        for kind in kinds:
            if folder == FOLDERS[kind] and rest:
                return [Named(kind, _whole(kind, rest))]
        return [Named(kind, _whole(kind, text)) for kind in kinds]

    def _exists(self, named: Named) -> bool:
        if ".." in named.name.split("/"):
            raise InvalidAssetError(f"{named.name}: a name does not leave its prefix")
        path = hashed_or_simple(self.prefix, FOLDERS[named.kind], named.name)
        return Path(path).is_file()


def a(kind: str) -> str:
    """Return `an algorithm`, `a library`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _whole(kind: str, name: str) -> str:
    """Return the name as it is in the folder: the label of an experiment has five parts."""
    parts = name.split("/")
    if kind == "experiment" and len(parts) == SHORT_LABEL:
        return "/".join([parts[0], *parts])
    return name
