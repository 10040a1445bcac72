"""The worker does what the existing one did when it was recorded, told by the same frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq

from dlg_engine.scheduling.working import WorkerOptions, Working
from tests.dlg.beat.recorded import events, frames_of
from tests.dlg_engine.scheduling.workers import (
    PATIENCE_S,
    FakeExecutor,
    FakePlace,
    in_a_thread,
)

FAILED = {"status": 1, "user_error": "ValueError: no good", "system_error": ""}


class RecordedPlace(FakePlace):
    """Executors that do with the recorded blocks what those of the recording did."""

    def executor(self, configuration: Mapping[str, Any]) -> FakeExecutor:
        algorithm = configuration["algorithm"]
        slow, failing = algorithm == "own/slow/1", algorithm == "own/failing/1"
        unknown = algorithm == "user/nobody_has_it/1"
        self.set(result=FAILED if failing else None, errors=("not found",) if unknown else ())
        if slow:
            self.go.clear()
        else:
            self.go.set()
        return super().executor(configuration)


def test_it_says_what_the_existing_worker_does(tmp_path: Path) -> None:
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.router_handover = 1
    port = router.bind_to_random_port("tcp://127.0.0.1")
    place = RecordedPlace(tmp_path)
    options = WorkerOptions(
        name="w1", scheduler=f"tcp://127.0.0.1:{port}", workplace=place, cores=1
    )
    try:
        for conversation in _conversations():
            worker = Working(options)
            with in_a_thread(worker.run, worker.end):
                for event in conversation:
                    if "controller" in event:
                        router.send_multipart([b"w1", *frames_of(event, "controller")])
                    elif "worker" in event:
                        _compare(_heard(router), frames_of(event, "worker"))
                    elif "signal" in event:
                        worker.end()
    finally:
        context.destroy(linger=0)


def _conversations() -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    for event in events():
        if "start" in event:
            found.append([])
        found[-1].append(event)
    return found


def _heard(router: Any) -> list[bytes]:
    """Return what the worker says next."""
    assert router.poll(PATIENCE_S * 1000), "the worker says nothing"
    heard: list[bytes] = router.recv_multipart()
    assert heard[0] == b"w1"
    return heard[1:]


def _compare(said: list[bytes], recorded: list[bytes]) -> None:
    assert said[0] == recorded[0]
    if recorded[0] == b"rdy":
        return  # ours says more, which the existing controller does not mind
    assert len(said) == len(recorded)
    for ours, theirs in zip(said[1:], recorded[1:], strict=True):
        if theirs[:1] != b"{":
            assert ours == theirs or recorded[0] == b"erj"
            continue
        told, expected = json.loads(ours), json.loads(theirs)
        assert told["status"] == expected["status"]
        assert bool(told.get("user_error")) == bool(expected["user_error"])
