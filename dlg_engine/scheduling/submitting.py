"""From the name of an experiment in a prefix to a scheduled one, and back to its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg_engine.scheduling import helpers
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.models import Block, Experiment
from dlg_engine.scheduling.planning import InvalidExperimentError, Plan, create_experiment


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where experiments are, and where their results go."""

    prefix: Path
    cache: Path
    roots: Mapping[str, str] = field(default_factory=dict)
    """Where databases lie that do not lie where they say."""
    any_queue: bool = True
    """Whether queues that experiments name are made where they are missing."""


def plan_of(site: Site, name: str) -> Plan:
    """Return what is to be done for an experiment; raise InvalidExperimentError with its faults.

    The indices of its sets are made here where they are missing.
    """
    from dlg.beat.experiment import Experiment as Declared  # noqa: PLC0415  loads a lot
    from dlg.beat.indexing import index_sets  # noqa: PLC0415  starts processes
    from dlg.beat.signatures import experiment_signatures  # noqa: PLC0415  loads a lot

    declared = Declared(str(site.prefix), name)
    if not declared.valid:
        faults = "\n".join(f"  {one}" for one in declared.errors)
        raise InvalidExperimentError(f"experiment {name} cannot be run:\n{faults}")
    blocks = dict(declared.setup())
    for one in blocks.values():
        index_sets(one["configuration"], site.prefix, site.cache, site.roots)
    known = str(declared.name or name)
    return Plan(
        name=known, author=known.partition("/")[0], cache=site.cache, blocks=blocks,
        signatures=experiment_signatures(declared),
    )  # fmt: skip


def submit(site: Site, name: str, database: SchedulingDatabase) -> Experiment:
    """Add an experiment of the prefix and schedule it."""
    experiment = create_experiment(
        plan_of(site, name), any_queue=site.any_queue, database=database
    )
    helpers.schedule_experiment(experiment, database=database)
    return experiment


def results_of(site: Site, block: Block) -> dict[str, Any]:
    """Return what an analyzer has found, by name; raise RunError if that cannot be read."""
    from dlg.beat.results import result_at, values_of  # noqa: PLC0415  loads a lot

    place = Path(block.experiment.cache, block.command["result"]["path"])
    return values_of(result_at(place, site.prefix))
