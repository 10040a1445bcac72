"""Data that other nodes need goes when they have it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.ddap_protocol import DROPStates as S
from dlg_engine.testing.nodes import Nodes

BIG = 1 << 16
PATIENCE_S = 30.0
LENGTH = "def f(x):\n    return len(x)"
MAKE = f"def make():\n    return bytes({BIG})"
FUNCTION = "dlg.apps.python_function.PyFuncApp"
FILE = {"dropclass": "dlg.data.file.FileDROP"}
WRITE = "head -c 65536 /dev/zero > %o0"
COUNT = "wc -c < %i0 > %o0"
BASH = {"dropclass": "dlg.apps.bash.BashShellApp"}


def data(oid: str, node: str, **more: Any) -> dict[str, Any]:
    cls = "dlg.data.memory.InMemoryDROP"
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, "node": node, **more}


def app(oid: str, code: str, node: str, **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "node": node,
            "func_code": code, **more}  # fmt: skip


def node_of(spec: Any) -> str:
    return str(spec["node"])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    found = Nodes(("n0", "n1", "n2"), tmp_path)
    yield found
    found.close()


def wait_until_deleted(drop: Any) -> bool:
    """Return whether a drop is deleted, now or soon."""
    gone = threading.Event()

    class Watch:
        def handleEvent(self, event: Any) -> None:
            if event.status is S.DELETED:
                gone.set()

    drop.subscribe(Watch(), "dropCompleted")
    return drop.status is S.DELETED or gone.wait(PATIENCE_S)


def test_memory_is_released_when_the_other_nodes_have_fetched_it(nodes: Nodes) -> None:
    specs = [
        app("make", MAKE, "n0", outputs=["big"]), data("big", "n0"),
        *(app(f"f{i}", LENGTH, f"n{i}", inputs=["big"], outputs=[f"out{i}"]) for i in range(3)),
        *(data(f"out{i}", f"n{i}") for i in range(3)),
    ]  # fmt: skip
    nodes.run("night", specs, node_of)
    assert wait_until_deleted(nodes.managers["n0"].drop("night", "big"))
    values = [nodes.managers[f"n{i}"].drop("night", f"out{i}").value() for i in range(3)]
    assert values == [BIG] * 3


def test_what_persists_stays_though_others_have_it(nodes: Nodes) -> None:
    specs = [
        app("make", MAKE, "n0", outputs=["big"]), data("big", "n0", persist=True),
        app("f", LENGTH, "n1", inputs=["big"], outputs=["out"]), data("out", "n1"),
    ]  # fmt: skip
    nodes.run("night", specs, node_of)
    drop = nodes.managers["n0"].drop("night", "big")
    assert (drop.status, len(drop.value())) == (S.COMPLETED, BIG)


def test_what_could_not_be_brought_is_kept(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("the link is down")

    monkeypatch.setattr(Nodes, "bring", refuse)
    specs = [
        app("make", MAKE, "n0", outputs=["big"]), data("big", "n0"),
        app("f", LENGTH, "n1", inputs=["big"], outputs=["out"]), data("out", "n1"),
    ]  # fmt: skip
    states = nodes.run("night", specs, node_of)
    assert states["f"]["status"] == S.ERROR
    assert nodes.managers["n0"].drop("night", "big").status is S.COMPLETED


def test_replicas_of_files_go_and_the_file_stays(nodes: Nodes, tmp_path: Path) -> None:
    specs = [
        app("w", "", "n0", command=WRITE, outputs=["file"], **BASH), data("file", "n1", **FILE),
        app("r", "", "n2", command=COUNT, inputs=["file"], outputs=["count"], **BASH),
        data("count", "n2", filepath="count.txt", **FILE),
    ]  # fmt: skip
    nodes.run("night", specs, node_of)
    assert Path(nodes.managers["n2"].drop("night", "count").path).read_text().strip() == str(BIG)
    for name in ("n0", "n2"):
        assert wait_until_deleted(nodes.managers[name].drop("night", "file"))
        assert not list((tmp_path / name / "night" / "replicas").rglob("data"))
    kept = nodes.managers["n1"].drop("night", "file")
    assert (kept.status, Path(kept.path).stat().st_size) == (S.COMPLETED, BIG)


def test_it_is_released_over_sockets_too(island: Any) -> None:
    here, there, _ = island.names
    specs = [
        app("make", MAKE, here, outputs=["big"]), data("big", here),
        app("f", LENGTH, there, inputs=["big"], outputs=["out"]), data("out", there),
    ]  # fmt: skip
    island.manager.create_session("s")
    island.manager.add_graph("s", specs)
    island.manager.deploy_session("s")
    island.wait("s")
    assert wait_until_deleted(island.nodes[here].manager.drop("s", "big"))
    assert island.nodes[there].manager.drop("s", "out").value() == BIG
