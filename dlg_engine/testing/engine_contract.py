"""What every engine must do, as tests that an engine inherits.

Subclass the contract in a test module, name the engine, say with which options it is started, and
pytest runs all tests::

    class TestMyEngine(EngineContract):
        engine = "mine"

        @pytest.fixture
        def options(self, tmp_path: Path) -> dict[str, Any]:
            return {"address": "...", "workdir": tmp_path}

What an engine says that it cannot do it must refuse.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dlg import plugins
from dlg.ddap_protocol import DROPStates as S
from dlg.engines import Engine, NotOnThisEngineError, Report, Run
from dlg.exceptions import InvalidGraphException, InvalidSessionState
from dlg.reproducibility.levels import Level
from dlg.testing.graphs import app, chain, data, layered

OUTCOME = "dlg.testing.apps.OutcomeApp"
JOINING = "dlg.testing.apps.JoiningApp"
PIECES = "dlg.testing.apps.PiecesApp"
COUNTING = "dlg.testing.apps.CountingApp"
SLEEP = "dlg.apps.sleep.SleepApp"
RELEASED = {S.DELETED: S.COMPLETED, S.EXPIRED: S.COMPLETED}
"""Data that was released after use had been completed."""
PATIENCE_S = 100.0

Specs = Sequence[Mapping[str, Any]]


def ends(report: Report) -> dict[str, S]:
    """Return how each drop ended, data that was released since as completed."""
    return {uid: RELEASED.get(state, state) for uid, state in report.states.items()}


def diamond(**last: Any) -> list[dict[str, Any]]:
    """Return four apps that tell in their output what they have read: `d3` says it all."""
    specs = layered({0: [], 1: [0], 2: [0], 3: [1, 2]}, JOINING)
    specs[-1] |= {"persist": True, **last}
    return specs


class EngineContract:
    """The tests: the running of graphs."""

    engine: ClassVar[str]

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        """With what the engine is started."""
        return {"workdir": tmp_path}

    @pytest.fixture
    def member(self) -> Engine:
        """The engine."""
        found: Engine = plugins.engine(self.engine)
        return found

    @staticmethod
    def run(member: Engine, specs: Specs, options: Mapping[str, Any], **more: Any) -> Report:
        """Run a graph to its end."""
        return member(list(specs), timeout=PATIENCE_S, **options, **more)

    def test_it_is_an_engine_that_knows_its_name(self, member: Engine) -> None:
        assert isinstance(member, Engine)
        assert member.name == self.engine

    def test_all_drops_of_a_chain_are_completed(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        report = self.run(member, chain(4), options)
        assert (report.status, report.errors, sum(report.counts.values())) == (
            "FINISHED", (), 9,
        )  # fmt: skip
        assert set(ends(report).values()) == {S.COMPLETED}

    def test_data_comes_back_byte_by_byte(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        report = self.run(member, diamond(), options)
        assert report.result("d3") == b"(a3+(a1+(a0+))+(a2+(a0+)))"

    def test_a_failure_is_told_once_and_stops_what_follows(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        specs = layered({0: [], 1: [0], 2: [0]}, OUTCOME, outcome=["finish", "fail", "finish"])
        report = self.run(member, specs, options)
        found = ends(report)
        assert report.status == "FAILED"
        assert [error.uid for error in report.errors] == ["a1"]
        assert "OutcomeError: a1 was told to fail" in report.errors[0].exception
        assert (found["d1"], found["d2"]) == (S.ERROR, S.COMPLETED)

    def test_an_app_that_failed_is_tried_again_if_its_graph_says_so(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        specs = layered({0: []}, OUTCOME, outcome=["flaky"], n_tries=[2])
        assert self.run(member, specs, options).status == "FINISHED"

    def test_a_branch_that_is_not_taken_is_skipped(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        outcome = ["skip", "finish", "finish", "finish"]
        block = [False, False, False, True]
        specs = layered({0: [], 1: [0], 2: [], 3: [1, 2]}, OUTCOME, outcome=outcome,
                        block_skip=block)  # fmt: skip
        found = ends(self.run(member, specs, options))
        assert [found[f"d{n}"] for n in range(4)] == [
            S.SKIPPED, S.SKIPPED, S.COMPLETED, S.COMPLETED,
        ]  # fmt: skip

    @pytest.mark.parametrize(("threshold", "end"), [(49, S.ERROR), (50, S.COMPLETED)])
    def test_an_app_bears_as_many_failed_inputs_as_its_threshold_says(
        self, member: Engine, options: Mapping[str, Any], threshold: int, end: S
    ) -> None:
        specs = layered({0: [], 1: [], 2: [0, 1]}, OUTCOME, outcome=["fail", "finish", "finish"],
                        input_error_threshold=[0, 0, threshold])  # fmt: skip
        assert ends(self.run(member, specs, options))["d2"] is end

    def test_data_is_read_while_it_is_written_or_that_is_refused(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        specs = [
            app("writer", ["stream"], PIECES),
            data("stream", streamingConsumers=["counter"]),
            app("counter", ["count"], COUNTING),
            data("count", persist=True),
        ]
        if member.abilities.streaming:
            assert self.run(member, specs, options).result("count") == b"100"
        else:
            with pytest.raises(NotOnThisEngineError, match="stream"):
                self.run(member, specs, options)

    def test_files_are_in_the_directory_of_the_session(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        file = {"dropclass": "dlg.data.file.FileDROP", "filepath": "made/here.txt"}
        assert self.run(member, diamond(**file), options).result("d3").endswith(b"(a0+)))")

    def test_progress_is_told_to_the_end(self, member: Engine, options: Mapping[str, Any]) -> None:
        told: list[Any] = []
        self.run(member, chain(3), options, progress=told.append)
        assert (told[-1].total, told[-1].done, told[-1].failed) == (7, 7, 0)

    def test_a_run_is_watched_and_cancelled_from_outside(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        run = member.start([app("long", ["d"], SLEEP, sleep_time=600), data("d")], **options)
        assert isinstance(run, Run)
        assert not run.watch(timeout=0.1)
        with pytest.raises(InvalidSessionState):
            run.collect()
        ended: queue.SimpleQueue[bool] = queue.SimpleQueue()
        watching = threading.Thread(target=lambda: ended.put(run.watch(PATIENCE_S)), daemon=True)
        watching.start()
        run.cancel("enough")
        assert ended.get(timeout=PATIENCE_S)
        report = run.collect()
        assert (report.status, ends(report)["long"]) == ("CANCELLED", S.CANCELLED)

    def test_a_run_that_takes_too_long_is_cancelled(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        specs = [app("long", ["d"], SLEEP, sleep_time=600), data("d")]
        assert member(specs, timeout=0.2, **options).status == "CANCELLED"

    def test_a_wrong_graph_is_refused(self, member: Engine, options: Mapping[str, Any]) -> None:
        with pytest.raises(InvalidGraphException, match="nobody"):
            self.run(member, [app("a", ["nobody"])], options)

    def test_an_option_of_nobody_is_refused(
        self, member: Engine, options: Mapping[str, Any]
    ) -> None:
        with pytest.raises(NotOnThisEngineError, match="warp"):
            self.run(member, chain(1), options, warp=9)

    def test_evidence_is_that_of_any_other_engine(
        self, member: Engine, options: Mapping[str, Any], tmp_path: Path
    ) -> None:
        if not member.abilities.reproducibility:
            with pytest.raises(NotOnThisEngineError, match="reproducibility"):
                self.run(member, diamond(), options, reproducibility="all")
            return
        reference = plugins.engine()(diamond(), workdir=tmp_path, reproducibility="all")
        report = self.run(member, diamond(), options, reproducibility="all")
        assert (report.status, report.reason, report.errors) == ("FINISHED", "", ())
        assert signatures(report) == signatures(reference)

    def test_results_are_reused_or_that_is_refused(
        self, member: Engine, options: Mapping[str, Any], tmp_path: Path
    ) -> None:
        again = {"store": tmp_path / "store", **options}
        if not member.abilities.reuse:
            with pytest.raises(NotOnThisEngineError, match="store"):
                self.run(member, diamond(), again)
            return
        first = self.run(member, diamond(), again).result("d3")
        assert self.run(member, diamond(), again).result("d3") == first


def signatures(report: Report) -> dict[str, str]:
    """Return the signature of a run at each level."""
    whole = report.evidence()[-1]
    return {level.name: whole[level.name]["signature"] for level in Level
            if level.name in whole}  # fmt: skip
