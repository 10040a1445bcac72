"""Task graphs on the nodes of a manager."""

from __future__ import annotations

import os
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import pytest

from dlg.clients.sending import UntrustedManagerError
from dlg.exceptions import UsageError
from dlg.taskgraph import Manager, Task
from dlg.testing.builders import Arithmetic, Trouble
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    place = tmp_path_factory.mktemp("cluster")
    with LocalCluster(ClusterOptions(nodes=2, workdir=place, port=0, cwd=place)) as found:
        yield found


@pytest.fixture(params=["master", "node"])
def engine(cluster: LocalCluster, request: pytest.FixtureRequest) -> str:
    levels = {"master": cluster.master, "node": cluster.nodes[0]}
    return f"127.0.0.1:{port_of(levels[request.param].url)}"


@pytest.fixture
def master(cluster: LocalCluster) -> str:
    return f"127.0.0.1:{port_of(cluster.master.url)}"


def manage(engine: str, builder: Any, *tasks: Task, **options: Any) -> tuple[Manager, Any]:
    manager = Manager(builder, engine=engine, **{"progress": False, "backoff": 0.0, **options})
    for task in tasks:
        manager.add(task)
    return manager, manager.start()


def test_tasks_run_on_nodes_and_pass_results(engine: str) -> None:
    _, found = manage(
        engine, Arithmetic(),
        Task("b", {"x": 3}, "multiply", use={"y": "a"}), Task("a", {"x": 1, "y": 1}, "add"),
    )  # fmt: skip
    assert [(t["tid"], t["state"], t["results"]) for t in found["tasks"]] == [
        ("b", 3, 6), ("a", 3, 2),
    ]  # fmt: skip
    assert found["exit_code"] == 0


def test_tasks_run_on_all_nodes_and_not_here(master: str) -> None:
    _, found = manage(master, Trouble(), *(Task(str(n), {}, "where") for n in range(10)))
    processes = {task["results"] for task in found["tasks"]}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_failures_retries_and_descendants_are_told_as_here(master: str) -> None:
    told: list[int] = []

    class Bar:
        def update(self, n: int) -> None:
            told.append(n)

        def close(self) -> None:
            pass

    manager, found = manage(
        master, Trouble(), Task("bad", {}, "fail"), Task("child", {}, "fine", ["bad", "late"]),
        Task("late", {"good": 2}, "fail_until"), Task("after", {}, "fine", ["late"]),
        max_retry=2, progress=Bar(),
    )  # fmt: skip
    states = {task["tid"]: task["state"] for task in found["tasks"]}
    assert states == {"bad": -1, "child": -2, "late": 3, "after": 3}
    assert found["tasks"][0]["results"] == "failed at try 2"
    assert [a.kind for a in manager.attempts["late"]] == ["ValueError", ""]
    assert "builders.py" in manager.attempts["bad"][1].traceback
    assert sum(told) == 4


def test_the_time_of_the_run_holds_on_nodes(master: str) -> None:
    begun = perf_counter()
    _, found = manage(
        master, Trouble(), Task("slow", {"seconds": 60.0}, "sleep"),
        Task("child", {}, "fine", ["slow"]), run_timeout=2.0,
    )  # fmt: skip
    assert perf_counter() - begun < 50
    assert [task["state"] for task in found["tasks"]] == [2, 0]
    assert [task["date_start"] is not None for task in found["tasks"]] == [True, False]


def test_a_try_that_takes_too_long_is_given_up_on_nodes(master: str) -> None:
    _, found = manage(
        master, Trouble(), Task("slow", {"seconds": 60.0}, "sleep", timeout=0.2), max_retry=1
    )
    assert found["results"]["failures"] == 1
    assert "longer than 0.2 s" in found["tasks"][0]["results"]


def test_a_second_start_uses_earlier_results(master: str) -> None:
    manager, _ = manage(master, Arithmetic(), Task("a", {"x": 1, "y": 1}, "add"))
    manager.add(Task("b", {"x": 1}, "add", use={"y": "a"}))
    assert [task["results"] for task in manager.start()["tasks"]] == [2, 3]


def test_a_manager_that_may_be_anybody_is_refused() -> None:
    with pytest.raises(UntrustedManagerError, match="trust=True"):
        manage("198.51.100.7:8000", Arithmetic(), Task("a", {}, "add"))


def test_a_builder_that_cannot_travel_is_refused(master: str) -> None:
    class Locked(Arithmetic):
        def __init__(self) -> None:
            self.generator = (n for n in range(3))

    with pytest.raises(UsageError, match="cannot be sent to nodes"):
        manage(master, Locked(), Task("a", {}, "add"))
