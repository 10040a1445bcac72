"""Drops that hold other drops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.data.container import ContainerDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import InvalidRelationshipException, RunError
from dlg.support import clock
from dlg.testing.data_contract import DropContract, Reader
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


class TestContainer(DropContract):
    def make(self, uid: str, **parameters: Any) -> ContainerDROP:
        return ContainerDROP(uid, **parameters)

    def test_a_completed_drop_exists_until_it_is_deleted(self) -> None:
        container, (one, other) = filled()
        one.setCompleted()
        other.setCompleted()
        assert container.exists()
        container.delete()
        assert not container.exists()
        assert [drop.status for drop in (container, one, other)] == [S.DELETED] * 3


def filled() -> tuple[ContainerDROP, tuple[InMemoryDROP, InMemoryDROP]]:
    container = ContainerDROP("c")
    children = InMemoryDROP("c1"), InMemoryDROP("c2")
    for child in children:
        container.addChild(child)
    return container, children


def test_it_completes_when_all_its_children_have() -> None:
    container, (one, other) = filled()
    states = []
    for child in (one, other):
        child.setCompleted()
        states.append(container.status)
    assert states == [S.INITIALIZED, S.COMPLETED]


def test_it_fails_when_a_child_does_and_says_which() -> None:
    container, (one, other) = filled()
    one.setError(OSError("lost"))
    other.setCompleted()
    assert (container.status, container.stopped_by) == (S.ERROR, "c1")


def test_its_consumers_run_when_it_is_complete() -> None:
    container, (one, other) = filled()
    reader = Reader("r")
    container.addConsumer(reader)
    with ending(reader):
        one.setCompleted()
        other.setCompleted()
    assert reader.seen == [S.COMPLETED]


def test_children_know_their_parent() -> None:
    container, (one, other) = filled()
    assert container.children == [one, other]
    assert one.parent is container
    assert container.parent is None


def test_setting_the_parent_is_the_same_link() -> None:
    container, child = ContainerDROP("c"), InMemoryDROP("d")
    child.parent = container
    container.addChild(child)
    assert container.children == [child]


def test_a_second_parent_is_refused() -> None:
    _, (one, _other) = filled()
    with pytest.raises(InvalidRelationshipException, match="one parent at most"):
        ContainerDROP("another").addChild(one)


def test_a_circle_of_containers_is_refused() -> None:
    outer, inner = ContainerDROP("outer"), ContainerDROP("inner")
    outer.addChild(inner)
    with pytest.raises(InvalidRelationshipException, match="its own ancestor"):
        inner.addChild(outer)
    with pytest.raises(InvalidRelationshipException, match="its own ancestor"):
        outer.addChild(outer)


def test_it_exists_when_anything_in_it_does(tmp_path: Path) -> None:
    container = ContainerDROP("c")
    container.addChild(FileDROP("gone", filepath=str(tmp_path / "gone")))
    assert not container.exists()
    (tmp_path / "there").touch()
    container.addChild(FileDROP("there", filepath=str(tmp_path / "there")))
    assert container.exists()


def test_it_lives_as_long_as_the_longest_of_its_children() -> None:
    with clock.replaced(clock.ManualClock(start=1000)):
        container = ContainerDROP("c")
        assert container.expirationDate == -1
        container.addChild(InMemoryDROP("a", lifespan=5))
        container.addChild(InMemoryDROP("b", lifespan=50))
        clock.sleep(3)
        assert container.expirationDate == 1050


def test_it_has_no_bytes_of_its_own() -> None:
    container, _ = filled()
    with pytest.raises(RunError, match="use the drops it stands for"):
        container.write(b"x")


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_containers_of_a_graph_file_complete(tmp_path: Path, runner: str) -> None:
    holder = {"oid": "c", "categoryType": "Container", "children": ["a"], "consumers": ["end"]}
    specs = [holder, data("a"), {**data("b"), "parent": "c"}, app("end", ["done"]), data("done")]
    report = run_graph(specs, runner=runner, workdir=tmp_path, timeout=60)
    assert report.status == "FINISHED", report.errors
    assert report.drops["c"].status is S.COMPLETED
    assert report.drops["done"].status is S.COMPLETED


READS_CHILDREN = """
from dlg.drops.app_base import BarrierAppDROP

class ReadsChildren(BarrierAppDROP):
    def run(self):
        (box,) = self.inputs
        self.outputs[0].store([child.value() for child in box.children])
"""


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_an_app_reads_what_is_in_a_container_whoever_runs_it(
    runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reads_children_of_a_user.py").write_text(READS_CHILDREN)
    monkeypatch.syspath_prepend(tmp_path)
    box = {"categoryType": "Container", "dropclass": "dlg.data.container.ContainerDROP"}
    specs = [
        data("one", pydata=1), data("other", pydata=2),
        {**box, "oid": "box", "children": ["one", "other"], "consumers": ["reads"]},
        app("reads", ["read"], "reads_children_of_a_user.ReadsChildren"), data("read"),
    ]  # fmt: skip
    report = run_graph(specs, runner=runner, workdir=tmp_path, timeout=60)
    assert (report.errors, report.result("read")) == ((), [1, 2])
