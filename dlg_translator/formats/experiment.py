"""BEAT experiments: a physical graph of the blocks of one, with what goes between them.

    set -> [index] -> data -> [block] -> data -> [analyzer] -> data

Sets of databases and what blocks put out are data, files of a cache under the hashes of BEAT;
blocks, loops, analyzers and the making of indices are apps. A block with several slots is as many
apps that run side by side, each with a part of the data. The graph needs the prefix of the
experiment on each node, or brings along an archive of the assets that the experiment uses.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.beat.experiment import Experiment
from dlg.beat.prefixes import name_of, names_in
from dlg.beat.signatures import experiment_signatures
from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem

INDEX_APP = "dlg.apps.beat_algorithm.BeatIndexApp"
BLOCK_APP = "dlg.apps.beat_algorithm.BeatBlockApp"
PREFIX_APP = "dlg.apps.beat_algorithm.BeatPrefixApp"
OUTPUT = "dlg.data.beat_output.BeatOutputDROP"
FILE = "dlg.data.file.FileDROP"
ASSETS = "assets"
FOLDER = "experiments"

Spec = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExperimentOptions:
    """How the blocks of an experiment are run."""

    executor: str = "local"
    force: bool = False
    cache: str = ""
    """The folder of the cache on each node; empty: one in each session's directory."""
    bring_assets: bool = False
    """Whether the graph brings the assets along, for nodes that do not have the prefix."""
    memory: int = 0
    cpu: int = 0
    minutes: float = 0.0
    """Limits of each block: megabytes, per cent of one processor, minutes; 0 is none."""


@dataclass(slots=True)
class _Building:
    """A graph in the making."""

    options: ExperimentOptions
    prefix: str
    specs: list[Spec] = field(default_factory=list)
    made: dict[str, list[str]] = field(default_factory=dict)
    """The oids of the data at each path of the cache."""

    def data(self, name: str, path: str, slot: str = "") -> str:
        """Add data at a path of the cache; return its oid."""
        oid = f"{name}{slot}"
        self.specs.append(
            {
                "oid": oid, "name": oid, "categoryType": "Data", "dropclass": OUTPUT,
                "hash_path": path, "cache": self.options.cache, "persist": True,
            }
        )  # fmt: skip
        self.made.setdefault(path, []).append(oid)
        return oid

    def app(self, oid: str, kind: str, inputs: list[str], outputs: list[str], **more: Any) -> None:
        """Add an app; those that need a prefix come after it."""
        before = [*inputs, ASSETS] if self.options.bring_assets and kind != PREFIX_APP else inputs
        self.specs.append(
            {
                "oid": oid, "name": more.pop("name", oid), "categoryType": "Application",
                "dropclass": kind, "inputs": before, "outputs": outputs, **more,
            }
        )  # fmt: skip

    @property
    def places(self) -> dict[str, Any]:
        """The parameters of an app that say where it works."""
        prefix = "" if self.options.bring_assets else self.prefix
        return {"prefix": prefix, "cache": self.options.cache}


def experiment_specs(
    experiment: Experiment, options: ExperimentOptions | None = None
) -> list[Spec]:
    """Return the dropspecs of the physical graph of an experiment.

    Raises `InvalidGraphException` with all that is wrong with the experiment.
    """
    if not experiment.valid:
        raise InvalidGraphException(
            f"experiment {experiment.name}: it is not valid",
            problems=[Problem(code="experiment", message=error) for error in experiment.errors],
        )
    wanted = options or ExperimentOptions()
    building = _Building(wanted, str(Path(experiment.prefix).absolute()))
    if wanted.bring_assets:
        building.app(
            "assets of the experiment", PREFIX_APP, [], [ASSETS], assets=_packed(experiment)
        )
        building.specs.append(
            {
                "oid": ASSETS,
                "name": ASSETS,
                "categoryType": "Data",
                "dropclass": "dlg.data.directory.DirectoryDROP",
            }
        )
    blocks = {name: one["configuration"] for name, one in experiment.setup().items()}
    signatures = experiment_signatures(experiment)
    for configuration in blocks.values():
        _add_sets(building, configuration)
    for name, configuration in blocks.items():
        _add_block(building, name, configuration, signatures[name])
    return building.specs


def _parts(configuration: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield configuration
    if "loop" in configuration:
        yield configuration["loop"]


def _inputs(configuration: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the inputs of a block or loop, one for each path."""
    every = (one for part in _parts(configuration) for one in part["inputs"].values())
    return list({one["path"]: one for one in every}.values())


def _add_sets(building: _Building, configuration: Mapping[str, Any]) -> None:
    """Add the sets that a block reads, with the apps that index them, unless they are there."""
    for one in _inputs(configuration):
        if "database" not in one or one["path"] in building.made:
            continue
        name = f"{one['database']} {one['protocol']} {one['set']}"
        oid = building.data(name, one["path"])
        building.app(
            f"index of {name}", INDEX_APP, [], [oid],
            configuration={"inputs": {"set": dict(one)}}, **building.places,
        )  # fmt: skip


def _add_block(
    building: _Building, name: str, configuration: Mapping[str, Any], signature: str
) -> None:
    """Add the apps of a block, one for each slot, and the data that they make."""
    options = building.options
    slots = int(configuration.get("nb_slots", 1))
    inputs = [oid for one in _inputs(configuration) for oid in building.made[one["path"]]]
    for slot in range(slots):
        which = f" [{slot + 1}/{slots}]" if slots > 1 else ""
        outputs = [
            building.data(f"{name}.{endpoint}", one["path"], which)
            for part in _parts(configuration)
            for endpoint, one in _endpoints(part)
        ]
        told = f"{name}{which} report"
        building.specs.append(
            {
                "oid": told, "name": told, "categoryType": "Data", "dropclass": FILE,
                "filepath": report_file(name, slot, slots), "persist": True,
            }
        )  # fmt: skip
        building.app(
            f"{name}{which}", BLOCK_APP, inputs, [*outputs, told], name=name,
            configuration=dict(configuration), signature=signature, slot=slot, slots=slots,
            executor=options.executor, force=options.force, memory=options.memory,
            cpu=options.cpu, minutes=options.minutes, **building.places,
        )  # fmt: skip


def report_file(name: str, slot: int, slots: int) -> str:
    """Return where in the session's directory a block tells what came of it."""
    return f"reports/{name}.{slot}.json" if slots > 1 else f"reports/{name}.json"


def _endpoints(part: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    if "result" in part:
        return [("result", part["result"])]
    return [(one["endpoint"], one) for one in part.get("outputs", {}).values()]


def _packed(experiment: Experiment) -> str:
    """Return an archive of all assets that the experiment uses; the same ones give the same."""
    with tempfile.TemporaryDirectory(prefix="dlg-beat-") as folder:
        experiment.export(folder)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    info = tarfile.TarInfo(str(file.relative_to(folder)))
                    info.size = file.stat().st_size
                    with file.open("rb") as content:
                        archive.addfile(info, content)
    return base64.b64encode(gzip.compress(packed.getvalue(), mtime=0)).decode()


def experiment_at(path: str | Path) -> Experiment | None:
    """Return the experiment whose declaration is the file at `path`, or None if that is none.

    It must lie where a prefix has its experiments; the prefix is what is above.
    """
    file = Path(path).absolute()
    folders = file.parts
    if file.suffix != ".json" or FOLDER not in folders[:-1]:
        return None
    at = len(folders) - 1 - folders[::-1].index(FOLDER)
    prefix = Path(*folders[:at])
    name = name_of(Path(*folders[at + 1 :]))
    return Experiment(str(prefix), name) if name in names_in(str(prefix), "experiment") else None


def is_experiment(content: bytes) -> bool:
    """Return whether JSON is the declaration of an experiment, as far as its keys tell."""
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and {"datasets", "analyzers", "globals"} <= found.keys()
