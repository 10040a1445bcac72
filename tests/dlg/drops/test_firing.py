"""When apps run."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.ddap_protocol import ExecutionMode
from dlg.drops.app_base import AppDROP, BarrierAppDROP, InputFiredAppDROP
from dlg.exceptions import ErrorManagerCaughtException, InvalidDropException, UnexpectedEventError
from dlg.testing.expectations import PATIENCE_S, ending


class Counting(BarrierAppDROP):
    """Counts how often it is run; fails the first `failures` times."""

    __slots__ = ("failures", "runs")

    error: ClassVar[type[Exception]] = OSError

    def initialize(self, failures: int = 0, **kwargs: Any) -> None:
        self.failures, self.runs = failures, 0

    def run(self) -> None:
        self.runs += 1
        if self.runs <= self.failures:
            raise self.error(f"run {self.runs}")


class Hopeless(Counting):
    __slots__ = ()

    error = ErrorManagerCaughtException


class CountingFired(InputFiredAppDROP):
    __slots__ = ("seen",)

    def initialize(self, **kwargs: Any) -> None:
        self.seen: list[list[S]] = []

    def run(self) -> None:
        self.seen.append([drop.status for drop in self.inputs])


def inputs_of(app: Any, count: int) -> list[InMemoryDROP]:
    drops = [InMemoryDROP(f"in{i}") for i in range(count)]
    for drop in drops:
        app.addInput(drop)
    return drops


def test_a_barrier_waits_for_all_inputs_and_runs_once() -> None:
    app = Counting("a")
    *most, last = inputs_of(app, 5)
    for drop in most:
        drop.setCompleted()
    assert (app.runs, app.execStatus) == (0, X.NOT_RUN)
    with ending(app):
        last.setCompleted()
    assert app.runs == 1


def test_an_input_fired_app_runs_at_the_number_it_was_told_and_ignores_the_rest() -> None:
    app = CountingFired("a", n_effective_inputs=2)
    first, second, third = inputs_of(app, 3)
    first.setCompleted()
    assert app.execStatus is X.NOT_RUN
    with ending(app):
        second.setCompleted()
    third.setCompleted()
    assert app.seen == [[S.COMPLETED, S.COMPLETED, S.INITIALIZED]]


def test_without_a_number_it_waits_for_all() -> None:
    app = CountingFired("a")
    first, second = inputs_of(app, 2)
    first.setCompleted()
    with ending(app):
        second.setCompleted()
    assert app.seen == [[S.COMPLETED] * 2]


@pytest.mark.parametrize("needed", [0, -2])
def test_a_number_of_inputs_that_makes_no_sense_is_refused(needed: int) -> None:
    with pytest.raises(InvalidDropException, match="n_effective_inputs must be -1 or at least 1"):
        InputFiredAppDROP("a", n_effective_inputs=needed)


def test_failures_count_against_the_inputs_that_are_needed() -> None:
    app = CountingFired("a", n_effective_inputs=2, input_error_threshold=50)
    first, second, _third = inputs_of(app, 3)
    first.setError(OSError("lost"))
    with ending(app):
        second.setCompleted()
    assert app.execStatus is X.FINISHED


@pytest.mark.parametrize(
    ("bad", "total", "threshold", "runs"),
    [(1, 2, 49, 0), (1, 2, 50, 1), (1, 3, 32, 0), (1, 3, 33, 1), (3, 3, 99, 0), (3, 3, 100, 1)],
)
def test_so_many_per_cent_of_the_inputs_may_fail(
    bad: int, total: int, threshold: int, runs: int
) -> None:
    app = Counting("a", input_error_threshold=threshold)
    drops = inputs_of(app, total)
    with ending(app):
        for drop in drops[:bad]:
            drop.setError(OSError("lost"))
        for drop in drops[bad:]:
            drop.setCompleted()
    assert app.runs == runs
    assert app.execStatus is (X.FINISHED if runs else X.ERROR)


def test_cancelled_inputs_count_like_failed_ones() -> None:
    tolerant, strict = Counting("t", input_error_threshold=50), Counting("s")
    one, other = InMemoryDROP("one"), InMemoryDROP("other")
    for app in (tolerant, strict):
        app.addInput(one)
        app.addInput(other)
    with ending(tolerant, strict):
        one.cancel()
        other.setCompleted()
    assert (tolerant.execStatus, strict.execStatus) == (X.FINISHED, X.CANCELLED)


@pytest.mark.parametrize(
    ("tries", "runs", "end"), [(1, 1, X.ERROR), (2, 2, X.ERROR), (3, 3, X.FINISHED)]
)
def test_an_app_is_tried_as_often_as_it_may_be(tries: int, runs: int, end: X) -> None:
    app = Counting("a", failures=2, n_tries=tries)
    with ending(app):
        app.async_execute()
    assert (app.runs, app.execStatus) == (runs, end)


def test_the_failure_that_is_kept_is_the_last() -> None:
    app = Counting("a", failures=9, n_tries=3)
    with ending(app):
        app.async_execute()
    assert str(app.failure) == "run 3"


def test_a_failure_that_will_not_go_away_is_not_tried_again() -> None:
    app = Hopeless("a", failures=1, n_tries=5)
    with ending(app):
        app.async_execute()
    assert (app.runs, app.execStatus) == (1, X.ERROR)


def test_data_in_external_mode_does_not_trigger_its_consumers() -> None:
    data, app = InMemoryDROP("d", executionMode=ExecutionMode.EXTERNAL), Counting("a")
    data.addConsumer(app)
    data.setCompleted()
    assert (app.runs, app.execStatus) == (0, X.NOT_RUN)
    app.execute()
    assert (app.runs, app.execStatus) == (1, X.FINISHED)


@pytest.mark.parametrize("mode", ["EXTERNAL", 1, "ExecutionMode.EXTERNAL"])
def test_a_graph_file_says_external_in_several_ways(mode: Any) -> None:
    data, app = InMemoryDROP("d", executionMode=mode), Counting("a")
    data.addConsumer(app)
    data.setCompleted()
    assert app.execStatus is X.NOT_RUN


def test_executing_twice_runs_once() -> None:
    app = Counting("a")
    app.execute()
    app.execute()
    app.async_execute()
    assert app.runs == 1


def test_an_app_that_hears_of_its_inputs_decides_by_itself() -> None:
    class Choosy(AppDROP):
        __slots__ = ("heard",)

        def initialize(self, **kwargs: Any) -> None:
            self.heard: list[tuple[str, S]] = []

        def dropCompleted(self, uid: str, drop_state: S) -> None:
            self.heard.append((uid, drop_state))
            if len(self.heard) == 2:
                self._notifyAppIsFinished()

    app, out = Choosy("a"), InMemoryDROP("out")
    first, second, _never = inputs_of(app, 3)
    app.addOutput(out)
    with ending(out):
        first.setCompleted()
        second.setError(OSError("lost"))
    assert app.heard == [("in0", S.COMPLETED), ("in1", S.ERROR)]
    assert out.status is S.COMPLETED


def test_an_app_may_report_its_own_failure() -> None:
    app, out = AppDROP("a"), InMemoryDROP("out")
    app.addOutput(out)
    app.execStatus = X.RUNNING
    app.execStatus = X.ERROR
    app._notifyAppIsFinished()
    assert (app.status, out.status, out.stopped_by) == (S.ERROR, S.ERROR, "a")


def test_an_app_may_call_back_into_the_graph_while_it_runs() -> None:
    class Completing(BarrierAppDROP):
        __slots__ = ()

        def run(self) -> None:
            self.outputs[0].write(b"early")
            self.outputs[0].setCompleted()

    app, out, after = Completing("a"), InMemoryDROP("out"), Counting("after")
    app.addOutput(out)
    out.addConsumer(after)
    with ending(app, after):
        app.async_execute()
    assert (out.contents(), after.runs) == (b"early", 1)


def test_data_with_several_producers_waits_for_all() -> None:
    gate, out = threading.Event(), InMemoryDROP("out")

    class Slow(BarrierAppDROP):
        __slots__ = ()

        def run(self) -> None:
            assert gate.wait(PATIENCE_S)

    fast, slow = Counting("fast"), Slow("slow")
    for app in (fast, slow):
        app.addOutput(out)
    slow.async_execute()
    with ending(fast):
        fast.async_execute()
    states = [out.status]
    with ending(out):
        gate.set()
    assert [*states, out.status] == [S.INITIALIZED, S.COMPLETED]


def test_what_no_table_allows_names_the_drop_the_state_and_the_event() -> None:
    drop = InMemoryDROP("d")
    drop.cancel()
    with pytest.raises(UnexpectedEventError, match="drop d: write cannot follow CANCELLED"):
        drop.write(b"x")
