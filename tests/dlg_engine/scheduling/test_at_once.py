"""Several schedulers at once, each with connections of its own: nothing is done twice."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from dlg_engine.scheduling import helpers
from dlg_engine.scheduling.models import Assignment, JobSplit, Worker
from dlg_engine.scheduling.states import AT_WORK, SplitState
from tests.dlg_engine.scheduling.plans import GOOD, Desk, write_results

SCHEDULERS = 4
PATIENCE_S = 60.0


def _at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Do things at the same time, each in a thread; return what they return, or raise."""
    barrier = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)
    failures: list[BaseException] = []

    def run(i: int) -> None:
        barrier.wait(PATIENCE_S)
        try:
            found[i] = works[i]()
        except BaseException as error:  # noqa: BLE001  raised by whoever waits
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    if failures:
        raise failures[0]
    return found


def test_a_split_is_given_away_by_one_of_many_schedulers(desk: Desk) -> None:
    queues = [desk.add_queue("a"), desk.add_queue("b", cores=2)]
    for i in range(3):
        desk.add_worker(f"w{i}", queues, cores=7, quantity=7)
    for i in range(16):
        desk.add({f"x{i}": ()}, queue="ab"[i % 2])
    helpers.split_new_jobs(database=desk.database)

    def assign() -> list[int]:
        given: list[int] = []
        while more := helpers.assign_splits_to_workers(database=desk.database):
            given += [one.id for one in more]
        return given

    given = [one for some in _at_once([assign] * SCHEDULERS) for one in some]
    given += assign()  # a queue that was locked has been left to another one
    assert len(given) == len(set(given))
    with desk.look() as look:
        held = [one for one in look.all(JobSplit) if one.status in AT_WORK]
        assert {one.id for one in held} == set(given)
        assert len(look.all(Assignment)) == len(given)
        reserved = Counter[int]()
        for one in held:
            reserved[one.worker_id] += one.cores
        assert all(reserved[worker.id] <= worker.cores for worker in look.all(Worker))


def test_a_user_gets_no_more_slots_of_many_schedulers(desk: Desk) -> None:
    queue = desk.add_queue(max_slots_per_user=2)
    for i in range(4):
        desk.add_worker(f"w{i}", [queue])
    for i in range(8):
        desk.add({f"x{i}": ()})
    helpers.split_new_jobs(database=desk.database)
    _at_once([lambda: helpers.assign_splits_to_workers(database=desk.database)] * SCHEDULERS)
    helpers.assign_splits_to_workers(database=desk.database)
    with desk.look() as look:
        assert sum(one.status in AT_WORK for one in look.all(JobSplit)) == 2


def test_equal_jobs_are_divided_once_by_many_schedulers(desk: Desk) -> None:
    desk.add_queue()
    for i in range(6):
        desk.add({"same": ()}, author=f"user{i}")
    _at_once([lambda: helpers.split_new_jobs(database=desk.database)] * SCHEDULERS)
    with desk.look() as look:
        assert len(look.all(JobSplit)) == 1


def test_splits_that_end_at_once_finish_their_job_once(desk: Desk) -> None:
    queue = desk.add_queue()
    desk.add_worker("w", [queue], cores=8, quantity=8)
    experiments = [desk.add({f"x{i}": (), "joined": (f"x{i}",)}) for i in range(SCHEDULERS)]
    given = desk.advance()
    assert len(given) == SCHEDULERS
    for split in given:
        write_results(split, desk.database)
    note = functools.partial(helpers.on_split_done, result=GOOD, database=desk.database)
    _at_once([functools.partial(note, split) for split in given])
    assert desk.drain() == 1  # what all of them go on to is the same
    assert {desk.states(one)[0] for one in experiments} == {"DONE"}


def test_cancelling_and_finishing_at_once_come_to_one_end(desk: Desk) -> None:
    queue = desk.add_queue()
    desk.add_worker("w", [queue], cores=8, quantity=8)
    experiments = [desk.add({f"x{i}": ()}) for i in range(SCHEDULERS)]
    given = desk.advance()
    for split in given:
        write_results(split, desk.database)
    note = functools.partial(helpers.on_split_done, result=GOOD, database=desk.database)
    cancel = functools.partial(helpers.cancel_experiment, database=desk.database)
    works: list[Callable[[], Any]] = [
        *(functools.partial(note, split) for split in given),
        *(functools.partial(cancel, one) for one in experiments),
        lambda: helpers.process_newly_cancelled_experiments(database=desk.database),
    ]
    _at_once(works)
    helpers.process_newly_cancelled_experiments(database=desk.database)
    assert {desk.states(one)[0] for one in experiments} <= {"DONE", "PENDING"}
    with desk.look() as look:
        over = {SplitState.COMPLETED, SplitState.CANCELLED}
        assert {one.status for one in look.all(JobSplit)} <= over
