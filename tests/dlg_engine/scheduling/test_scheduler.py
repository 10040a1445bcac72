"""A scheduler and workers: experiments come to their end, whatever comes and goes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import zmq

from dlg_engine.scheduling import helpers
from dlg_engine.scheduling.models import Assignment, Experiment, JobSplit, Queue, Worker
from dlg_engine.scheduling.scheduler import Scheduler, SchedulerOptions
from dlg_engine.scheduling.states import SplitState
from tests.dlg_engine.scheduling.plans import BAD, Desk
from tests.dlg_engine.scheduling.workers import (
    PATIENCE_S,
    QUICK,
    FakePlace,
    Rung,
    in_a_thread,
    scheduling,
    working,
)

CHAIN = {"one": (), "two": ("one",), "three": ("two",)}


@pytest.fixture
def rung(desk: Desk) -> Iterator[Rung]:
    made = Rung(desk.database)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _queue(desk: Desk) -> None:
    desk.add_queue()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _until_state(desk: Desk, rung: Rung, experiment: Experiment, state: str) -> None:
    rung.until(lambda: desk.states(experiment)[0] == state)


def _done_once(desk: Desk) -> bool:
    with desk.look() as look:
        done = [one.split_id for one in look.all(Assignment) if one.outcome == "completed"]
        return len(done) == len(set(done)) == len(look.all(JobSplit))


def _worker(desk: Desk) -> Worker:
    with desk.look() as look:
        worker: Worker = look.all(Worker)[0]
        return worker


def test_an_experiment_is_done_by_a_worker(desk: Desk, rung: Rung) -> None:
    place = FakePlace(desk.cache)
    with scheduling(desk.database) as scheduler:
        with working(scheduler.address, place):
            experiment = desk.add(CHAIN)
            _until_state(desk, rung, experiment, "DONE")
        rung.until(lambda: not _worker(desk).active)  # it said that it goes
    assert len(place.began) == 3
    assert _done_once(desk)
    assert (_worker(desk).name, _worker(desk).beats) == ("w", True)


def test_a_worker_may_come_before_its_scheduler(desk: Desk, rung: Rung) -> None:
    port = _free_port()
    experiment = desk.add(CHAIN)
    with (
        working(f"tcp://127.0.0.1:{port}", FakePlace(desk.cache)),
        scheduling(desk.database, port),
    ):
        _until_state(desk, rung, experiment, "DONE")


def test_a_failure_is_told(desk: Desk, rung: Rung) -> None:
    place = FakePlace(desk.cache)
    place.set(result=BAD)
    with scheduling(desk.database) as scheduler, working(scheduler.address, place):
        experiment = desk.add(CHAIN)
        _until_state(desk, rung, experiment, "FAILED")
    with desk.look() as look:
        result = look.job(experiment, "one").splits[0].result
        assert result is not None
        assert result.user_error == BAD["user_error"]


def test_what_is_wrong_with_a_block_is_told(desk: Desk, rung: Rung) -> None:
    place = FakePlace(desk.cache)
    place.set(errors=("there is no algorithm", "and no input"))
    with scheduling(desk.database) as scheduler, working(scheduler.address, place):
        experiment = desk.add(CHAIN)
        _until_state(desk, rung, experiment, "FAILED")
    with desk.look() as look:
        result = look.job(experiment, "one").splits[0].result
        assert result is not None
        assert result.user_error == "there is no algorithm\nand no input"


def test_a_worker_stops_what_is_cancelled(desk: Desk, rung: Rung) -> None:
    place = FakePlace(desk.cache, held=True)
    with scheduling(desk.database) as scheduler, working(scheduler.address, place):
        experiment = desk.add(CHAIN)
        assert place.begun.acquire(timeout=PATIENCE_S)
        helpers.cancel_experiment(experiment, database=desk.database)
        _until_state(desk, rung, experiment, "PENDING")
    assert desk.states(experiment)[1] == dict.fromkeys(CHAIN, "CANCELLED")


def test_what_a_worker_leaves_is_done_by_another(desk: Desk, rung: Rung) -> None:
    held, free = FakePlace(desk.cache, held=True), FakePlace(desk.cache)
    with scheduling(desk.database) as scheduler:
        experiment = desk.add(CHAIN)
        with working(scheduler.address, held, "first"):
            assert held.begun.acquire(timeout=PATIENCE_S)
        with working(scheduler.address, free, "second"):
            _until_state(desk, rung, experiment, "DONE")
    assert _done_once(desk)


def test_the_splits_of_a_silent_worker_are_given_to_another_once(
    desk: Desk, rung: Rung, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, free = FakePlace(desk.cache, held=True), FakePlace(desk.cache)
    with scheduling(desk.database) as scheduler:
        experiment = desk.add({"one": ()})
        with working(scheduler.address, held, "first") as silent:
            assert held.begun.acquire(timeout=PATIENCE_S)
            # It still runs, but nothing that it says arrives any more.
            monkeypatch.setattr(silent._link, "_say", lambda *_parts: None)
            with working(scheduler.address, free, "second"):
                _until_state(desk, rung, experiment, "DONE")
            monkeypatch.undo()
            held.go.set()
    assert len(free.began) == 1
    with desk.look() as look:
        assert [one.outcome for one in look.all(Assignment)] == ["queued", "completed"]


def test_another_scheduler_takes_over_and_what_runs_goes_on(desk: Desk, rung: Rung) -> None:
    place, port = FakePlace(desk.cache, held=True), _free_port()
    with working(f"tcp://127.0.0.1:{port}", place):
        with scheduling(desk.database, port):
            experiment = desk.add(CHAIN)
            assert place.begun.acquire(timeout=PATIENCE_S)
        with scheduling(desk.database, port):
            place.go.set()
            _until_state(desk, rung, experiment, "DONE")
    assert len(place.began) == 3
    assert _done_once(desk)


def test_a_result_is_told_to_the_scheduler_that_is_there_then(desk: Desk, rung: Rung) -> None:
    place, port = FakePlace(desk.cache, held=True), _free_port()
    with working(f"tcp://127.0.0.1:{port}", place) as worker:
        with scheduling(desk.database, port):
            experiment = desk.add({"one": ()})
            assert place.begun.acquire(timeout=PATIENCE_S)
        place.go.set()
        (task,) = worker._tasks.values()
        assert task.join(PATIENCE_S)
        with scheduling(desk.database, port):
            _until_state(desk, rung, experiment, "DONE")
    assert len(place.began) == 1


def test_two_schedulers_share_a_database(desk: Desk, rung: Rung) -> None:
    one = Scheduler(desk.database, SchedulerOptions(name="one", terms=QUICK))
    two = Scheduler(desk.database, SchedulerOptions(name="two", terms=QUICK))
    places = [FakePlace(desk.cache), FakePlace(desk.cache)]
    with (
        in_a_thread(one.run, one.end),
        in_a_thread(two.run, two.end),
        working(one.address, places[0], "w1", cores=2),
        working(two.address, places[1], "w2", cores=2),
    ):
        made = [desk.add({f"a{i}": (), f"b{i}": (f"a{i}",)}) for i in range(8)]
        for experiment in made:
            _until_state(desk, rung, experiment, "DONE")
    assert len(places[0].began) + len(places[1].began) == 16
    assert _done_once(desk)


def test_a_scheduler_sleeps_while_there_is_nothing_to_do(desk: Desk) -> None:
    with scheduling(desk.database) as scheduler:
        calls: list[int] = []
        told = scheduler.controller.process

        def counted(timeout: int = 0) -> object:
            calls.append(timeout)
            return told(timeout)

        scheduler.controller.process = counted  # type: ignore[method-assign,assignment]
        desk.add_queue("another")
    assert len(calls) <= 2


def test_a_split_of_a_lost_worker_is_queued_again(desk: Desk) -> None:
    place = FakePlace(desk.cache, held=True)
    with scheduling(desk.database) as scheduler:
        desk.add({"one": ()})
        with working(scheduler.address, place):
            assert place.begun.acquire(timeout=PATIENCE_S)
    with desk.look() as look:
        assert [one.status for one in look.all(JobSplit)] == [SplitState.QUEUED]


def test_what_an_old_worker_never_ends_is_ended_for_it(desk: Desk, rung: Rung) -> None:
    with desk.database.transaction() as session:
        session.query(Queue).one().time_limit_min = 1e-3
    options = SchedulerOptions(terms=QUICK, grace_s=0.1)
    scheduler = Scheduler(desk.database, options)
    context = zmq.Context()
    worker = context.socket(zmq.DEALER)
    worker.identity, worker.linger = b"old", 0
    worker.connect(scheduler.address)
    try:
        with in_a_thread(scheduler.run, scheduler.end):
            worker.send_multipart([b"rdy"])
            assert worker.recv_multipart() == [b"ack"]
            experiment = desk.add({"one": ()})
            _until_state(desk, rung, experiment, "FAILED")
            words = []
            while "cnl" not in words:
                assert worker.poll(int(PATIENCE_S * 1000))
                words.append(worker.recv_multipart()[0].decode())
            assert words[0] == "exe"
    finally:
        worker.close()
        context.destroy(linger=0)


def test_a_worker_of_an_earlier_scheduler_is_given_nothing_before_it_has_spoken(
    desk: Desk, rung: Rung
) -> None:
    place = FakePlace(desk.cache)
    with scheduling(desk.database) as scheduler, working(scheduler.address, place, "old"):
        _until_state(desk, rung, desk.add({"one": ()}), "DONE")
    with desk.database.transaction() as session:
        session.query(Worker).one().active = True  # as after a kill
    desk.add({"two": ()})
    scheduler = Scheduler(desk.database, SchedulerOptions(terms=QUICK))
    context = zmq.Context()
    worker = context.socket(zmq.DEALER)
    worker.identity, worker.linger = b"old", 0
    worker.connect(scheduler.address)
    try:
        with in_a_thread(scheduler.run, scheduler.end):
            assert worker.recv_multipart() == [b"shd"]
            worker.send_multipart([b"rdy"])
            words = [b"shd"]
            while words[-1] == b"shd":  # it may have been told twice meanwhile
                words.append(worker.recv_multipart()[0])
            assert words[-1] == b"ack"
            assert worker.recv_multipart()[0] == b"exe"
    finally:
        worker.close()
        context.destroy(linger=0)
