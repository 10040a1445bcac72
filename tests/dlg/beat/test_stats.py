"""Statistics of runs: checked, added up, and those of the docker engine."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.declarations import schema_errors, version_of
from dlg.beat.stats import (
    Statistics,
    cpu_statistics,
    io_statistics,
    memory_statistics,
    update,
)
from tests.dlg.beat.composed import mutated

FILE = {"hash": "a" * 64, "size": 5, "blocks": 2}


def usage() -> dict[str, Any]:
    return {
        "cpu": {
            "user": 1.0,
            "system": 2.0,
            "total": 3.0,
            "context_switches": {"voluntary": 1, "involuntary": 2},
        },
        "memory": {"rss": 10},
        "data": {
            "volume": {"read": 1, "write": 2},
            "blocks": {"read": 3, "write": 4},
            "time": {"read": 0.5, "write": 0.25},
            "network": {"wait_time": 0.5},
            "files": [FILE],
        },
    }


@pytest.mark.parametrize("nothing", [None, {}])
def test_without_data_all_is_zero(nothing: Any) -> None:
    statistics = Statistics(nothing)
    assert statistics.valid
    assert statistics.cpu["total"] == statistics.memory["rss"] == 0
    assert statistics.data["files"] == []


def test_all_is_summed_but_the_memory_of_which_the_larger_counts() -> None:
    one, other = Statistics(usage()), Statistics(usage() | {"memory": {"rss": 7}})
    total = one + other
    assert total.cpu["context_switches"] == {"voluntary": 2, "involuntary": 4}
    assert (total.cpu["total"], total.memory["rss"]) == (6.0, 10)
    assert total.data["volume"] == {"read": 2, "write": 4}
    assert total.data["files"] == [FILE, FILE]
    assert one.as_dict() == usage()
    one += other
    assert one.as_dict() == total.as_dict()


def test_what_does_not_wait_for_a_network_and_writes_no_files_can_be_added() -> None:
    bare = usage()
    del bare["data"]["network"], bare["data"]["files"]
    assert (Statistics(bare) + Statistics(usage())).data["files"] == [FILE]


def test_statistics_are_written_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "stats.json"
    Statistics(usage()).write(file)
    assert Statistics(file).as_dict() == Statistics(str(file)).as_dict() == usage()
    text = io.StringIO()
    Statistics(usage()).write(text)
    assert json.loads(text.getvalue()) == usage()


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    assert Statistics(tmp_path / "none").errors == [f"File not found: {tmp_path / 'none'}"]
    bad = tmp_path / "bad.json"
    bad.write_text('{"cpu": 1, "cpu": 2}')
    assert not Statistics(bad).valid


def test_sections_can_be_replaced() -> None:
    statistics = Statistics()
    for section in ("cpu", "memory", "data"):
        setattr(statistics, section, usage()[section])
    assert statistics.as_dict() == usage()


@given(st.integers(0))
def test_statistics_are_judged_by_their_schema(change: int) -> None:
    changed = mutated(usage(), random.Random(change))
    if changed:
        against = schema_errors("statistics", changed, version=version_of(changed))
        assert Statistics(changed).errors == against


def test_the_transfers_of_inputs_and_outputs_are_counted() -> None:
    moved = SimpleNamespace(statistics=lambda: (5, 0.5))
    source = SimpleNamespace(data_source=moved, nb_data_blocks_read=3)
    sink = SimpleNamespace(name="out", data_sink=moved, nb_data_blocks_written=2)
    configuration = {"outputs": {"out": {"hash": "a" * 64}}}
    found = io_statistics(configuration, [source, source], [sink])
    assert found == {
        "volume": {"read": 10, "write": 5},
        "blocks": {"read": 6, "write": 2},
        "time": {"read": 1.0, "write": 0.5},
        "network": {"wait_time": 0.0},
        "files": [FILE],
    }
    total = io_statistics({})
    update(total, found)
    assert total == found


START = {"cpu_usage": {"total_usage": 1e9}, "system_cpu_usage": 1e10}
END = {"cpu_usage": {"total_usage": 3e9, "percpu_usage": [1, 2, 3]}, "system_cpu_usage": 2e10}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (START, END, (2.0, 10.0, 60.0, 3)),
        (None, END, (3.0, 20.0, 45.0, 3)),
        (START, {"cpu_usage": END["cpu_usage"]}, (0.0, 0.0, 0.0, 1)),
        (START, END | {"cpu_usage": {"total_usage": 3e9}, "online_cpus": 4}, (2.0, 10.0, 80.0, 4)),
        (END, END, (0.0, 0.0, 0.0, 3)),
    ],
)
def test_the_processor_time_between_two_reports(start: Any, end: Any, expected: Any) -> None:
    found = cpu_statistics(start, end)
    told = (found["user"], found["total"], found["percent"], found["processors"])
    assert told == pytest.approx(expected)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"limit": 100, "max_usage": 50, "usage": 20}, (50.0, 100.0, 50.0)),
        ({"limit": 100, "usage": 20}, (20.0, 100.0, 20.0)),
        ({"usage": 20}, (20.0, 0.0, 0.0)),
        ({}, (0.0, 0.0, 0.0)),
    ],
)
def test_the_memory_in_a_report(report: dict[str, int], expected: tuple[float, ...]) -> None:
    found = memory_statistics(report)
    assert (found["rss"], found["limit"], found["percent"]) == expected
