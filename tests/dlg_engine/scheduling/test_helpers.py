"""What the fourteen helpers do, on each database."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UnexpectedEventError, UsageError
from dlg_engine.scheduling import binding, helpers, planning, progress
from dlg_engine.scheduling.assigning import NoRoomError, as_existing
from dlg_engine.scheduling.models import Assignment, Experiment, Job, JobSplit, Queue, Worker
from dlg_engine.scheduling.states import ExperimentState, JobState, SplitState
from tests.dlg_engine.scheduling.plans import (
    BAD,
    GOOD,
    KILLED,
    Desk,
    path_of,
    plan,
    write_output,
    write_results,
)

CHAIN = {"one": (), "two": ("one",), "three": ("two",)}


@pytest.fixture
def queue(desk: Desk) -> Queue:
    return desk.add_queue()


@pytest.fixture
def worker(desk: Desk, queue: Queue) -> Worker:
    return desk.add_worker("w", [queue])


@pytest.fixture(autouse=True)
def _bound(desk: Desk) -> Any:
    with binding.using(desk.database):
        yield


@pytest.mark.usefixtures("worker")
def test_an_experiment_runs_block_after_block(desk: Desk) -> None:
    experiment = desk.add(CHAIN)
    assert experiment.status is ExperimentState.SCHEDULED
    assert desk.drain() == 3
    assert desk.states(experiment) == ("DONE", dict.fromkeys(CHAIN, "DONE"))


@pytest.mark.usefixtures("worker")
def test_a_block_waits_for_what_it_needs(desk: Desk) -> None:
    desk.add({"a": (), "b": (), "c": ("a", "b")})
    first, second = desk.advance()
    desk.do(first)
    assert desk.advance() == []
    desk.do(second)
    assert len(desk.advance()) == 1


@pytest.mark.usefixtures("queue")
def test_only_a_pending_experiment_is_scheduled(desk: Desk) -> None:
    experiment = desk.add(CHAIN)
    assert not helpers.schedule_experiment(experiment)


@pytest.mark.usefixtures("queue")
def test_what_is_in_the_cache_is_not_made_again(desk: Desk) -> None:
    for name in CHAIN:
        write_output(desk.cache, path_of(name))
    experiment = desk.add(CHAIN)
    assert desk.states(experiment) == ("DONE", dict.fromkeys(CHAIN, "DONE"))
    with desk.look() as look:
        assert {job.status for job in look.all(Job)} == {JobState.SKIPPED}


@pytest.mark.usefixtures("worker")
def test_a_failure_fails_the_experiment_and_what_needs_the_block_never_runs(desk: Desk) -> None:
    experiment = desk.add(CHAIN)
    (split,) = desk.advance()
    helpers.on_split_started(split)
    assert desk.states(experiment)[0] == "RUNNING"
    helpers.on_split_fail(split, BAD)
    assert desk.states(experiment) == (
        "FAILED", {"one": "FAILED", "two": "CANCELLED", "three": "CANCELLED"},
    )  # fmt: skip
    assert desk.advance() == []
    with desk.look() as look:
        job = look.job(experiment, "one")
        assert "ValueError: no good" in job.block.experiment.failure
        assert job.splits[0].result is not None
        assert job.splits[0].result.user_error == BAD["user_error"]


@pytest.mark.usefixtures("worker")
def test_an_experiment_fails_when_what_still_runs_for_it_has_stopped(desk: Desk) -> None:
    experiment = desk.add({"a": (), "b": ()})
    bad, other = desk.advance()
    helpers.on_split_started(other)
    helpers.on_split_fail(bad, BAD)
    assert desk.states(experiment)[0] == "RUNNING"
    (told,) = helpers.process_newly_cancelled_experiments()
    assert told.id == other.id
    assert helpers.process_newly_cancelled_experiments() == []
    helpers.on_split_cancelled(other)
    assert desk.states(experiment) == ("FAILED", {"a": "FAILED", "b": "CANCELLED"})


@pytest.mark.usefixtures("worker")
def test_a_failure_of_the_system_is_tried_again_a_few_times(desk: Desk) -> None:
    experiment = desk.add({"a": ()})
    for _ in range(progress.MOST_ATTEMPTS - 1):
        (split,) = desk.advance()
        helpers.on_split_fail(split, KILLED)
    (split,) = desk.advance()
    helpers.on_split_fail(split, KILLED)
    assert desk.states(experiment)[0] == "FAILED"
    with desk.look() as look:
        assert len(look.all(Assignment)) == progress.MOST_ATTEMPTS


@pytest.mark.usefixtures("worker")
def test_a_cancelled_experiment_is_pending_when_its_workers_have_stopped(desk: Desk) -> None:
    experiment = desk.add(CHAIN)
    (split,) = desk.advance()
    helpers.on_split_started(split)
    assert helpers.cancel_experiment(experiment)
    assert desk.states(experiment)[0] == "CANCELLING"
    (told,) = helpers.process_newly_cancelled_experiments()
    assert told.worker is not None
    helpers.on_split_cancelled(told)
    assert desk.states(experiment) == ("PENDING", dict.fromkeys(CHAIN, "CANCELLED"))
    assert not helpers.cancel_experiment(experiment)
    assert helpers.schedule_experiment(experiment)
    assert desk.drain() == 3
    assert desk.states(experiment)[0] == "DONE"


@pytest.mark.usefixtures("worker")
def test_two_experiments_that_make_the_same_make_it_once(desk: Desk) -> None:
    one, other = desk.add(CHAIN), desk.add(CHAIN, author="other")
    assert desk.drain() == 3
    assert desk.states(one)[0] == desk.states(other)[0] == "DONE"


@pytest.mark.usefixtures("worker")
def test_a_mirror_follows_and_has_no_splits(desk: Desk) -> None:
    one, other = desk.add({"a": ()}), desk.add({"a": ()}, author="other")
    (split,) = desk.advance()
    helpers.on_split_started(split)
    with desk.look() as look:
        job = look.job(other, "a")
        assert (job.mirror, job.status, job.splits) == (True, JobState.PROCESSING, [])
    helpers.on_split_fail(split, BAD)
    assert desk.states(one)[0] == desk.states(other)[0] == "FAILED"


@pytest.mark.usefixtures("worker")
def test_cancelling_one_does_not_kill_what_another_waits_for(desk: Desk) -> None:
    one, other = desk.add({"a": ()}), desk.add({"a": ()}, author="other")
    (split,) = desk.advance()
    helpers.on_split_started(split)
    helpers.cancel_experiment(one)
    assert helpers.process_newly_cancelled_experiments() == []
    assert desk.states(one) == ("PENDING", {"a": "CANCELLED"})
    with desk.look() as look:
        assert look.job(other, "a").splits[0].id == split.id
    write_results(split, desk.database)
    helpers.on_split_done(split, GOOD)
    assert desk.states(other)[0] == "DONE"


@pytest.mark.usefixtures("worker")
def test_what_two_wait_for_is_stopped_when_both_are_cancelled(desk: Desk) -> None:
    one, other = desk.add({"a": ()}), desk.add({"a": ()}, author="other")
    (split,) = desk.advance()
    helpers.cancel_experiment(one)
    helpers.cancel_experiment(other)
    assert [found.id for found in helpers.process_newly_cancelled_experiments()] == [split.id]
    helpers.on_split_cancelled(split)
    assert desk.states(one)[0] == desk.states(other)[0] == "PENDING"


@pytest.mark.usefixtures("worker")
def test_equal_blocks_of_one_experiment_are_made_once(desk: Desk) -> None:
    made = plan(desk.cache, {"a": (), "b": ()})
    for one in made.blocks.values():
        one["configuration"]["outputs"]["out"]["path"] = path_of("same")
    experiment = planning.create_experiment(made)
    helpers.schedule_experiment(experiment)
    assert desk.drain() == 1
    assert desk.states(experiment)[0] == "DONE"


def test_a_user_holds_no_more_slots_than_the_queue_allows(desk: Desk) -> None:
    queue = desk.add_queue(max_slots_per_user=2)
    desk.add_worker("w", [queue], cores=9, quantity=9)
    for name in "abc":
        desk.add({name: ()})
    desk.add({"d": ()}, author="other")
    assert len(helpers.retrieve_candidate_splits_for_queue(queue)) == 0
    helpers.split_new_jobs()
    assert len(helpers.retrieve_candidate_splits_for_queue(queue)) == 3
    first, *_ = given = helpers.assign_splits_to_workers()
    assert len(given) == 3
    desk.do(first)
    assert len(helpers.assign_splits_to_workers()) == 1


def test_a_worker_is_given_no_more_than_its_cores_over_all_queues(desk: Desk) -> None:
    big = desk.add_queue("big", cores=3)
    small = desk.add_queue("small")
    worker = desk.add_worker("w", [big, small], cores=4)
    desk.add({"a": (), "b": ()}, queue="small")
    desk.add({"c": ()}, queue="big")
    given = desk.advance()
    assert sorted(split.cores for split in given) == [1, 3]
    with desk.look() as look:
        waiting = next(one for one in look.all(JobSplit) if one.status is SplitState.QUEUED)
    with pytest.raises(NoRoomError, match="has not 1 cores"):
        helpers.assign_split_to_worker(waiting, worker)


def test_the_memory_of_a_worker_is_not_given_twice(desk: Desk) -> None:
    queue = desk.add_queue(memory_mb=600)
    worker = desk.add_worker("w", [queue])
    with desk.database.transaction() as session:
        session.get_one(Worker, worker.id).memory_mb = 1000
    desk.add({"a": (), "b": ()})
    assert len(desk.advance()) == 1


def test_the_worker_of_higher_priority_with_more_room_is_taken_first(desk: Desk) -> None:
    queue = desk.add_queue()
    desk.add_worker("small", [queue], cores=2)
    desk.add_worker("large", [queue], cores=8)
    desk.add({"a": ()})
    (split,) = desk.advance()
    assert split.worker is not None
    assert split.worker.name == "large"


@pytest.mark.usefixtures("worker")
def test_a_split_is_given_away_once(desk: Desk, worker: Worker) -> None:
    desk.add({"a": ()})
    (split,) = desk.advance()
    with pytest.raises(UnexpectedEventError, match="cannot follow"):
        helpers.assign_split_to_worker(split, worker)


@pytest.mark.usefixtures("worker")
def test_a_lost_split_is_given_to_another_under_another_number(desk: Desk) -> None:
    desk.add({"a": ()})
    (first,) = desk.advance()
    with binding.work(first) as session:
        progress.lost(session, binding.here(session, first), "its worker is silent")
    (second,) = desk.advance()
    assert first.id == second.id
    with desk.look() as look:
        numbers = look.all(Assignment)
    assert [one.outcome for one in numbers] == ["queued", ""]
    assert second.assignment_id == numbers[1].id


@pytest.mark.usefixtures("worker")
def test_a_job_is_not_done_until_its_files_are_seen(desk: Desk) -> None:
    experiment = desk.add({"a": ()})
    (split,) = desk.advance()
    helpers.on_split_started(split)
    helpers.on_split_done(split, GOOD)
    assert desk.states(experiment)[0] == "RUNNING"
    write_results(split, desk.database)
    with desk.look() as look:
        job = look.job(experiment, "a")
        assert job.awaited_since is not None
    with binding.work(job) as session:
        progress.recheck(session, binding.here(session, job))
    assert desk.states(experiment)[0] == "DONE"


def test_the_worker_is_told_the_block_the_limits_and_the_range(desk: Desk) -> None:
    queue = desk.add_queue(cores=2, memory_mb=100, time_limit_min=1.5)
    desk.add_worker("w", [queue])
    desk.add({"a": ()})
    (split,) = desk.advance()
    with binding.work(split) as session:
        found = session.get_one(JobSplit, split.id)
        found.start_index, found.end_index = 3, 7
    told = helpers.get_configuration_for_split(split)
    assert told["range"] == [3, 7]
    assert told["algorithm"] == "user/any/1"
    assert told["limits"] == {
        "virtual_memory_in_megabytes": 100, "max_cpu_percent": 200, "timeout_in_minutes": 1.5,
    }  # fmt: skip


@pytest.mark.usefixtures("queue")
def test_a_caller_may_put_several_helpers_into_one_transaction(desk: Desk) -> None:
    made = planning.create_experiment(plan(desk.cache, CHAIN))
    with suppress(RuntimeError), desk.database.transaction() as session:
        own = session.get_one(Experiment, made.id)
        assert helpers.schedule_experiment(own)
        assert own.status is ExperimentState.SCHEDULED
        raise RuntimeError("the caller thinks again")
    assert desk.states(made)[0] == "PENDING"


def test_a_queue_that_nobody_has_set_up_is_refused(desk: Desk) -> None:
    desk.add_queue("known")
    with pytest.raises(planning.UnknownQueueError, match=r"no queue 'queue'; there are: known"):
        planning.create_experiment(plan(desk.cache, CHAIN))
    made = planning.create_experiment(plan(desk.cache, CHAIN), any_queue=True)
    assert made.id is not None


@pytest.mark.usefixtures("worker")
def test_a_result_may_hold_any_text(desk: Desk) -> None:
    experiment = desk.add({"a": ()})
    (split,) = desk.advance()
    told = {"a\0": [float("nan"), 1.5], "deep": json.loads("[" * 99 + "]" * 99)}
    result = {"status": 10**30, "user_error": "a\0b\ud800", "stdout": None, "statistics": told}
    helpers.on_split_fail(split, result)
    with desk.look() as look:
        kept = look.job(experiment, "a").splits[0].result
        assert kept is not None
        assert (kept.status, kept.user_error) == (1, "a\ufffdb?")
        assert kept.statistics is not None
        assert kept.statistics["a\ufffd"] == [None, 1.5]


def test_without_a_database_a_helper_says_how_to_name_one(tmp_path: Path) -> None:
    del tmp_path
    token = binding._used.set(None)
    try:
        with pytest.raises(UsageError, match="no database is known"):
            helpers.split_new_jobs()
    finally:
        binding._used.reset(token)


def test_a_worker_of_the_existing_system_is_told_only_what_it_knows() -> None:
    output = {"path": "a", "hash": "b", "channel": "c"}
    signed = {**output, "signature": "d"}
    told = {
        "algorithm": "user/any/1", "limits": {}, "outputs": {"out": signed},
        "loop": {"outputs": {"out": signed}}, "range": [0, 3],
    }  # fmt: skip
    assert as_existing(told) == {
        "algorithm": "user/any/1", "outputs": {"out": output},
        "loop": {"outputs": {"out": output}}, "range": [0, 3],
    }  # fmt: skip
    assert as_existing({"result": signed}) == {"result": output}
