"""Apps that end in ways nobody asked for: the drop has failed, and the graph goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.apps.null import NullBarrierApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.live import LiveGraph, WorkerSource
from dlg.states.flow import Flow
from dlg.testing.graphs import app, data
from dlg_engine.embedded import RunInterrupted, run_graph
from dlg_engine.runners.threads import ThreadRunner
from dlg_engine.sessions.report import RunReport

MODULE = "odd_endings_of_a_user"
COMPONENTS = """
import asyncio
from pathlib import Path
from dlg.drops.app_base import BarrierAppDROP

class SaysItFailed(BarrierAppDROP):
    def run(self):
        self.setError(ValueError("my own"))

class SaysItFinished(BarrierAppDROP):
    def run(self):
        self._notifyAppIsFinished()

class SaysItFinishedAndRaises(BarrierAppDROP):
    def run(self):
        self._notifyAppIsFinished()
        raise ValueError("after all")

class Raises(BarrierAppDROP):
    def run(self):
        raise {"CancelledError": asyncio.CancelledError, "SystemExit": SystemExit,
               "GeneratorExit": GeneratorExit, "KeyboardInterrupt": KeyboardInterrupt,
               }[self.parameters["kind"]]("odd")

class ExitsWhenMade(BarrierAppDROP):
    def initialize(self, **keywords):
        raise SystemExit("odd")

class SlowToMake(BarrierAppDROP):
    def initialize(self, begun, ran, **keywords):
        self.ran = Path(ran)
        Path(begun).touch()
        self.wait(60)  # until it is cancelled

    def run(self):
        self.ran.touch()
"""

RUNNERS = ("inline", "threads", "processes")


@pytest.fixture(autouse=True)
def components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{MODULE}.py").write_text(COMPONENTS)
    monkeypatch.syspath_prepend(tmp_path)


def run(runner: str, tmp_path: Path, component: str, **parameters: Any) -> RunReport:
    """Run the component with something after it, beside more apps than there are workers."""
    specs = [
        app("a", ["out"], f"{MODULE}.{component}", **parameters),
        data("out", ["b"]),
        app("b"),
    ]
    for i in range(4):
        specs += [app(f"x{i}", [f"y{i}"]), data(f"y{i}")]
    return run_graph(specs, runner=runner, workers=2, workdir=tmp_path, timeout=60)


def states(report: RunReport, *uids: str) -> list[S]:
    return [report.drops[uid].status for uid in uids]


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_app_that_sets_itself_to_error_has_failed_once_it_returns(
    runner: str, tmp_path: Path
) -> None:
    report = run(runner, tmp_path, "SaysItFailed")
    assert [(e.uid, e.exception) for e in report.errors] == [("a", "ValueError: my own")]
    assert states(report, "a", "out", "b") == [S.ERROR] * 3
    assert report.counts["COMPLETED"] == 8


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_app_that_says_it_has_finished_may_still_return(runner: str, tmp_path: Path) -> None:
    report = run(runner, tmp_path, "SaysItFinished")
    assert (report.status, report.errors) == ("FINISHED", ())


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_app_that_fails_after_it_said_it_had_finished_has_failed(
    runner: str, tmp_path: Path
) -> None:
    report = run(runner, tmp_path, "SaysItFinishedAndRaises")
    assert [(e.uid, e.exception) for e in report.errors] == [("a", "ValueError: after all")]
    assert report.status == "FAILED"


@pytest.mark.parametrize("kind", ["CancelledError", "SystemExit", "GeneratorExit"])
@pytest.mark.parametrize("runner", RUNNERS)
def test_what_would_end_a_thread_fails_the_drop_alone(
    runner: str, kind: str, tmp_path: Path
) -> None:
    report = run(runner, tmp_path, "Raises", kind=kind)
    (error,) = report.errors
    assert (error.uid, error.exception.rpartition(".")[2]) == ("a", f"{kind}: odd")
    assert (report.status, report.counts["COMPLETED"]) == ("FAILED", 8)


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_an_interrupt_that_an_app_makes_itself_fails_the_drop_alone(
    runner: str, tmp_path: Path
) -> None:
    report = run(runner, tmp_path, "Raises", kind="KeyboardInterrupt")
    assert [e.exception for e in report.errors] == ["KeyboardInterrupt: odd"]
    assert (report.status, report.counts["COMPLETED"]) == ("FAILED", 8)


def test_an_interrupt_in_the_main_thread_cancels_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunInterrupted) as caught:
        run("inline", tmp_path, "Raises", kind="KeyboardInterrupt")
    report = caught.value.report
    assert (report.status, report.drops["a"].status) == ("CANCELLED", S.CANCELLED)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_component_that_exits_while_it_is_made_fails_its_drop(
    runner: str, tmp_path: Path
) -> None:
    report = run(runner, tmp_path, "ExitsWhenMade")
    assert [e.exception for e in report.errors] == ["SystemExit: odd"]
    assert report.counts["COMPLETED"] == 8


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_an_app_that_is_cancelled_while_its_object_is_made_does_not_run(
    runner: str, tmp_path: Path
) -> None:
    begun, ran = tmp_path / "begun", tmp_path / "ran"

    def interrupt(_progress: Any) -> None:
        if begun.exists():
            raise KeyboardInterrupt

    specs = [app("a", [], f"{MODULE}.SlowToMake", begun=str(begun), ran=str(ran))]
    with pytest.raises(RunInterrupted) as caught:
        run_graph(specs, runner=runner, workers=1, workdir=tmp_path, progress=interrupt)
    assert caught.value.report.drops["a"].status is S.CANCELLED
    assert caught.value.report.drops.live.idle
    assert not ran.exists()


class Mistaken(ThreadRunner):
    """A runner with a mistake of its own."""

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        if live.uids[row] == "a":
            raise RuntimeError("a mistake of the runner")
        return super().call(live, row)


def test_a_run_ends_although_its_runner_has_made_a_mistake(tmp_path: Path) -> None:
    specs = [app("a", ["out"]), data("out")]
    for i in range(4):
        specs += [app(f"x{i}", [f"y{i}"]), data(f"y{i}")]
    report = run_graph(specs, runner=Mistaken(1), workdir=tmp_path, timeout=60)
    assert [(e.uid, e.exception) for e in report.errors] == [
        ("a", "RuntimeError: a mistake of the runner")
    ]
    assert (report.status, report.counts["COMPLETED"]) == ("FAILED", 8)


class Breaking(LiveGraph):
    """Breaks off the first time that a worker comes."""

    __slots__ = ("broke",)

    def work(self, runner: WorkerSource) -> None:
        if not hasattr(self, "broke"):
            self.broke = True
            raise RuntimeError("a mistake of the graph")
        super().work(runner)


def test_another_worker_goes_on_where_one_broke_off() -> None:
    runner = ThreadRunner(2)
    try:
        live = Breaking(
            Flow(bytearray([1, 0]), [[1], []], [[], [0]]), ["a", "d"], ["a", "d"], runner
        )
        live.classes, live.class_ids, live.specs = [NullBarrierApp, InMemoryDROP], [0, 1], [{}, {}]
        live.start([0])
        with live.changed:
            assert live.changed.wait_for(lambda: live.idle, 30)
        assert list(live.flow.status) == [S.COMPLETED, S.COMPLETED]
    finally:
        runner.close()
