"""Divide a template into parts and islands."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlg.exceptions import UsageError
from dlg.graph.problems import Problem, Severity
from dlg_translator.partition.contract import Division, Partitioner
from dlg_translator.partition.islands import merge
from dlg_translator.partition.options import make_partitioner, today
from dlg_translator.partition.profile import Profile, read_profile
from dlg_translator.partition.template import PartitionedTemplate, Template
from dlg_translator.partition.weights import dag_of
from dlg_translator.schedule.dag import CycleError, Dag

FALLBACK = "chunks"
Recorded = Profile | str | Path | Mapping[str, Any]


def partition_graph(
    template: Template,
    algorithm: str = "metis",
    parts: int | None = None,
    islands: int = 1,
    *,
    profile: Recorded | None = None,
    **options: Any,
) -> PartitionedTemplate:
    """Return `template` divided into `parts` by `algorithm`, and its parts into `islands`.

    Without `parts` there is one part, or as many as the algorithm finds best. There may be fewer
    parts than asked for, with a warning, but none is empty, nor is any island. With `profile`,
    what an earlier run took counts instead of what the graph states. Where pymetis is missing,
    `chunks` takes the place of `metis`, with a warning.

    Raises a `UsageError` for an unknown algorithm or option, for fewer parts than islands, for a
    deadline that cannot be met, and for a cycle where the algorithm needs an order.
    """
    for name, count in (("parts", parts), ("islands", islands)):
        if count is not None and count < 1:
            raise UsageError(f"{name} must be at least 1, not {count}")
    recorded = profile if isinstance(profile, Profile | None) else read_profile(profile)
    told: list[str] = []
    partitioner = _available(algorithm, options, told)
    dag = dag_of(template, recorded, memory="max_mem" in options)
    division, found = _divide(template, dag, partitioner, parts)
    told += division.warnings
    islands_of = merge(dag, division.part_of, found, islands, default_partitioner())
    return PartitionedTemplate(
        template,
        dag,
        division.part_of,
        islands_of,
        partitioner.name,
        (*template.warnings, *(_warning(text) for text in told)),
    )


def default_partitioner() -> Partitioner:
    """Return METIS with its defaults, or what stands in for it where it is not installed."""
    return make_partitioner("metis" if _has_metis() else FALLBACK, {})


def _has_metis() -> bool:
    return importlib.util.find_spec("pymetis") is not None


def _available(algorithm: str, options: Mapping[str, Any], told: list[str]) -> Partitioner:
    partitioner = make_partitioner(algorithm, options)
    if today(algorithm) != "metis" or _has_metis():
        return partitioner
    told.append(
        f"pymetis is not installed, so {FALLBACK} is used instead of metis: "
        "install it with  pip install 'dlg[partition]'"
    )
    shared = {name: value for name, value in options.items() if name == "max_load_imb"}
    return make_partitioner(FALLBACK, shared)


def _divide(
    template: Template, dag: Dag, partitioner: Partitioner, parts: int | None
) -> tuple[Division, int]:
    """Return the division and its number of parts, at most `parts`."""
    try:
        division = partitioner.divide(dag, parts)
    except CycleError as error:
        oids = [str(template.spec(row).get("oid", row)) for row in error.rows[:8]]
        raise UsageError(
            f"{partitioner.name} cannot divide a graph with a cycle ({' -> '.join(oids)}"
            f"{' -> ...' if len(error.rows) > len(oids) else ''}): mend it, or use metis"
        ) from error
    part_of = np.asarray(division.part_of, np.int32)
    found = int(part_of.max(initial=0)) + 1
    if parts is not None and found > parts:
        into = merge(dag, part_of, found, parts, default_partitioner())
        return Division(into[part_of], division.warnings), parts
    return Division(part_of, division.warnings), found


def _warning(text: str) -> Problem:
    return Problem(code="partition", message=text, severity=Severity.WARNING, blocks_run=False)
