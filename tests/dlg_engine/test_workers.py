"""Workers share a graph without waiting for each other and without losing anything."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.support import context
from dlg.testing.graphs import app, data, fan_gather
from dlg_engine.embedded import run_graph

LONG_S = 30.0


def function(oid: str, what: Callable[..., Any], outputs: list[str]) -> dict[str, Any]:
    return app(oid, outputs, "dlg.apps.python_function.PyFuncApp", func=what)


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_what_follows_a_short_app_does_not_wait_for_a_long_one(
    workers: int, tmp_path: Path
) -> None:
    followed = threading.Event()

    def long() -> bool:
        return followed.wait(LONG_S)

    specs = [
        function("long", long, ["told"]), data("told"),
        function("short", lambda: 1, ["one"]), data("one", ["follow"]),
        function("follow", lambda one: followed.set(), ["end"]), data("end"),
    ]  # fmt: skip
    report = run_graph(specs, workers=workers, workdir=tmp_path)
    assert report.result("told") is True


def test_as_many_apps_run_at_the_same_time_as_there_are_workers(tmp_path: Path) -> None:
    together = threading.Barrier(4)
    specs = []
    for i in range(4):
        specs += [function(f"a{i}", lambda: together.wait(LONG_S), [f"d{i}"]), data(f"d{i}")]
    report = run_graph(specs, workers=4, workdir=tmp_path)
    assert report.status == "FINISHED"


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
def test_many_small_apps_are_all_run_once(workers: int, tmp_path: Path) -> None:
    ran: list[int] = []
    specs = [*fan_gather(3000), app("start", ["root"])]
    for number, spec in enumerate(specs):
        if spec["categoryType"] != "Data":
            spec["dropclass"] = "dlg.apps.python_function.PyFuncApp"
            spec["func"] = lambda *_values, number=number: ran.append(number)
    report = run_graph(specs, workers=workers, workdir=tmp_path)
    assert report.status == "FINISHED"
    assert sorted(ran) == [n for n, s in enumerate(specs) if s["categoryType"] != "Data"]


def test_running_inline_leaves_the_context_of_the_caller_alone(tmp_path: Path) -> None:
    specs = [function("a", context.session_id.get, ["d"]), data("d")]
    before = context.session_id.get()
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    assert report.result("d") == report.session_id
    assert context.session_id.get() == before


def test_two_graphs_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    meet = threading.Barrier(2)
    reports: dict[str, Any] = {}

    def met(name: str) -> str:
        meet.wait(LONG_S)
        return name

    def run(name: str) -> None:
        specs = [
            function("a", lambda: met(name), ["d"]), data("d", ["b"]),
            function("b", lambda d: (d, context.session_id.get()), ["e", "f"]),
            data("e"), data("f"),
            function("fails", lambda: int(name), ["g"]), data("g"),
        ]  # fmt: skip
        reports[name] = run_graph(specs, workdir=tmp_path)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert {name: r.result("e") for name, r in reports.items()} == {"one": "one", "two": "two"}
    for name, report in reports.items():
        assert report.result("f") == report.session_id
        assert [error.uid for error in report.errors] == ["fails"]
        assert f"{name}" in report.errors[0].exception
    assert reports["one"].session_dir != reports["two"].session_dir


def test_data_is_released_after_its_last_consumer_and_not_before(tmp_path: Path) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns within a few lines of each other
    try:
        for _ in range(100):
            specs = []
            for k in range(20):
                readers = [f"{letter}{k}" for letter in "abc"]
                specs.append(data(f"d{k}", readers, pydata=1))
                specs.append(app(readers[0]))
                specs += [function(reader, lambda *found: found, []) for reader in readers[1:]]
            report = run_graph(specs, workers=4, workdir=tmp_path)
            assert not report.errors
            assert {report.drops[f"d{k}"].status.name for k in range(20)} == {"DELETED"}
    finally:
        sys.setswitchinterval(before)
