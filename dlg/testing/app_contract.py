"""What every app must do, as tests that an app inherits.

Subclass the contract in a test module and say how to make an app that can do its work::

    class TestMyApp(AppContract):
        def make(self, **parameters: Any) -> BarrierAppDROP:
            app = MyApp("app", **parameters)
            app.addInput(filled("in", b"data"))
            app.addOutput(InMemoryDROP("out"))
            return app

The contract is about apps that run once their inputs have ended (`BarrierAppDROP`): when they
run, how often, and what becomes of their outputs. What the app's work is, its own tests say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.remote import apply_outcome, make_job
from dlg.exceptions import InvalidDropException, UsageError
from dlg.graph.categories import resolve_class
from dlg.testing.expectations import PATIENCE_S, Recorder, ending, far_away, refused

S, X = DROPStates, AppDROPStates


def filled(uid: str, content: Any = b"", encoding: str = "") -> InMemoryDROP:
    """Return a memory drop that holds `content` in `encoding`, and is not complete."""
    drop = InMemoryDROP(uid)
    drop.store(content, encoding or ("raw" if isinstance(content, bytes) else "pickle"))
    return drop


def run(app: Any) -> None:
    """Complete the inputs of `app`, or start it if there are none to wait for; await its end."""
    with ending(app, *app.outputs):
        inputs = [drop for drop in [*app.inputs, *app.streamingInputs] if drop.status <= S.WRITING]
        for drop in inputs:
            drop.setCompleted()
        if not inputs:
            app.async_execute()


def working_as(app: Any, work: Callable[[Any], None]) -> Any:
    """Return `app` with `work` as what it does."""
    cls = type(app)
    app.__class__ = type(cls.__name__, (cls,), {"run": work, "__slots__": ()})
    return app


class _Nobody:
    """A runner that runs nothing, so that a test can."""

    workers = 1

    def submit(self, live: Any) -> None:
        """Give the work back."""
        live.leave()


class TiredError(Exception):
    """A failure that may go away."""


class _Made:
    """How the contract gets at apps."""

    def make(self, **parameters: Any) -> BarrierAppDROP:
        """Return a new app with `parameters` and all the inputs and outputs that it needs.

        The inputs hold their data but are not complete.
        """
        raise NotImplementedError

    def make_gated(self, work: Callable[[Any], None]) -> tuple[Any, InMemoryDROP]:
        """Return an app that does `work`, and an input more, the last to be waited for."""
        app, gate = working_as(self.make(), work), InMemoryDROP("gate")
        app.addInput(gate)
        for drop in app.inputs[:-1]:
            drop.setCompleted()
        return app, gate


class EndsContract(_Made):
    """How an app ends, and what that means for its outputs."""

    def test_it_does_its_work_and_completes_its_outputs(self) -> None:
        app = self.make()
        run(app)
        assert app.failure is None
        assert (app.status, app.execStatus) == (S.COMPLETED, X.FINISHED)
        assert {output.status for output in app.outputs} <= {S.COMPLETED, S.SKIPPED}

    def test_it_tells_its_end_once(self) -> None:
        app = self.make()
        told = Recorder(app, kind="producerFinished")
        run(app)
        app.execute()
        assert told.values("execStatus") == [X.FINISHED]

    def test_a_failure_is_kept_and_its_outputs_say_whose_it_is(self) -> None:
        def fail(_app: Any) -> None:
            raise TiredError("once")

        app, gate = self.make_gated(fail)
        with ending(app, *app.outputs):
            gate.setCompleted()
        assert isinstance(app.failure, TiredError)
        assert (app.status, app.execStatus) == (S.ERROR, X.ERROR)
        assert all((o.status, o.stopped_by) == (S.ERROR, app.uid) for o in app.outputs)

    def test_it_is_tried_as_often_as_it_may_be(self) -> None:
        tries: list[int] = []

        def fail_twice(_app: Any) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise TiredError("not yet")

        app, gate = self.make_gated(fail_twice)
        app.n_tries = 3
        with ending(app):
            gate.setCompleted()
        assert (len(tries), app.status) == (3, S.COMPLETED)

    def test_what_is_the_users_fault_is_not_tried_again(self) -> None:
        tries: list[int] = []

        def refuse(_app: Any) -> None:
            tries.append(1)
            raise UsageError("so it will never do")

        app, gate = self.make_gated(refuse)
        app.n_tries = 3
        with ending(app):
            gate.setCompleted()
        assert (len(tries), app.status) == (1, S.ERROR)

    def test_cancelled_while_it_waits_it_never_runs(self) -> None:
        app, gate = self.make_gated(_must_not_run)
        app.cancel()
        gate.setCompleted()
        assert (app.status, app.execStatus) == (S.CANCELLED, X.CANCELLED)
        assert {output.status for output in app.outputs} <= {S.CANCELLED}

    def test_cancelled_while_it_runs_its_outcome_does_not_count(self) -> None:
        begun, ended = threading.Event(), threading.Event()

        def wait(app: Any) -> None:
            begun.set()
            app.wait(PATIENCE_S)
            ended.set()

        app, gate = self.make_gated(wait)
        gate.setCompleted()
        assert begun.wait(PATIENCE_S)
        app.cancel()
        assert ended.wait(PATIENCE_S)
        assert app.execStatus is X.CANCELLED
        assert {output.status for output in app.outputs} <= {S.CANCELLED}

    def test_it_runs_in_another_process_if_it_may(self) -> None:
        app: Any = self.make()
        if app.runs_here:
            return  # it does little but wait, so every runner runs it where the graph is
        live, row = app._graph, app._row  # noqa: SLF001  as a runner does
        live.runner = _Nobody()
        for drop in app.inputs:
            drop.setCompleted()
        outcome = far_away(make_job(live, row, "dlg-test-"))
        assert apply_outcome(live, row, outcome) is None


class StartsContract(_Made):
    """When an app runs."""

    def test_a_new_app_has_not_run(self) -> None:
        app = self.make()
        assert (app.status, app.execStatus) == (S.INITIALIZED, X.NOT_RUN)

    def test_a_graph_file_can_name_the_class(self) -> None:
        cls = type(self.make())
        assert resolve_class(f"{cls.__module__}.{cls.__qualname__}") is cls

    def test_every_declared_parameter_says_what_it_is_for(self) -> None:
        declared = type(self.make()).declared_parameters()
        assert not [name for name, parameter in declared.items() if not parameter.description]

    def test_an_ill_typed_parameter_is_refused_with_its_name(self) -> None:
        with refused(InvalidDropException) as caught:
            self.make(n_tries="many")
        assert "n_tries" in str(caught[0])

    def test_it_waits_for_the_last_input(self) -> None:
        app, _gate = self.make_gated(_must_not_run)
        assert (app.execStatus, app.failure) == (X.NOT_RUN, None)

    def test_a_failed_input_fails_it_and_its_outputs_say_whose_fault_that_is(self) -> None:
        app, gate = self.make_gated(_must_not_run)
        gate.setError(TiredError("gate"))
        assert (app.status, app.stopped_by, app.failure) == (S.ERROR, "gate", None)
        assert all((o.status, o.stopped_by) == (S.ERROR, "gate") for o in app.outputs)

    def test_it_tolerates_as_many_failed_inputs_as_it_is_told(self) -> None:
        ran: list[int] = []
        app, gate = self.make_gated(lambda _app: ran.append(1))
        app.input_error_threshold = 100
        with ending(app):
            gate.setError(TiredError("gate"))
        assert (ran, app.status) == ([1], S.COMPLETED)

    def test_a_skipped_input_skips_it_and_its_outputs(self) -> None:
        app, gate = self.make_gated(_must_not_run)
        gate.skip()
        assert (app.status, app.execStatus) == (S.SKIPPED, X.SKIPPED)
        assert {output.status for output in app.outputs} <= {S.SKIPPED}

    def test_a_cancelled_input_cancels_it_and_its_outputs(self) -> None:
        app, gate = self.make_gated(_must_not_run)
        gate.cancel()
        assert (app.status, app.execStatus) == (S.CANCELLED, X.CANCELLED)
        assert {output.status for output in app.outputs} <= {S.CANCELLED}


class AppContract(StartsContract, EndsContract):
    """What holds of every app that runs once its inputs have ended."""


def _must_not_run(app: Any) -> None:
    raise AssertionError(f"{app.uid} was run")
