"""Complete signatures of blocks: what `dlg.beat.hash` leaves out counts here too.

A signature is a digest of all that can change a result: the code of the algorithm and of all
libraries it uses, directly or not; the definitions of all formats; the parameters as the algorithm
gets them; the environment; how inputs are synchronized; and the signatures of what the inputs come
from, down to the views of databases and their parameters. A loop is one node with both of its
algorithms. What does not count: the names of blocks and endpoints, queues, slots, descriptions.

What a database reads from its root folder is known only by its index. Whoever has made the index
hands its digest in, then it counts.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlg.beat.configuration import merged_parameters
from dlg.beat.declarations import dumps
from dlg.beat.hash import hashDataset
from dlg.beat.uses import EVALUATOR_PREFIX, PROCESSOR_PREFIX, Use
from dlg.beat.wiring import Connection, Kind
from dlg.exceptions import InvalidAssetError

if TYPE_CHECKING:
    from dlg.beat.algorithm import Algorithm
    from dlg.beat.database import Database
    from dlg.beat.dataformat import DataFormat
    from dlg.beat.experiment import Experiment
    from dlg.beat.library import Library

__all__ = ["experiment_signatures", "output_signature", "signed_setup"]

Known = Mapping[str, str]


def experiment_signatures(
    experiment: Experiment,
    index_digests: Known | None = None,
    environment_digests: Known | None = None,
) -> dict[str, str]:
    """Return the signature of each block, loop and analyzer, in the order to run them.

    `index_digests` are those of the indices of datasets, by the hashes of the datasets;
    `environment_digests` are those of what is installed in environments, by `name (version)`.
    Raises `InvalidAssetError` if the experiment is not valid.
    """
    if experiment.toolchain is None or not experiment.valid:
        reasons = "\n".join(experiment.errors)
        raise InvalidAssetError(f"experiment {experiment.label} is not valid:\n{reasons}")
    wiring = experiment.toolchain.wiring
    signing = _Signing(
        experiment,
        index_digests or {},
        environment_digests or {},
        feeds={one.target: one for one in wiring.connections},
        channels={node.name: node.channel for node in wiring.nodes},
    )
    uses: dict[str, list[Use]] = {}
    for use in experiment.uses:
        uses.setdefault(use.block, []).append(use)
    order = experiment.toolchain.execution_order()
    return {name: signing.block(uses[name]) for name in order}


def output_signature(block_signature: str, output: str) -> str:
    """Return the signature of what a block with that signature writes to one of its outputs.

    `output` is the name that the algorithm gives it; in a loop, after `processor_` or
    `evaluator_`.
    """
    return _digest({"block": block_signature, "output": output})


class _Closures:
    """Digests of assets with all that they use; each asset is looked at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def algorithm(self, algorithm: Algorithm) -> str:
        """Return the digest of an algorithm with its libraries and formats."""
        return self._once(
            ("algorithm", algorithm.name),
            lambda: {
                "declaration": _without_description(algorithm.data),
                "code": _code(algorithm),
                "uses": self._libraries(algorithm),
                "formats": {
                    name: self.format(dataformat)
                    for name, dataformat in algorithm.dataformats.items()
                },
            },
        )

    def view(self, database: Database) -> str:
        """Return the digest of what the views of a database are made of."""
        return self._once(
            ("database", database.name),
            lambda: {"root": database.data["root_folder"], "code": _code(database)},
        )

    def format(self, dataformat: DataFormat) -> str:
        """Return the digest of a format, with those that it extends or refers to."""
        return self._once(
            ("dataformat", dataformat.name),
            lambda: {
                "name": dataformat.name,
                "fields": {key: self._field(one) for key, one in dataformat.resolved.items()},
            },
        )

    def _field(self, declared: Any) -> Any:
        if isinstance(declared, list):
            return [*declared[:-1], self._field(declared[-1])]
        return declared if isinstance(declared, str) else self.format(declared)

    def _library(self, library: Library) -> str:
        return self._once(
            ("library", library.name),
            lambda: {
                "language": library.language,
                "code": _code(library),
                "uses": self._libraries(library),
            },
        )

    def _libraries(self, user: Algorithm | Library) -> dict[str, str]:
        return {alias: self._library(user.libraries[name]) for alias, name in user.uses.items()}

    def _once(self, key: tuple[str, str], made_of: Callable[[], object]) -> str:
        if key not in self._known:
            self._known[key] = _digest(made_of())
        return self._known[key]


def signed_setup(
    experiment: Experiment,
    index_digests: Known | None = None,
    environment_digests: Known | None = None,
) -> OrderedDict[str, dict[str, Any]]:
    """Return the `setup()` of an experiment in which each output has its `signature` too.

    Executors note it in what they write, so that results of other code are told apart from those
    of the same hash.
    """
    signatures = experiment_signatures(experiment, index_digests, environment_digests)
    prepared = experiment.setup()
    for name, one in prepared.items():
        configuration = one["configuration"]
        looped = configuration.get("loop", {})
        part = PROCESSOR_PREFIX if looped else ""
        for prefix, outputs in (
            (part, configuration.get("outputs", {})),
            (EVALUATOR_PREFIX, looped.get("outputs", {})),
        ):
            for output, where in outputs.items():
                where["signature"] = output_signature(signatures[name], prefix + output)
        if "result" in configuration:
            configuration["result"]["signature"] = output_signature(signatures[name], "result")
    return prepared


@dataclass(slots=True)
class _Signing:
    """The signing of one experiment; `made` has the signatures of outputs by endpoint."""

    experiment: Experiment
    index_digests: Known
    environment_digests: Known
    feeds: Mapping[str, Connection]
    channels: Mapping[str, str]
    made: dict[str, str] = field(default_factory=dict)
    closures: _Closures = field(default_factory=_Closures)

    def block(self, uses: Iterable[Use]) -> str:
        """Return the signature of a block, of whose outputs those are noted as well."""
        uses = list(uses)
        signature = _digest({use.part: self._use(use) for use in uses})
        for use in uses:
            for name, endpoint in use.outputs.items():
                self.made[f"{use.block}.{endpoint}"] = output_signature(signature, use.part + name)
        return signature

    def _use(self, use: Use) -> dict[str, Any]:
        experiment = self.experiment
        algorithm = experiment.algorithms[use.algorithm]
        settings = experiment.data["globals"]
        environment = use.environment or settings.get("environment") or {}
        made_of = {
            "algorithm": self.closures.algorithm(algorithm),
            "parameters": _parameters(algorithm, merged_parameters(use, settings)),
            "environment": self._environment(environment),
            "channel": self.channels[use.block],
            "inputs": {
                name: self._input(f"{use.block}.{endpoint}")
                for name, endpoint in use.inputs.items()
            },
        }
        # The name is in what an analyzer writes: it is that of the format of its results.
        return made_of | ({"name": use.algorithm} if use.kind is Kind.ANALYZER else {})

    def _environment(self, environment: Mapping[str, str]) -> dict[str, Any]:
        name = f"{environment.get('name')} ({environment.get('version')})"
        return {"name": name, "digest": self.environment_digests.get(name)}

    def _input(self, target: str) -> dict[str, str]:
        feed = self.feeds[target]
        dataset = self.experiment.data["datasets"].get(feed.start)
        if dataset is None:
            source = self.made[feed.source]
        else:
            source = self._dataset(dataset, feed.source.partition(".")[2])
        return {"channel": feed.channel, "source": source}

    def _dataset(self, dataset: Mapping[str, str], output: str) -> str:
        name, protocol, wanted = dataset["database"], dataset["protocol"], dataset["set"]
        database = self.experiment.databases[name]
        view = database.view_definition(protocol, wanted)
        return _digest(
            {
                "database": self.closures.view(database),
                "environment": self._environment(database.environment or {}),
                "view": view.get("view"),
                "parameters": view.get("parameters", {}),
                "output": output,
                "formats": {
                    each: self.closures.format(database.dataformats[form])
                    for each, form in view["outputs"].items()
                },
                "index": self.index_digests.get(hashDataset(name, protocol, wanted)),
            }
        )


def _parameters(algorithm: Algorithm, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as the algorithm gets them: of its types, with its defaults."""
    declared = algorithm.parameters or {}
    values = {name: one.get("default") for name, one in declared.items()} | dict(given)
    return {
        name: algorithm.clean_parameter(name, value) if name in declared else value
        for name, value in values.items()
        if value is not None
    }


def _code(asset: Algorithm | Database | Library) -> str:
    code = asset.code or b""
    return hashlib.sha256(code.encode() if isinstance(code, str) else code).hexdigest()


def _without_description(declaration: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in declaration.items() if key != "description"}


def _digest(value: object) -> str:
    # Twice, since keys are sorted only when all of them are text.
    plain = json.loads(dumps(value, None))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
