"""Whether the file of a run proves itself, also one as the existing system writes it."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.layers import (
    init_lg_repro_data,
    init_lgt_repro_data,
    init_pg_repro_data,
    init_pgt_partition_repro_data,
    init_pgt_unroll_repro_data,
)
from dlg.reproducibility.levels import Level
from dlg.reproducibility.running import add_summaries, init_runtime_repro_data
from dlg.reproducibility.summaries import content_summary, status_summary
from dlg.reproducibility.verify import INEXACT, Checked, verify_run, with_digest
from dlg.testing.graphs import chain

Spec = dict[str, Any]


def told(oid: str, level: Level) -> Mapping[str, Any]:
    if level is not Level.REPRODUCE:
        return status_summary(2)
    return content_summary(hashlib.sha3_256(oid.encode()).hexdigest())


@pytest.fixture(params=[Level.ALL, Level.REPRODUCE, Level.REPEAT], ids=lambda level: level.name)
def compat(request: pytest.FixtureRequest) -> list[Spec]:
    """Return what a run of three apps leaves behind in the existing system."""
    level: Level = request.param
    fields = [{"name": "dropclass", "value": "a"}, {"name": "data_volume", "value": 5}]
    node = {"id": "a", "category": "Memory", "categoryType": "Data", "fields": fields}
    logical: Spec = {"nodeDataArray": [node], "linkDataArray": []}
    init_lg_repro_data(init_lgt_repro_data(logical, level))
    drops = chain(3)
    for drop in drops:
        drop |= {"iid": "0/0", "rank": [0], "node": "#0", "island": "#0", "lg_key": "a"}
        drop["reprodata"] = copy.deepcopy(node["reprodata"])
    graph = [*drops, logical["reprodata"]]
    for stage in (
        init_pgt_unroll_repro_data, init_pgt_partition_repro_data, init_pg_repro_data,
    ):  # fmt: skip
        graph = stage(graph)
    for drop in graph[:-1]:
        add_summaries(drop["reprodata"], level, functools.partial(told, drop["oid"]))
    by_oid = {drop["oid"]: drop for drop in graph[:-1]}
    return [by_oid, init_runtime_repro_data(by_oid, graph[-1])]


def wrong(document: list[Spec], tmp_path: Path) -> list[tuple[str, str]]:
    path = tmp_path / "reprodata.out"
    path.write_text(json.dumps(document))
    return [(w.drop, w.what.partition(" ")[0]) for w in verify_run(path, Checked())]


def test_what_the_existing_system_has_written_is_recognised(
    compat: list[Spec], tmp_path: Path
) -> None:
    assert wrong(compat, tmp_path) == []


def test_what_has_changed_in_it_is_named(compat: list[Spec], tmp_path: Path) -> None:
    oid, drop = list(compat[0].items())[2]
    record = drop["reprodata"]
    level = next(
        name for name, own in record.items() if isinstance(own, dict) and "pg_data" in own
    )
    fields = record[level]["pgt_data"]
    fields[next(iter(fields))] = "changed"
    assert wrong(compat, tmp_path)[0] == (oid, "pgt_data")


def test_a_changed_signature_of_a_graph_is_named(compat: list[Spec], tmp_path: Path) -> None:
    level = next(name for name in ("REPEAT", "REPRODUCE") if name in compat[1])
    compat[1][level]["signature"] = "0" * 64
    assert ("", "signature") in wrong(compat, tmp_path)


def test_values_that_json_does_not_know_are_not_hashed_again(tmp_path: Path) -> None:
    written = with_digest(
        [{"a": {"oid": "a", "value": {1 + 2j}}}, {"rmode": "1", "mode": "strict"}]
    )
    drops, data = json.loads(written)
    assert drops["a"]["value"] == ["(1+2j)"]
    assert data[INEXACT] is True
    path = tmp_path / "reprodata.out"
    path.write_bytes(written)
    assert list(verify_run(path, Checked())) == []


def test_a_file_that_is_something_else_is_the_users_mistake(tmp_path: Path) -> None:
    path = tmp_path / "reprodata.out"
    path.write_text("[1, {}]")
    with pytest.raises(UsageError, match="no evidence of a run"):
        list(verify_run(path, Checked()))
