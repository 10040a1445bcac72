"""Data of reproducibility from the run: what a drop did, joined to what was known of it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.reproducibility.blocks import Record
from dlg.reproducibility.layers import chain_all, physical_dag
from dlg.reproducibility.levels import Level, levels_kept, parse_level
from dlg.reproducibility.merkle import root_of_fields
from dlg.reproducibility.summaries import Told, summary_of
from dlg.support.garbage import held_off


def add_summaries(record: Record, level: Level, told: Told) -> None:
    """Write into the record of a drop that has ended what it tells, with its root.

    At ALL that is done for each level. At a single level it stands beside the data of that level,
    and not among them, as in the existing system: no block knows of it.
    """
    known: dict[Level, Mapping[str, Any]] = {}

    def told_once(basic: Level) -> Mapping[str, Any]:
        # Four levels ask for the hash of the content, which may be large.
        if basic not in known:
            known[basic] = told(basic)
        return known[basic]

    for kept in levels_kept(level):
        found = summary_of(told_once, kept)
        place = record.setdefault(kept.name, {}) if level is Level.ALL else record
        place["rg_data"] = found | {"merkleroot": root_of_fields(found)}


def init_runtime_repro_data(
    runtime_graph: Mapping[str, Mapping[str, Any]], reprodata: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a graph that has run, with its signatures; chain its drops' records.

    `runtime_graph` has the dropspecs by their oids, each with the record of its drop.
    """
    level = parse_level(reprodata.get("rmode", Level.NOTHING))
    data = dict(reprodata)
    if level is Level.NOTHING:
        return data
    drops = list(runtime_graph.values())
    with held_off():
        for drop in drops:
            for kept in levels_kept(level):
                drop["reprodata"][kept.name]["rg_parenthashes"] = {}
        return data | chain_all(physical_dag(drops), "rg", level)
