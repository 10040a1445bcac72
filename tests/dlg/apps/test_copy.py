"""Apps that copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.apps.copy import CopyApp, SleepAndCopyApp
from dlg.data.container import ContainerDROP
from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run


class TestCopy(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return linked(CopyApp("copy", **parameters), filled("in", b"data"))


class TestSleepAndCopy(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return linked(SleepAndCopyApp("copy", **parameters), filled("in", b"data"))


def linked(app: CopyApp, *inputs: Any, output: Any = None) -> CopyApp:
    for drop in inputs:
        app.addInput(drop)
    app.addOutput(output or InMemoryDROP("out"))
    return app


def copied(*inputs: Any, output: Any = None, **parameters: Any) -> Any:
    app = linked(CopyApp("copy", **parameters), *inputs, output=output)
    run(app)
    assert app.failure is None
    return app.outputs[0]


def test_an_object_in_memory_is_handed_on_and_not_copied() -> None:
    thing = object()
    assert copied(filled("in", thing)).value() is thing


def test_several_inputs_are_joined_in_order() -> None:
    assert copied(filled("a", b"one "), filled("b", b"two")).contents() == b"one two"


def test_every_output_gets_a_copy() -> None:
    app = linked(CopyApp("copy"), filled("in", b"data"))
    app.addOutput(InMemoryDROP("second"))
    run(app)
    assert [out.contents() for out in app.outputs] == [b"data", b"data"]


def test_data_moves_between_storages_in_pieces_of_any_size(tmp_path: Path) -> None:
    target = FileDROP("out", filepath=str(tmp_path / "x"))
    content = bytes(range(256)) * 10
    assert copied(filled("in", content), output=target, bufsize=100).contents() == content
    assert copied(target).contents() == content


def test_a_container_stands_for_what_it_holds() -> None:
    container = ContainerDROP("c")
    children = [filled("a", b"one "), filled("b", b"two")]
    for child in children:
        container.addChild(child)
    app = linked(CopyApp("copy"), container)
    for child in children:
        child.setCompleted()
    run(app)
    assert app.outputs[0].contents() == b"one two"


def test_a_directory_is_copied_whole(tmp_path: Path) -> None:
    (tmp_path / "from" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "sub" / "x").write_text("deep")
    target = DirectoryDROP("out", dirname=str(tmp_path / "to"))
    copied(DirectoryDROP("in", dirname=str(tmp_path / "from")), output=target)
    assert (tmp_path / "to" / "sub" / "x").read_text() == "deep"


def test_inputs_that_failed_are_left_out_where_that_is_tolerated() -> None:
    bad = InMemoryDROP("bad")
    app = linked(CopyApp("copy", input_error_threshold=50), filled("a", b"good"), bad)
    bad.setError(OSError("lost"))
    run(app)
    assert app.outputs[0].contents() == b"good"


@pytest.mark.parametrize("count", [0, 1])
def test_what_has_been_waited_for_is_copied(count: int) -> None:
    app = linked(SleepAndCopyApp("copy", sleep_time=0.001 * count), filled("in", b"data"))
    run(app)
    assert app.outputs[0].contents() == b"data"
