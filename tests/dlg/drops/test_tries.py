"""Apps that are tried again: what a failed try has written does not show in the output."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_string_param
from dlg.testing.data_contract import StreamReader
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph

MODULE = "tried_twice_by_a_user"
COMPONENT = """
from pathlib import Path
from dlg.drops.app_base import BarrierAppDROP

class Hesitant(BarrierAppDROP):
    def run(self):
        (output,) = self.outputs
        tried = Path(self.parameters["tried"])
        output.write(b"written ")
        if not tried.exists():
            tried.touch()
            raise OSError("the first time")
        output.write(b"once")
"""
STORAGES = (
    "dlg.data.memory.InMemoryDROP", "dlg.data.file.FileDROP",
    "dlg.data.shared_memory.SharedMemoryDROP",
)  # fmt: skip


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_the_output_holds_what_the_last_try_wrote(
    runner: str, storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{MODULE}.py").write_text(COMPONENT)
    monkeypatch.syspath_prepend(tmp_path)
    tried = str(tmp_path / "tried")
    writer = app("a", ["d"], f"{MODULE}.Hesitant", n_tries=2, tried=tried)
    specs = [writer, data("d", dropclass=storage)]
    report = run_graph(specs, runner=runner, workdir=tmp_path, timeout=60)
    assert (report.status, report.result("d")) == ("FINISHED", b"written once")
    assert report.drops["d"].size == len(b"written once")
    assert Path(tried).exists()


class Script(BarrierAppDROP):
    """Does in each try what the next letter of `script` says, and fails after all but the last.

    `w`: writes. `s`: stores. `c`: writes and completes. `e`: sets its output to ERROR.
    """

    __slots__ = ("tries",)

    script = dlg_string_param("a letter for each try", "")
    FAILURE: ClassVar[str] = "try {} failed"

    def initialize(self, **kwargs: Any) -> None:
        self.tries = 0

    def run(self) -> None:
        (output,) = self.outputs
        letter = self.script[self.tries]
        self.tries += 1
        if letter in "wc":
            output.write(f"{self.tries}")
        if letter == "s":
            output.store(self.tries)
        if letter == "c":
            output.setCompleted()
        if letter == "e":
            output.setError(ValueError("bad"))
        if self.tries < len(self.script):
            raise OSError(self.FAILURE.format(self.tries))


def tried(script: str, output: Any) -> Script:
    """Return the app that wrote `output` after it has ended."""
    writer = Script("writer", script=script, n_tries=len(script))
    writer.addOutput(output)
    with ending(output, writer):
        writer.async_execute()
    return writer


def test_a_stored_value_is_forgotten_too() -> None:
    output = InMemoryDROP("d")
    tried("sw", output)
    assert output.value() == b"2"


def test_a_file_that_no_try_wrote_to_the_end_is_empty(tmp_path: Path) -> None:
    output = FileDROP("d", filepath=str(tmp_path / "f"))
    tried("w-", output)
    assert (output.status, output.contents(), output.size) == (S.COMPLETED, b"", 0)


def test_a_file_that_the_app_did_not_write_through_the_drop_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("of the user")
    output = FileDROP("d", filepath=str(tmp_path / "f"))
    tried("--", output)
    assert output.contents() == b"of the user"


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")
    reader = os.open(tmp_path / "f", os.O_RDONLY | os.O_NONBLOCK)
    try:
        output = FileDROP("d", filepath=str(tmp_path / "f"))
        assert tried("ww", output).status is S.COMPLETED
    finally:
        os.close(reader)
    assert (tmp_path / "f").is_fifo()


@pytest.mark.parametrize("letter", ["c", "e"])
def test_an_app_whose_output_is_over_is_not_tried_again(letter: str) -> None:
    writer = tried(f"{letter}w", InMemoryDROP("d"))
    assert (writer.tries, str(writer.failure)) == (1, "try 1 failed")
    assert "was not tried again" in "".join(getattr(writer.failure, "__notes__", ()))


def test_what_streaming_consumers_have_had_is_not_written_again() -> None:
    output, reader = InMemoryDROP("d"), StreamReader("r")
    output.addStreamingConsumer(reader)
    with ending(reader):
        writer = tried("ww", output)
    assert (writer.tries, reader.pieces, output.status) == (1, [b"1"], S.ERROR)


def test_what_several_apps_write_is_not_taken_from_the_others() -> None:
    output, other = InMemoryDROP("d"), BarrierAppDROP("other")
    output.addProducer(other)
    writer = Script("writer", script="ww", n_tries=2)
    writer.addOutput(output)
    output.write(b"of the other")
    with ending(writer):
        writer.async_execute()
    assert (writer.tries, writer.status) == (1, S.ERROR)
