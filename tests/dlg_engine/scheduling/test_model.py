"""Whatever users, schedulers and workers do, in whichever order: the invariants hold.

And when all goes well from some moment on, every experiment comes to an end.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dlg_engine.scheduling import binding, helpers, planning, progress
from dlg_engine.scheduling.models import Assignment, Experiment, Job, JobSplit, Worker
from dlg_engine.scheduling.states import (
    AT_WORK,
    UNFINISHED,
    BlockState,
    ExperimentState,
    JobState,
    SplitState,
)
from tests.dlg_engine.scheduling.conftest import opened
from tests.dlg_engine.scheduling.plans import BAD, GOOD, KILLED, Desk, write_results

GRAPHS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"a": ()},
    {"a": (), "b": ("a",)},
    {"a": (), "c": ("a",)},
    {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")},
    {"x": (), "y": ("x",)},
)
"""They share blocks, so that experiments mirror each other."""


class Scheduling(RuleBasedStateMachine):
    """Users, a scheduler and workers."""

    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "cache").mkdir()
        self.database = self.stack.enter_context(opened(self.kind, directory))
        self.stack.enter_context(binding.using(self.database))
        self.desk = Desk(self.database, directory / "cache")

    def teardown(self) -> None:
        try:
            self.all_goes_well()
        finally:
            self.stack.close()

    @initialize(cores=st.integers(1, 3), limit=st.sampled_from([0, 1, 2]))
    def begin(self, cores: int, limit: int) -> None:
        big = self.desk.add_queue("big", cores=2)
        small = self.desk.add_queue("queue", max_slots_per_user=limit)
        self.desk.add_worker("one", [big, small], cores=max(2, cores))
        self.desk.add_worker("two", [small], cores=cores)

    # -- users

    @rule(
        graph=st.sampled_from(GRAPHS),
        author=st.sampled_from(["ann", "bob"]),
        queue=st.sampled_from(["big", "queue"]),
    )
    def submit(self, graph: dict[str, tuple[str, ...]], author: str, queue: str) -> None:
        self.desk.add(graph, author=author, queue=queue)

    @rule(choice=st.randoms(use_true_random=False))
    def cancel(self, choice: Any) -> None:
        self._with(Experiment, choice, helpers.cancel_experiment)

    @rule(choice=st.randoms(use_true_random=False))
    def schedule_again(self, choice: Any) -> None:
        self._with(Experiment, choice, helpers.schedule_experiment)

    @rule(choice=st.randoms(use_true_random=False))
    def reset(self, choice: Any) -> None:
        over = (ExperimentState.DONE, ExperimentState.FAILED)
        self._with(Experiment, choice, planning.reset_experiment, lambda one: one.status in over)

    # -- schedulers

    @rule()
    def split(self) -> None:
        helpers.split_new_jobs()

    @rule()
    def assign(self) -> None:
        helpers.assign_splits_to_workers()

    @rule()
    def process_cancelled(self) -> None:
        helpers.process_newly_cancelled_experiments()

    # -- workers

    @rule(choice=st.randoms(use_true_random=False))
    def start(self, choice: Any) -> None:
        self._with_split(choice, helpers.on_split_started, (SplitState.ASSIGNED,))

    @rule(choice=st.randoms(use_true_random=False))
    def done(self, choice: Any) -> None:
        self._with_split(choice, self._finish, AT_WORK)

    @rule(choice=st.randoms(use_true_random=False))
    def done_before_it_is_seen(self, choice: Any) -> None:
        self._with_split(choice, lambda one: helpers.on_split_done(one, GOOD), AT_WORK)

    @rule(choice=st.randoms(use_true_random=False), result=st.sampled_from([BAD, KILLED]))
    def fail(self, choice: Any, result: Any) -> None:
        self._with_split(choice, lambda one: helpers.on_split_fail(one, result), AT_WORK)

    @rule(choice=st.randoms(use_true_random=False))
    def stopped(self, choice: Any) -> None:
        self._with_split(choice, helpers.on_split_cancelled, (SplitState.CANCELLING,))

    @rule(choice=st.randoms(use_true_random=False))
    def lose(self, choice: Any) -> None:
        self._with_split(choice, self._lose, AT_WORK)

    @rule(choice=st.randoms(use_true_random=False))
    def a_worker_comes_or_goes(self, choice: Any) -> None:
        def turn(worker: Worker) -> None:
            with binding.work(worker) as session:
                own = binding.here(session, worker)
                own.active = not own.active

        self._with(Worker, choice, turn)

    # -- what always holds

    @invariant()
    def at_most_one_job_of_a_key_is_at_work(self) -> None:
        at_work = Counter(
            job.key
            for job in self._all(Job)
            if job.status is JobState.PROCESSING and not job.mirror
        )
        assert not at_work or max(at_work.values()) == 1

    @invariant()
    def a_mirror_has_no_splits_and_follows_a_job_that_has(self) -> None:
        with self.database.reading() as session:
            for job in session.query(Job).filter(Job.mirror):
                assert not job.splits
                assert job.status in UNFINISHED
                mains = session.query(Job).filter(
                    Job.key == job.key, ~Job.mirror, Job.status.in_(UNFINISHED), Job.splits.any()
                )
                assert mains.count() == 1

    @invariant()
    def no_more_cores_are_reserved_than_a_worker_has(self) -> None:
        with self.database.reading() as session:
            for worker in session.query(Worker):
                held = session.query(JobSplit).filter_by(worker_id=worker.id)
                reserved = [one.cores for one in held if one.status in AT_WORK]
                assert sum(reserved) <= worker.cores

    @invariant()
    def what_a_worker_has_has_a_number_and_nothing_else_has_one(self) -> None:
        with self.database.reading() as session:
            for split in session.query(JobSplit):
                assert (split.assignment is not None) == (split.status in AT_WORK)

    @invariant()
    def a_split_is_completed_once(self) -> None:
        done = Counter(
            one.split_id for one in self._all(Assignment) if one.outcome == SplitState.COMPLETED
        )
        assert not done or max(done.values()) == 1

    @invariant()
    def a_block_stands_as_its_job_and_an_experiment_as_its_blocks(self) -> None:
        blocks = {
            JobState.QUEUED: BlockState.PENDING, JobState.PROCESSING: BlockState.PROCESSING,
            JobState.COMPLETED: BlockState.DONE, JobState.SKIPPED: BlockState.DONE,
            JobState.FAILED: BlockState.FAILED, JobState.CANCELLED: BlockState.CANCELLED,
        }  # fmt: skip
        with self.database.reading() as session:
            for experiment in session.query(Experiment):
                states = {one.status for one in experiment.blocks}
                for block in experiment.blocks:
                    if block.job is not None and block.job.status is not JobState.CANCELLING:
                        assert block.status is blocks[block.job.status]
                if experiment.status is ExperimentState.DONE:
                    assert states == {BlockState.DONE}
                if experiment.status is ExperimentState.FAILED:
                    assert experiment.failure
                    assert BlockState.PROCESSING not in states

    @invariant()
    def nobody_runs_before_what_he_needs_is_done(self) -> None:
        with self.database.reading() as session:
            for job in session.query(Job).filter(Job.status == JobState.PROCESSING, ~Job.mirror):
                assert all(one.status is BlockState.DONE for one in job.block.needs)

    def all_goes_well(self) -> None:
        with self.database.transaction() as session:
            for worker in session.query(Worker):
                worker.active = True
        for _ in range(200):
            self.desk.advance()
            with self.database.reading() as session:
                held = session.query(JobSplit).filter(JobSplit.status.in_(AT_WORK)).all()
                awaited = session.query(Job).filter(Job.awaited_since.is_not(None)).all()
            if not held and not awaited:
                break
            for split in held:
                self._finish(split)
            for job in awaited:
                self._arrive(job)
        for experiment in self._all(Experiment):
            assert experiment.status in (
                ExperimentState.DONE, ExperimentState.FAILED, ExperimentState.PENDING,
            )  # fmt: skip

    # -- how

    def _all(self, kind: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.query(kind).order_by(kind.id))

    def _with(
        self,
        kind: Any,
        choice: Any,
        do: Callable[[Any], Any],
        which: Callable[[Any], bool] = lambda _one: True,
    ) -> None:
        found = [one for one in self._all(kind) if which(one)]
        if found:
            do(choice.choice(found))

    def _with_split(self, choice: Any, do: Callable[[Any], Any], states: Any) -> None:
        self._with(JobSplit, choice, do, lambda one: one.status in states)

    def _finish(self, split: JobSplit) -> None:
        write_results(split, self.database)
        helpers.on_split_done(split, GOOD)

    def _arrive(self, job: Job) -> None:
        with self.database.reading() as session:
            splits = session.query(JobSplit).filter_by(job_id=job.id).all()
        for split in splits:
            write_results(split, self.database)
        with binding.work(job) as session:
            progress.recheck(session, binding.here(session, job))

    def _lose(self, split: JobSplit) -> None:
        with binding.work(split) as session:
            progress.lost(session, binding.here(session, split), "its worker is silent")


class OnPostgreSQL(Scheduling):
    """The same, where rows are locked."""

    kind = "postgresql"


def test_the_invariants_hold_whatever_happens() -> None:
    run_state_machine_as_test(
        Scheduling,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.services
def test_the_invariants_hold_in_postgresql() -> None:
    run_state_machine_as_test(
        OnPostgreSQL,
        settings=settings(
            max_examples=5, stateful_step_count=25, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
