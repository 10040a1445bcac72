from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from dlg_engine.lifecycle.alarm import Alarm

PATIENCE_S = 30.0


class Attending:
    """Notes calls, and answers with the next of its waits."""

    def __init__(self, *waits_s: float | Exception | None) -> None:
        self.waits_s = list(waits_s)
        self.calls = threading.Semaphore(0)

    def __call__(self) -> float | None:
        wait_s = self.waits_s.pop(0) if self.waits_s else None
        self.calls.release()
        if isinstance(wait_s, Exception):
            raise wait_s
        return wait_s

    def expect(self, calls: int) -> None:
        for _ in range(calls):
            assert self.calls.acquire(timeout=PATIENCE_S)


@pytest.fixture
def alarms() -> Iterator[list[Alarm]]:
    made: list[Alarm] = []
    yield made
    for alarm in made:
        alarm.close()


def test_it_has_no_thread_before_it_is_woken(alarms: list[Alarm]) -> None:
    alarms.append(Alarm(Attending(), "never-woken"))
    assert "never-woken" not in {thread.name for thread in threading.enumerate()}


def test_it_calls_when_woken_and_again_when_told(alarms: list[Alarm]) -> None:
    attending = Attending(0.01, 0.0, None)
    alarms.append(Alarm(attending, "told"))
    alarms[0].wake()
    attending.expect(3)
    alarms[0].wake()
    attending.expect(1)


def test_a_mistake_does_not_end_it(alarms: list[Alarm], caplog: pytest.LogCaptureFixture) -> None:
    attending = Attending(ValueError("a mistake"), None)
    alarms.append(Alarm(attending, "mistaken"))
    with caplog.at_level(logging.ERROR):
        alarms[0].wake()
        attending.expect(1)
        alarms[0].wake()
        attending.expect(1)
    assert "data could not be looked after" in caplog.text


def test_closed_it_has_ended_and_stays_so(alarms: list[Alarm]) -> None:
    attending = Attending()
    alarms.append(Alarm(attending, "closed"))
    alarms[0].wake()
    attending.expect(1)
    alarms[0].close()
    alarms[0].wake()
    assert "closed" not in {thread.name for thread in threading.enumerate()}
