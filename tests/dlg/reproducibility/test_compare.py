"""Two runs: the same or not, and which drop and which field was the first to differ."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.graph import read_physical_graph
from dlg.reproducibility.compare import ABSENT, Comparison, compare_runs
from dlg.reproducibility.evidence import Ended, Run, run_of, strict_document
from dlg.reproducibility.levels import SEVEN, Level
from dlg.testing.graphs import Spec, chain, data, fan, stencil

COMPLETED = 2


def ran(
    specs: list[Spec],
    level: Level = Level.ALL,
    statuses: Mapping[str, int] | None = None,
    contents: Mapping[str, str] | None = None,
) -> Run:
    """Return the strict run of a graph; data with which it begins or ends have a content."""
    graph = read_physical_graph(copy.deepcopy(specs))
    told = statuses or {}
    ended = Ended(
        [told.get(oid, COMPLETED) for oid in graph.oids],
        {row: (contents or {}).get(oid, "hash") for row, oid in enumerate(graph.oids)},
    )
    return run_of(json.loads(json.dumps(strict_document(graph, level, ended))))


def changed(specs: list[Spec], oid: str, **parameters: Any) -> list[Spec]:
    """Return a graph of which one drop is told something else."""
    return [{**spec, **parameters} if spec["oid"] == oid else spec for spec in specs]


def causes(comparison: Comparison) -> list[tuple[str, str, str]]:
    return [(d.drop, d.layer, d.field) for d in comparison.causes]


def test_two_runs_of_one_graph_are_the_same_at_all_levels() -> None:
    comparison = compare_runs(ran(chain(3)), ran(chain(3)))
    assert comparison.levels == dict.fromkeys(SEVEN, True)
    assert (comparison.same, comparison.causes, comparison.consequences) == (True, (), 0)


def test_a_parameter_deep_in_a_thousand_drops_is_named_with_its_two_values() -> None:
    specs = stencil(20, 25)
    assert len(specs) >= 1000
    deep = specs[700]["oid"]
    comparison = compare_runs(
        ran(changed(specs, deep, greet="a")), ran(changed(specs, deep, greet="b"))
    )
    assert [(d.drop, d.field, d.left, d.right) for d in comparison.causes] == [
        (deep, "greet", "a", "b")
    ]
    assert not comparison.levels[Level.RECOMPUTE]
    assert comparison.levels[Level.RERUN]
    assert comparison.levels[Level.REPRODUCE]


def test_what_follows_from_a_difference_is_counted_and_not_listed() -> None:
    one = ran(changed(chain(3), "a0", told=1))
    other = ran(changed(chain(3), "a0", told=2), contents={"d3": "other"})
    comparison = compare_runs(one, other)
    assert causes(comparison) == [("a0", "parameters", "told")]
    assert comparison.consequences == 1
    assert not comparison.levels[Level.REPRODUCE]


def test_two_changes_of_which_one_is_after_the_other_are_both_listed_in_their_order() -> None:
    specs = changed(changed(chain(5), "a3", told=1), "a1", told=1)
    other = changed(changed(chain(5), "a3", told=2), "a1", told=2)
    comparison = compare_runs(ran(specs), ran(other))
    assert causes(comparison) == [("a1", "parameters", "told"), ("a3", "parameters", "told")]
    assert [d.follows for d in comparison.causes] == [False, True]


def test_a_drop_that_failed_is_the_cause_and_what_it_led_to_is_not() -> None:
    failed = ran(chain(3), statuses={"a1": 3, "d2": 3, "a2": 3, "d3": 3})
    comparison = compare_runs(ran(chain(3)), failed)
    assert causes(comparison) == [("a1", "structure", "outcome")]
    assert comparison.consequences == 3
    assert not comparison.levels[Level.RERUN]


def test_an_input_with_another_content_is_the_cause_of_other_results() -> None:
    contents = {"d0": "other", "d3": "result"}
    comparison = compare_runs(ran(chain(3)), ran(chain(3), contents=contents))
    assert causes(comparison) == [("d0", "code", "input"), ("d0", "content", "content")]
    assert comparison.levels[Level.REPEAT]
    assert not comparison.levels[Level.RECOMPUTE]
    assert not comparison.levels[Level.REPLICATE_SCI]


def test_another_link_is_named_by_the_drops_at_its_ends() -> None:
    specs = [*fan(2), data("more")]
    linked = changed(specs, "more", consumers=["a1"])
    comparison = compare_runs(ran(specs), ran(linked))
    assert ("a1", "inputs", "more") in causes(comparison)
    (difference,) = (d for d in comparison.causes if d.field == "more")
    assert (difference.left, difference.right) == (ABSENT, "")


def test_drops_that_only_one_run_has_are_listed() -> None:
    comparison = compare_runs(ran(chain(2)), ran(chain(3)))
    assert comparison.only_left == ()
    assert comparison.only_right == ("a2", "d3")
    assert not comparison.same


def test_drops_with_other_oids_are_matched_by_their_names() -> None:
    def named(prefix: str) -> list[Spec]:
        specs = [{**spec, "name": spec["oid"], "iid": "0"} for spec in chain(2)]
        return [
            {
                key: [f"{prefix}{oid}" for oid in value] if isinstance(value, list) else value
                for key, value in {**spec, "oid": f"{prefix}{spec['oid']}"}.items()
            }
            for spec in specs
        ]

    comparison = compare_runs(ran(named("2026-")), ran(changed(named("2027-"), "2027-a1", told=1)))
    assert causes(comparison) == [("2026-a1", "parameters", "told")]
    assert comparison.only_right == ()


def test_one_level_can_be_asked_for() -> None:
    one, other = (ran(changed(chain(2), "a0", told=n)) for n in (1, 2))
    assert compare_runs(one, other, Level.RERUN).same
    assert not compare_runs(one, other, Level.REPLICATE_TOTAL).same


@pytest.mark.parametrize("level", [*SEVEN, Level.EXPERIMENTAL], ids=lambda level: level.name)
def test_a_run_has_a_signature_at_each_level_that_can_be_asked_for(level: Level) -> None:
    run = ran(chain(2), level)
    assert run.signature(level)
    assert level is Level.EXPERIMENTAL or compare_runs(run, run).levels == {level: True}


def test_levels_of_which_a_run_has_no_data_are_refused() -> None:
    one = ran(chain(2), Level.RERUN)
    assert compare_runs(one, ran(chain(2))).levels == {Level.RERUN: True}
    with pytest.raises(UsageError, match="no data"):
        compare_runs(one, ran(chain(2)), Level.REPRODUCE)


def test_a_result_that_nobody_could_hash_leaves_its_levels_open() -> None:
    graph = read_physical_graph(chain(1))
    ended = Ended([COMPLETED] * 3, {0: "hash"})
    run = run_of(strict_document(graph, Level.ALL, ended))
    assert set(compare_runs(run, run).levels) == {Level.RERUN, Level.REPEAT, Level.RECOMPUTE}


@pytest.mark.parametrize("document", [{}, [], [1], [{"oid": "a"}], "text", [{"rmode": "1"}, {}]])
def test_what_is_no_run_is_refused(document: Any) -> None:
    with pytest.raises(UsageError, match="no run"):
        run_of(document)


# -- runs of the existing system -------------------------------------------------------------


def existing(shape: str, mode: str = "-1") -> list[Any]:
    """Return what a graph that the existing system ran left behind, as in its file."""
    held = json.loads((Path(__file__).parent / "vectors" / "ran.json").read_text())
    vector = next(v for v in held["vectors"] if (v["shape"], v["mode"]) == (shape, mode))
    drops = {}
    for drop in vector["given"][:-1]:
        record = drop["reprodata"]
        for level, own in vector["records"][drop["oid"]].items():
            record.setdefault(level, {}).update(own)
        drops[drop["oid"]] = drop
    return [drops, vector["data"]]


def test_two_runs_of_the_existing_system_can_be_compared() -> None:
    one, other = existing("kinds"), existing("kinds")
    other[0]["shell"]["reprodata"]["RECOMPUTE"]["rg_data"]["command"] = "echo other"
    other[1]["RECOMPUTE"]["signature"] = "other"
    comparison = compare_runs(run_of(one), run_of(other))
    assert [level for level, same in comparison.levels.items() if not same] == [Level.RECOMPUTE]
    assert causes(comparison) == [("shell", "rg_data", "command")]


@pytest.mark.parametrize("mode", ["1", "4", "5"])
def test_runs_of_the_existing_system_at_a_single_level_are_read_at_the_right_place(
    mode: str,
) -> None:
    one, other = existing("chain", mode), existing("kinds", mode)
    assert compare_runs(run_of(one), run_of(one)).same
    assert not compare_runs(run_of(one), run_of(other)).same


def test_a_strict_run_is_not_compared_with_one_of_the_existing_system() -> None:
    with pytest.raises(UsageError, match="strictly"):
        compare_runs(ran(chain(1)), run_of(existing("chain")))
