"""Algorithms: what runs in the blocks and analyzers of an experiment.

A declaration says the inputs and outputs in groups that are synchronized, the parameters, and, for
an analyzer, the results. Three versions of the schema exist: the first one knows only the legacy
kind, the second also sequential and autonomous ones, the third also the two halves of loops.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from dlg.beat.algorithm_kinds import OfSomeKind
from dlg.beat.dataformat import DataFormat, DataFormatCache
from dlg.beat.declarations import DeclarationError, prototype
from dlg.beat.library import LibraryCache
from dlg.beat.loader import run
from dlg.beat.parameters import clean, convert
from dlg.beat.runner import Runner
from dlg.beat.storage import UserCodeStorage

__all__ = ["Algorithm", "Runner", "Storage", "load_algorithm_prototype"]

ErrorClass = type[Exception]

BASE_RESULTS = frozenset({"int32", "float32", "bool", "string"})
PROTOTYPE_FORMATS = ("integer", "integers")


class Storage(UserCodeStorage):
    """The files of an algorithm."""

    asset_type: ClassVar[str] = "algorithm"
    asset_folder: ClassVar[str] = "algorithms"


class Algorithm(OfSomeKind):
    """An algorithm in a prefix, from its name, a declaration, or a pair of that and code.

    `dataformats` and `libraries` have those it needs, by name; the two caches those loaded so far.
    `input_map`, `output_map` and `loop_map` say the format of each endpoint, `groups` how they are
    synchronized. After loading the types of `parameters` are those of numpy.
    """

    kind = "algorithm"
    storage_class = Storage
    dataformat_klass = DataFormat

    def __init__(
        self,
        prefix: str,
        data: object,
        dataformat_cache: DataFormatCache | None = None,
        library_cache: LibraryCache | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.dataformats: dict[str, DataFormat] = {}
        self.groups: list[dict[str, Any]] = []
        self.input_map: dict[str, str] = {}
        self.output_map: dict[str, str] = {}
        self.loop_map: dict[str, str] = {}
        if not self._declare_with_code(data):
            return
        self.groups = self.data["groups"]
        self._map_endpoints()
        self.errors += convert(self.parameters or {}, self.compat)
        self._load_dataformats({} if dataformat_cache is None else dataformat_cache)
        self._load_libraries({} if library_cache is None else library_cache)
        self._check_languages()

    @property
    def splittable(self) -> bool:
        """Whether several of it may run at once, each on a range of the data."""
        splittable: bool = self.data.get("splittable", False)
        return splittable

    @splittable.setter
    def splittable(self, value: bool) -> None:
        self.data["splittable"] = value

    @property
    def parameters(self) -> dict[str, Any] | None:
        """The parameters, each a dictionary; None if the declaration has none."""
        return self.data.get("parameters")

    @parameters.setter
    def parameters(self, value: dict[str, Any]) -> None:
        self.data["parameters"] = value

    def clean_parameter(self, parameter: str, value: object) -> Any:
        """Return a value as a scalar of numpy, as the parameter wants it.

        Raises `KeyError` for an unknown parameter, `ValueError` for a value it may not have.
        """
        return clean(parameter, (self.parameters or {})[parameter], value, self.compat)

    def runner(self, klass: str = "Algorithm", exc: ErrorClass | None = None) -> Runner:
        """Return an object of the class `klass` of the code, to be set up, prepared and called.

        What fails in the user's code is raised as an `exc`, if that is given.
        """
        return Runner(run(self, "load", exc), klass, self, exc)

    def result_dataformat(self) -> DataFormat:
        """Return the format of the results of this analyzer; raise `TypeError` for a block."""
        if self.results is None:
            raise TypeError(f"algorithm `{self.name}' is a block algorithm, not an analyzer")
        made = self.dataformat_klass(
            self.prefix,
            {name: result["type"] for name, result in self.results.items()},
            dataformat_cache=dict(self.dataformats),
            checked=self.checked,
            compat=self.compat,
        )
        made.name = "analysis:" + self.name
        return made

    def export(self, prefix: str) -> None:
        """Write this, its libraries and its formats, into another prefix."""
        self._check_export(prefix)
        for used in self.dataformats.values():
            used.export(prefix)
        self._export_libraries(prefix)
        self.write(Storage(prefix, self.name, self.language))

    # --- loading ------------------------------------------------------------------------------

    def _prototype(self) -> dict[str, Any]:
        return load_algorithm_prototype(self.prefix)

    def _map_endpoints(self) -> None:
        for what, mapped in (("input", self.input_map), ("output", self.output_map)):
            names = [name for group in self.groups for name in group.get(what + "s", ())]
            if len(set(names)) != len(names):
                self.errors.append(
                    f"repeated {what} name in algorithm `{self.name}' declaration: "
                    f"{', '.join(sorted(names))}"
                )
            for group in self.groups:
                mapped.update(_types(group.get(what + "s", {})))
        for group in self.groups:
            self.loop_map.update(_types(group.get("loop", {})))

    def _load_dataformats(self, cache: DataFormatCache) -> None:
        for group in self.groups:
            for what in ("inputs", "outputs", "loop"):
                for name, used in _types(group.get(what, {})).items():
                    self._load_dataformat(used, f"{what} `{name}'", cache)
        for name, used in _types(self.results or {}).items():
            if used not in BASE_RESULTS:
                self._load_dataformat(used, f"result `{name}'", cache)

    def _load_dataformat(self, name: str, where: str, cache: DataFormatCache) -> None:
        if (found := cache.get(name)) is None:
            found = cache[name] = self.dataformat_klass(
                self.prefix,
                name,
                dataformat_cache=cache,
                checked=self.checked,
                compat=self.compat,
            )
        self.dataformats[name] = found
        if not found.valid:
            self.errors.append(
                f"found error validating data format `{name}' for {where} on algorithm "
                f"`{self.name}': {', '.join(found.errors)}"
            )


def load_algorithm_prototype(prefix: str) -> dict[str, Any]:
    """Return a declaration to begin with, whose input and output are integers.

    The format is the newest one named `integer` or `integers`, of any user; raises
    `InvalidAssetError` if the prefix has none.
    """
    made = prototype("algorithm")
    found = _prototype_format(prefix)
    if found is None:
        raise DeclarationError(
            f"no data format named {' or '.join(PROTOTYPE_FORMATS)} is in {prefix}: "
            "an algorithm needs one to begin with"
        )
    for group in made["groups"]:
        for endpoints in (group["inputs"], group["outputs"]):
            for endpoint in endpoints.values():
                endpoint["type"] = found
    return made


def _prototype_format(prefix: str) -> str | None:
    """Return the name of the format for a new algorithm: the first user's, the newest version."""
    folder = Path(prefix, "dataformats")
    for wanted in PROTOTYPE_FORMATS:
        # Plain, and in a folder that is sharded by two more levels.
        files = [*folder.glob(f"*/{wanted}/*.json"), *folder.glob(f"*/*/*/{wanted}/*.json")]
        found = [(file.parts[-3], file.stem) for file in files if file.stem.isdecimal()]
        if found:
            user = min(user for user, _ in found)
            version = max((version for owner, version in found if owner == user), key=int)
            return f"{user}/{wanted}/{version}"
    return None


def _types(endpoints: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: endpoint["type"] for name, endpoint in endpoints.items()}
