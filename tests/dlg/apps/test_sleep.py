"""An app that waits, and one that does nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from dlg.apps.null import NullBarrierApp
from dlg.apps.sleep import SleepApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run
from dlg.testing.expectations import PATIENCE_S, ending
from dlg.testing.graphs import app as app_spec
from dlg.testing.graphs import data
from dlg_engine.embedded import run_graph


class TestSleep(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = SleepApp("sleep", **parameters)
        app.addInput(filled("in"))
        app.addOutput(InMemoryDROP("out"))
        return app


class TestNull(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = NullBarrierApp("null", **parameters)
        app.addInput(filled("in"))
        app.addOutput(InMemoryDROP("out"))
        return app


def test_it_waits_as_long_as_it_is_told() -> None:
    app = SleepApp("sleep", sleep_time="0.05")
    begun = time.monotonic()
    run(app)
    assert 0.05 <= time.monotonic() - begun < PATIENCE_S


def test_how_long_may_come_in_through_a_port(tmp_path: Path) -> None:
    sleep = app_spec("s", [], "dlg.apps.sleep.SleepApp", inputs=[{"d": "sleep_time"}])
    report = run_graph([data("d", pydata="0.05"), sleep], runner="inline", workdir=tmp_path)
    assert report.status == "FINISHED", report.errors
    assert report.timings["execute_s"] >= 0.05


def test_what_comes_in_and_is_no_number_is_a_clear_failure(tmp_path: Path) -> None:
    sleep = app_spec("s", [], "dlg.apps.sleep.SleepApp", inputs=[{"d": "sleep_time"}])
    report = run_graph([data("d", pydata="long"), sleep], runner="inline", workdir=tmp_path)
    assert "'sleep_time' must be a number, not 'long'" in report.errors[0].exception


def test_cancelling_ends_the_wait_at_once() -> None:
    app = SleepApp("sleep", sleep_time=600)
    begun = time.monotonic()
    with ending(app):
        app.async_execute()
        app.cancel()
    assert app.execStatus is AppDROPStates.CANCELLED
    assert time.monotonic() - begun < PATIENCE_S
