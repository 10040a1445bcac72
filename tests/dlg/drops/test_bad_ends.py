"""Failures, skips and cancellations: how they spread, and whose fault they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.apps import OutcomeApp, OutcomeError
from dlg.testing.expectations import Recorder, ending
from dlg.testing.graphs import app, chain, data, fan_gather
from dlg_engine.embedded import run_graph

OUTCOME = "dlg.testing.apps.OutcomeApp"


def line(count: int) -> list[Any]:
    """Return `count` drops, data and apps in turn, each linked to the next."""
    drops: list[Any] = []
    for place in range(count):
        made = BarrierAppDROP(f"a{place}") if place % 2 else InMemoryDROP(f"d{place}")
        if drops and place % 2:
            drops[-1].addConsumer(made)
        elif drops:
            drops[-1].addOutput(made)
        drops.append(made)
    return drops


def test_everything_after_a_failure_says_whose_it_was() -> None:
    drops = line(7)
    failure = OSError("no such star")
    drops[0].setError(failure)
    assert [drop.status for drop in drops] == [S.ERROR] * 7
    assert [drop.stopped_by for drop in drops[1:]] == ["d0"] * 6
    assert [drop.failure for drop in drops] == [failure] + [None] * 6


def test_an_app_that_fails_keeps_its_exception_and_blames_nobody() -> None:
    bad, out = OutcomeApp("bad", outcome="fail"), InMemoryDROP("out")
    bad.addOutput(out)
    with ending(out):
        bad.async_execute()
    assert isinstance(bad.failure, OutcomeError)
    assert (bad.stopped_by, out.stopped_by) == ("", "bad")


def test_a_failure_beyond_the_threshold_is_passed_on_by_whoever_does_not_tolerate_it() -> None:
    bad, good = InMemoryDROP("bad"), InMemoryDROP("good")
    tolerant, out = BarrierAppDROP("tolerant", input_error_threshold=50), InMemoryDROP("out")
    for drop in (bad, good):
        drop.addConsumer(tolerant)
    tolerant.addOutput(out)
    with ending(out):
        bad.setError(OSError("lost"))
        good.setCompleted()
    assert (tolerant.status, out.status, out.stopped_by) == (S.COMPLETED, S.COMPLETED, "")


def test_a_skip_goes_down_the_line() -> None:
    drops = line(7)
    drops[2].skip()
    drops[0].setCompleted()
    assert [drop.status for drop in drops[2:]] == [S.SKIPPED] * 5
    assert drops[3].execStatus is X.SKIPPED


def test_an_app_that_is_skipped_skips_its_outputs() -> None:
    drops = line(4)
    drops[1].skip()
    assert [drop.status for drop in drops] == [S.INITIALIZED, S.SKIPPED, S.SKIPPED, S.SKIPPED]


@pytest.mark.parametrize(("block", "end"), [(False, S.SKIPPED), (True, S.COMPLETED)])
def test_one_skipped_input_skips_an_app_unless_it_blocks_skips(block: bool, end: S) -> None:
    one, other = InMemoryDROP("one"), InMemoryDROP("other")
    reader = BarrierAppDROP("reader", block_skip=block)
    for drop in (one, other):
        drop.addConsumer(reader)
    with ending(reader):
        one.skip()
        other.setCompleted()
    assert reader.status is end


def test_an_app_that_blocks_skips_is_skipped_when_all_inputs_are() -> None:
    one, other = InMemoryDROP("one"), InMemoryDROP("other")
    reader = BarrierAppDROP("reader", block_skip=True)
    for drop in (one, other):
        drop.addConsumer(reader)
        drop.skip()
    assert reader.status is S.SKIPPED


def test_data_that_blocks_skips_completes_when_one_of_its_producers_finished() -> None:
    merged = InMemoryDROP("merged", block_skip=True)
    skipped, finished = BarrierAppDROP("skipped"), BarrierAppDROP("finished")
    for producer in (skipped, finished):
        producer.addOutput(merged)
    with ending(merged):
        skipped.skip()
        finished.async_execute()
    assert merged.status is S.COMPLETED


def test_a_cancelled_drop_cancels_what_waits_for_it() -> None:
    drops = line(5)
    drops[0].cancel()
    assert [drop.status for drop in drops] == [S.CANCELLED] * 5
    assert {drop.stopped_by for drop in drops[1:]} == {"d0"}


def test_cancelling_leaves_what_has_ended_as_it_is() -> None:
    drops = line(3)
    with ending(drops[2]):
        drops[0].setCompleted()
    for drop in drops:
        drop.cancel()
    assert [drop.status for drop in drops] == [S.COMPLETED] * 3


def test_what_has_been_cancelled_does_not_complete_later() -> None:
    drops = line(3)
    drops[1].cancel()
    drops[0].setCompleted()
    assert [drop.status for drop in drops] == [S.COMPLETED, S.CANCELLED, S.CANCELLED]


def test_listeners_hear_of_every_kind_of_end_once() -> None:
    for how, end in (("setError", S.ERROR), ("skip", S.SKIPPED), ("cancel", S.CANCELLED)):
        drops = line(3)
        heard = Recorder(*drops, kind="dropCompleted")
        getattr(drops[0], how)()
        getattr(drops[0], how)()
        assert heard.values("status") == [end] * 3


def test_a_listener_that_raises_keeps_nobody_from_hearing() -> None:
    class Rude(Recorder):
        def handleEvent(self, e: Any) -> None:
            super().handleEvent(e)
            raise RuntimeError("not now")

    drop = InMemoryDROP("d")
    rude, polite = Rude(drop), Recorder(drop)
    drop.setCompleted()
    assert drop.status is S.COMPLETED
    assert len(rude.events) == len(polite.events) > 0


LONG = 50_000


@pytest.mark.parametrize("how", ["completes", "fails", "skips"])
def test_a_chain_of_a_hundred_thousand_drops_ends_without_recursion(
    tmp_path: Path, how: str
) -> None:
    specs = chain(LONG)
    if how != "completes":
        outcome = {"fails": "fail", "skips": "skip"}[how]
        specs[1] = app("a0", ["d1"], OUTCOME, outcome=outcome)
    report = run_graph(specs, runner="threads", workdir=tmp_path, timeout=100)
    expected = {
        "completes": {"COMPLETED": 2 * LONG + 1},
        "fails": {"COMPLETED": 1, "ERROR": 2 * LONG},
        "skips": {"COMPLETED": 2, "SKIPPED": 2 * LONG - 1},
    }
    assert report.counts == expected[how]


def test_a_long_chain_of_free_standing_drops_fails_without_recursion() -> None:
    drops = line(3_000)
    drops[0].setError(OSError("lost"))
    assert (drops[-1].status, drops[-1].stopped_by) == (S.ERROR, "d0")


def test_a_long_chain_of_free_standing_drops_with_work_at_its_ends_has_no_recursion(
    tmp_path: Path,
) -> None:
    specs: list[dict[str, Any]] = []
    file = {"categoryType": "Data", "dropclass": "dlg.data.file.FileDROP"}
    for place in range(1_500):
        specs.append({**file, "oid": f"d{place}", "consumers": [f"a{place}"]})
        specs.append(app(f"a{place}", [f"d{place + 1}"]))
    specs.append({**file, "oid": "d1500"})
    report = run_graph(specs, runner="threads", workdir=tmp_path, timeout=60)
    assert report.counts == {"COMPLETED": 3001}


def test_what_is_independent_of_a_failure_completes(tmp_path: Path) -> None:
    specs = fan_gather(6, OUTCOME)
    specs[3] = app("a1", ["d1"], OUTCOME, outcome="fail")
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    (error,) = report.errors
    assert (error.uid, error.stopped) == ("a1", 3)
    assert report.counts["ERROR"] == 4
    assert report.drops["d0"].status is not S.ERROR


def test_data_nobody_consumes_is_the_result_and_stays(tmp_path: Path) -> None:
    specs = [data("in", ["f"], pydata=20), data("out")]
    specs.insert(
        1,
        app(
            "f", ["out"], "dlg.apps.python_function.PyFuncApp", func_code="def f(x): return x + 1"
        ),
    )
    report = run_graph(specs, runner="threads", workdir=tmp_path)
    assert report.leaves == ["out"]
    assert report.result("out") == 21
    assert report.drops["in"].status is S.DELETED


def test_effects_of_an_app_run_inline_wait_for_those_before_them(tmp_path: Path) -> None:
    file: dict[str, Any] = {"categoryType": "Data", "dropclass": "dlg.data.file.FileDROP"}
    file["consumers"] = ["a"]
    gone = {**file, "oid": "g", "persist": False, "expireAfterUse": True}
    specs = [{**file, "oid": "f"}, gone, app("a")]
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    assert report.status == "FINISHED"
