"""The life of data on real node managers: in this process, and as processes of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import NodeManagerClient
from dlg.ddap_protocol import DROPPhases
from dlg.ddap_protocol import DROPStates as S
from dlg.testing.graphs import app, data
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.runners import make_runner
from dlg_engine.testing.processes import Cluster, Process

FILE = "dlg.data.file.FileDROP"
HELLO = "dlg.apps.hello.HelloWorldApp"
PATIENCE_S = 30.0


def file(oid: str, **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Data", "dropclass": FILE, "filepath": oid, **more}


GRAPH = [
    app("a", ["m", "f", "result", "kept"], HELLO), data("result"), data("m", lifespan=0.5),
    file("f", lifespan=0.5), file("kept", lifespan=0.5, persist=True),
]  # fmt: skip


class Managers:
    """Node managers that are shut down in the end."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.made: list[NodeManager] = []

    def make(self, **options: Any) -> NodeManager:
        lifecycle = LifecycleOptions(**options)
        runner = make_runner("threads", 2)
        self.made.append(NodeManager("n", self.place / "work", runner, lifecycle=lifecycle))
        return self.made[-1]


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[Managers]:
    made = Managers(tmp_path)
    yield made
    for manager in made.made:
        manager.shutdown()


def run(manager: NodeManager, graph: list[dict[str, Any]]) -> None:
    manager.create_session("s")
    manager.add_graph("s", graph)
    manager.deploy_session("s")
    assert manager.wait("s", PATIENCE_S)


class Deaths:
    """Waits until drops are deleted."""

    def __init__(self, *drops: Any) -> None:
        self._left = {drop.uid for drop in drops}
        self._none = threading.Event()
        for drop in drops:
            drop.subscribe(self, "status")
            if drop.status is S.DELETED:
                self._left.discard(drop.uid)

    def handleEvent(self, event: Any) -> None:
        if event.status is S.DELETED:
            self._left.discard(event.uid)
            if not self._left:
                self._none.set()

    def wait(self) -> bool:
        return not self._left or self._none.wait(PATIENCE_S)


def test_a_node_deletes_what_has_a_lifespan_and_keeps_the_results(
    managers: Managers, tmp_path: Path
) -> None:
    manager = managers.make()
    run(manager, GRAPH)
    mortal = [manager.drop("s", oid) for oid in "mf"]
    assert Deaths(*mortal).wait()
    assert not (tmp_path / "work" / "s" / "f").exists()
    assert manager.drop("s", "result").contents() == b"Hello World"
    assert (tmp_path / "work" / "s" / "kept").read_text() == "Hello World"


def test_a_node_without_dates_has_no_thread_for_them(managers: Managers) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    run(managers.make(), [app("a", ["m"], HELLO), data("m")])
    started = [t.name for t in threading.enumerate() if t.ident not in before]
    assert "dlg-lifecycle" not in started


def test_where_nobody_looks_after_it_data_stays(managers: Managers) -> None:
    manager = managers.make(enabled=False)
    reads = {**app("b", ["out"], HELLO), "inputs": ["m"]}
    run(manager, [app("a", ["m"], HELLO), data("m", lifespan=1e-6), reads, data("out"),
                  data("used", ["b"], pydata=1)])  # fmt: skip
    assert manager.drop("s", "m").contents() == b"Hello World"
    assert manager.drop("s", "used").load() == 1


def test_a_deleted_session_leaves_nothing_in_memory(managers: Managers) -> None:
    manager = managers.make()
    run(manager, [app("a", ["m"], HELLO), data("m")])
    drop = manager.drop("s", "m")
    manager.destroy_session("s")
    assert drop.status is S.DELETED
    assert not drop._as_bytes()


def test_replicas_are_made_without_being_asked_for(managers: Managers, tmp_path: Path) -> None:
    manager = managers.make(replicas=tmp_path / "replicas")
    run(manager, [app("a", ["f"], HELLO), file("f"), file("tick", lifespan=0.05)])
    assert Deaths(manager.drop("s", "tick")).wait()  # the same thread came to the replica first
    assert manager.drop("s", "f").phase is DROPPhases.SOLID


# -- as processes ------------------------------------------------------------------------------


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Process]:
    ports = ("-P", "0", "--rpc-port", "0", "--event-port", "0", "--deadline", "0")
    more = ("-w", str(tmp_path / "work"), "--replica-dir", str(tmp_path / "replicas"))
    process = Process("nm", *ports, *more, workdir=tmp_path / "node")
    yield process
    process.end()


def test_a_process_deletes_data_at_its_date_and_keeps_results(
    node: Process, tmp_path: Path
) -> None:
    client = node.client(NodeManagerClient)
    client.create_session("s")
    client.append_graph("s", [{**spec, "node": node.name} for spec in GRAPH])
    client.deploy_session("s")

    def states() -> dict[str, S]:
        return {oid: S(drop["status"]) for oid, drop in client.graph_status("s").items()}

    found = Cluster.wait_until(states, lambda s: s.get("m") == s.get("f") == S.DELETED)
    assert (found["result"], found["kept"]) == (S.COMPLETED, S.COMPLETED)
    assert not (tmp_path / "work" / "s" / "f").exists()
    assert (tmp_path / "work" / "s" / "kept").read_text() == "Hello World"
    copies = list((tmp_path / "replicas" / "s").glob("kept-*"))
    assert [copy.read_text() for copy in copies] == ["Hello World"]
