"""Experiments: a toolchain with datasets for its data and algorithms for its blocks."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any, ClassVar

from dlg.beat.algorithm import Algorithm
from dlg.beat.asset import NamedStorage, PlainAsset
from dlg.beat.configuration import Settings, configurations
from dlg.beat.database import Database
from dlg.beat.experiment_checks import (
    Parts,
    check_wiring,
    dataset_problems,
    global_problems,
    use_problems,
)
from dlg.beat.experiment_labels import ExperimentLabels
from dlg.beat.storage import Storage as PlainStorage
from dlg.beat.storage import hashed_or_simple, split_name
from dlg.beat.toolchain import Storage as ToolchainStorage
from dlg.beat.toolchain import Toolchain
from dlg.beat.uses import EVALUATOR_PREFIX, PROCESSOR_PREFIX, Use, uses_of
from dlg.beat.wiring import Kind
from dlg.exceptions import InvalidAssetError

__all__ = ["EVALUATOR_PREFIX", "PROCESSOR_PREFIX", "Experiment", "Storage"]

WHOLE_LABEL = 5
Cache = dict[str, Any]


class Storage(PlainStorage):
    """The files of an experiment named `user/toolchain user/toolchain/version/label`.

    Four parts will do if the two users are the same.
    """

    asset_type: ClassVar[str] = "experiment"
    asset_folder: ClassVar[str] = "experiments"

    def __init__(self, prefix: str, name: str) -> None:
        count = WHOLE_LABEL if str(name).count("/") == WHOLE_LABEL - 1 else WHOLE_LABEL - 1
        parts = split_name("experiment", name, count)
        if count < WHOLE_LABEL:
            parts = [parts[0], *parts]
        self.username, self.toolchain_username, tool, self.version, self.name = parts
        self.toolchain = f"{self.toolchain_username}/{tool}/{self.version}"
        self.label = "/".join(parts)
        self.prefix = prefix
        path = hashed_or_simple(prefix, self.asset_folder, self.label)
        super().__init__(path.removesuffix(".json"))


class Experiment(PlainAsset):
    """An experiment: a name in `prefix`, or a pair of declaration and toolchain.

    The toolchain is a name, a declaration or a `Toolchain`. The caches hold assets that are loaded
    already, by name, and get those that are loaded now. What is wrong, also with anything that the
    experiment uses, is in `errors`.
    """

    kind: ClassVar[str] = "experiment"
    storage_class: ClassVar[NamedStorage] = Storage

    def __init__(  # noqa: PLR0913  the interface
        self,
        prefix: str,
        data: object,
        dataformat_cache: Cache | None = None,
        database_cache: Cache | None = None,
        algorithm_cache: Cache | None = None,
        library_cache: Cache | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.toolchain: Toolchain | None = None
        self.databases: dict[str, Database] = {}
        self.algorithms: dict[str, Algorithm] = {}
        self.datasets: dict[str, dict[str, Any]] = {}
        declaration, toolchain = self._pair(data)
        if not self._declare(declaration):
            return
        if toolchain is None and isinstance(self.storage, Storage):
            toolchain = self.storage.toolchain
        formats = {} if dataformat_cache is None else dataformat_cache
        self._load_databases(formats, {} if database_cache is None else database_cache)
        self._load_algorithms(
            formats,
            {} if algorithm_cache is None else algorithm_cache,
            {} if library_cache is None else library_cache,
        )
        self._load_toolchain(toolchain)
        self.errors = list(dict.fromkeys(self.errors))

    @property
    def name(self) -> str:
        """The label: always of five parts. Setting it says where `write` writes to."""
        return self._name or "__unlabelled_experiment__"

    @name.setter
    def name(self, value: str) -> None:
        self.storage = Storage(self.prefix, value)
        self._name = self.storage.label

    @property
    def label(self) -> str:
        """The same as `name`."""
        return self.name

    @label.setter
    def label(self, value: str) -> None:
        self.name = value

    @property
    def blocks(self) -> dict[str, Any]:
        """All blocks by name, as they are declared."""
        blocks: dict[str, Any] = self.data.get(Kind.BLOCK.value, {})
        return blocks

    @property
    def loops(self) -> dict[str, Any]:
        """All loops by name, as they are declared."""
        loops: dict[str, Any] = self.data.get(Kind.LOOP.value, {})
        return loops

    @property
    def analyzers(self) -> dict[str, Any]:
        """All analyzers by name, as they are declared."""
        analyzers: dict[str, Any] = self.data.get(Kind.ANALYZER.value, {})
        return analyzers

    @property
    def uses(self) -> tuple[Use, ...]:
        """All uses of algorithms, as they are declared now: of a loop there are two."""
        return tuple(uses_of(self.data))

    def setup(self) -> OrderedDict[str, dict[str, Any]]:
        """Return `dependencies` and `configuration` of each block, in the order to run them.

        The configuration is what executors take. Raises `InvalidAssetError` if this is not valid.
        """
        toolchain = self._sound()
        settings = Settings(
            self.data["datasets"],
            self.data["globals"],
            functools.cache(lambda name: self.algorithms[name].hash()),
        )
        order = toolchain.execution_order()
        return configurations(toolchain.wiring, order, self.uses, settings)

    def dot_diagram(self) -> Any:
        """Return a drawing, a `graphviz.Digraph`: the toolchain, with what is used where."""
        toolchain = self._sound()
        labels = ExperimentLabels(self.data, self.uses, self.algorithms, self.databases)
        return toolchain.dot_diagram(
            title=f"Experiment: {self.label}",
            label_callback=labels.of_node,
            edge_callback=labels.of_output,
            result_callback=labels.of_results,
        )

    def export(self, prefix: str) -> None:
        """Write it, with everything it needs, into another prefix.

        Raises `InvalidAssetError` if it is not valid, has no label, or that prefix is its own.
        """
        self._check_export(prefix)
        toolchain = self._sound()
        toolchain.write(ToolchainStorage(prefix, toolchain.name))
        for database in self.databases.values():
            database.export(prefix)
        for algorithm in self.algorithms.values():
            algorithm.export(prefix)
        self.write(Storage(prefix, self.label))

    def __str__(self) -> str:
        return self.json_dumps()

    # --- loading ------------------------------------------------------------------------------

    def _pair(self, data: object) -> tuple[object, object]:
        if data is None:
            raise InvalidAssetError("there is no prototype of an experiment: name one")
        if isinstance(data, tuple | list) and len(data) == 2:  # noqa: PLR2004
            return data[0], data[1]
        return data, None

    def _load_databases(self, formats: Cache, cache: Cache) -> None:
        for name in {one["database"]: None for one in self.data["datasets"].values()}:
            if cache.get(name) is None:
                cache[name] = Database(
                    self.prefix, name, formats, checked=self.checked, compat=self.compat
                )
            self.databases[name] = cache[name]
        for name, one in self.data["datasets"].items():
            self.datasets[name] = {**one, "database": self.databases[one["database"]]}
        if self.checked:
            self.errors += dataset_problems(self.data, self.databases)

    def _load_algorithms(self, formats: Cache, cache: Cache, libraries: Cache) -> None:
        uses = self.uses
        for name in {use.algorithm: None for use in uses}:
            if cache.get(name) is None:
                cache[name] = Algorithm(
                    self.prefix,
                    name,
                    formats,
                    libraries,
                    checked=self.checked,
                    compat=self.compat,
                )
            self.algorithms[name] = cache[name]
        if not self.checked:
            return
        for use in uses:
            self.errors += use_problems(use, self.algorithms[use.algorithm], self.compat)
        self.errors += global_problems(self.data, uses, self.algorithms, self.compat)

    def _load_toolchain(self, given: object) -> None:
        if given is None:
            self.errors.append("/: there is no toolchain: give a pair, (experiment, toolchain)")
            return
        if isinstance(given, Toolchain):
            self.toolchain = given
        else:
            self.toolchain = Toolchain(
                self.prefix, given, checked=self.checked, compat=self.compat
            )
        if not self.toolchain.valid:
            reasons = "\n".join(self.toolchain.errors)
            self.errors.append(f"toolchain `{self.toolchain.name}' is not valid:\n{reasons}")
        if self.checked and not self.errors:
            parts = Parts(
                self.data,
                self.uses,
                self.algorithms,
                self.databases,
                self.toolchain.wiring,
                self.compat,
            )
            self.errors += next((found for found in check_wiring(parts) if found), [])

    def _sound(self) -> Toolchain:
        """Return the toolchain; raise `InvalidAssetError` if this experiment cannot be used."""
        if self.toolchain is None or not self.valid:
            reasons = "\n".join(self.errors)
            raise InvalidAssetError(f"experiment {self.label} is not valid:\n{reasons}")
        return self.toolchain
