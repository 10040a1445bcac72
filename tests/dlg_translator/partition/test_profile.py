from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dlg_translator.partition import partition_graph
from dlg_translator.partition.constraints import AmountError, amount, size_in_gb, stated
from dlg_translator.partition.profile import ProfileError, read_profile
from dlg_translator.testing.dags import ArrayTemplate, chain, template_of


@pytest.fixture
def template() -> ArrayTemplate:
    return template_of(chain(5))  # data 0, 2, 4; apps 1, 3


def test_recorded_times_and_sizes_take_the_place_of_stated_ones(template: ArrayTemplate) -> None:
    recorded = {"d1": 0.5, "d3": 1.5, "d0": 0, "d2": 4e9, "d4": 0}
    divided = partition_graph(template, "heft", parts=1, profile=recorded)
    assert divided.dag.node_weight.tolist() == [0, 0.5, 0, 1.5, 0]
    assert divided.dag.edge_weight.tolist() == [0, 4, 4, 0]
    assert divided.objectives.exec_time == 2


def test_a_logical_node_stands_for_all_its_drops(template: ArrayTemplate) -> None:
    dag = partition_graph(template, "none", profile={"k1": {"seconds": 2}, "d3": 7}).dag
    assert dag.node_weight.tolist() == [0, 2, 0, 7, 0]


def test_drops_that_were_not_recorded_count_as_the_mean(template: ArrayTemplate) -> None:
    assert partition_graph(template, "none", profile={"d3": 7}).dag.node_weight[1] == 7


@pytest.mark.parametrize("name", ["p.json", "p.json.gz"])
def test_a_profile_is_read_from_a_file(tmp_path: Path, name: str) -> None:
    document = {
        "format": "dlg-profile",
        "version": 1,
        "bandwidth": 100,
        "drops": {"a": {"seconds": 1.5}, "b": {"bytes": 10}, "c": {"seconds": 1, "bytes": 2}},
    }
    text = json.dumps(document).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    profile = read_profile(tmp_path / name)
    assert profile.seconds == {"a": 1.5, "c": 1}
    assert profile.sizes == {"b": 10, "c": 2}
    assert profile.bandwidth == 100


@pytest.mark.parametrize(
    "document",
    [
        {"a": "long"},
        {"a": {"seconds": -1}},
        {"a": True},
        {"format": "other", "drops": {}},
        {"version": 2, "drops": {}},
        {"drops": [1]},
    ],
)
def test_what_is_no_profile_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ProfileError):
        read_profile(document)


@pytest.mark.parametrize(("name", "content"), [("a.json", b"{"), ("a.gz", b"x"), ("gone", None)])
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ProfileError, match=f"{name}: the profile cannot be read"):
        read_profile(tmp_path / name)


def test_a_profile_of_another_graph_is_refused(template: ArrayTemplate) -> None:
    with pytest.raises(ProfileError, match="none of the drops"):
        partition_graph(template, profile={"elsewhere": 3})


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (16, 16),
        ("16", 16),
        ("16 GB", 16),
        ("500MB", 0.5),
        ("1 GiB", 1.073741824),
        ("", 0),
        ("2T", 2000),
    ],
)
def test_sizes_are_understood(value: object, size: float) -> None:
    assert size_in_gb(value) == pytest.approx(size)


@pytest.mark.parametrize("value", ["many", "-1", "4 XB", True, [1], "nan", "inf"])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(AmountError, match="expected a size"):
        size_in_gb(value)


def test_a_number_has_no_unit() -> None:
    assert amount("4") == 4
    with pytest.raises(AmountError, match="at least 0"):
        amount("4 GB")


def test_a_constraint_is_found_where_it_stands() -> None:
    assert stated({"num_cpus": 3}, ("num_cpus",)) == 3
    assert stated({"constraintParams": {"gpus": {"value": "2"}}}, ("num_gpus", "gpus")) == "2"
    assert stated({"constraintParams": None}, ("num_gpus",)) is None
