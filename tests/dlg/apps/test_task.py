"""The app that tries tasks, by itself."""

from __future__ import annotations

import base64
import pickle
import secrets
import threading
from typing import Any

from dlg.apps.task import TaskApp
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.taskgraph.attempts import Order, Outcome, Policy
from dlg.taskgraph.sent import SentWork
from dlg.testing.app_contract import AppContract, filled, run
from dlg.testing.builders import Arithmetic, Trouble


class Nothing:
    """Work that is done at once."""

    def carry_out(self, _place: Any) -> None:
        pass


class TestTask(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = TaskApp("task", work=Nothing(), **parameters)
        app.addInput(filled("in", b"data"))
        app.addOutput(InMemoryDROP("out"))
        return app


def sent(builder: Any, func: str, **options: Any) -> tuple[TaskApp, InMemoryDROP, InMemoryDROP]:
    """Return an app that was sent a task, its results and its record, after it has run."""
    values: dict[str, Any] = {
        "tid": "t", "func": func, "inputs": {}, "use": {}, "policy": Policy(max_retry=1),
        "timeout_s": None, "wanted": True, "key": secrets.token_hex(4), **options,
    }  # fmt: skip
    app = TaskApp("task", work=base64.b64encode(pickle.dumps(SentWork(**values))).decode())
    app.addInput(filled("builder", base64.b64encode(pickle.dumps(builder)).decode()))
    app.addInput(filled("used", 5))
    results, record = InMemoryDROP("results"), InMemoryDROP("record")
    app.addOutput(results)
    app.addOutput(record)
    run(app)
    return app, results, record


def test_a_task_that_was_sent_leaves_its_results_and_a_record() -> None:
    _, results, record = sent(Arithmetic(), "add", inputs={"x": 1}, use={"y": 1})
    assert results.value() == 6
    outcome = record.value()
    assert (outcome.state, outcome.results) == (3, 6)


def test_results_that_nobody_uses_are_in_the_record_only() -> None:
    _, results, record = sent(Arithmetic(), "add", inputs={"x": 1, "y": 1}, wanted=False)
    assert results.contents() == b""
    assert record.value().results == 2


def test_a_task_that_fails_leaves_a_record_all_the_same() -> None:
    app, _, record = sent(Trouble(), "fail")
    outcome: Outcome = record.value()
    assert (outcome.state, outcome.results) == (-1, "failed at try 1")
    assert "failed at try 1" in str(app.failure)


def test_a_call_without_a_limit_is_made_in_a_thread_of_its_own_that_can_be_left() -> None:
    names: list[str] = []

    class Builder:
        def name(self, retry: int) -> None:
            names.append(threading.current_thread().name)

    class Work:
        def __init__(self, *, limited: bool) -> None:
            self.limited = limited

        def carry_out(self, place: Any) -> None:
            order = Order(
                tid="t", func="name", inputs={}, policy=Policy(), builder=Builder(),
                limited=self.limited,
            )  # fmt: skip
            names.append(threading.current_thread().name)
            place.call_builder(order, 1, None)

    for limited in (True, False):
        run(TaskApp("task", work=Work(limited=limited)))
    assert names[1] == f"{names[0]}-calls"
    assert names[2] == names[3]
