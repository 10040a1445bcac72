from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.data.shared_memory import SharedMemoryDROP
from dlg.ddap_protocol import DROPPhases
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import DataVanishedError, UnexpectedEventError
from dlg.support import clock
from dlg.testing.graphs import Spec, app, data
from dlg_engine.embedded import run_graph

FUNCTION = "dlg.apps.python_function.PyFuncApp"
FILE = "dlg.data.file.FileDROP"


@pytest.fixture
def time() -> Iterator[clock.Clock]:
    with clock.replaced(clock.ManualClock(start=5000)) as stopped:
        yield stopped


def complete(drop: Any) -> Any:
    drop.write(b"abc")
    drop.setCompleted()
    return drop


# -- dates ------------------------------------------------------------------------------------


def test_a_lifespan_is_counted_from_the_creation_of_the_drop(time: clock.Clock) -> None:
    drop = InMemoryDROP("d", lifespan=10)
    time.sleep(4)
    assert drop.expirationDate == 5010


@pytest.mark.parametrize(
    "given", [{}, {"lifespan": -1}, {"lifespan": 0}, {"lifespan": 9, "persist": True}], ids=str
)
def test_data_without_a_lifespan_or_with_persist_never_expires(
    time: clock.Clock, given: dict[str, Any]
) -> None:
    drop = complete(InMemoryDROP("d", **given))
    time.sleep(1e9)
    assert drop.expirationDate == -1
    assert drop.contents() == b"abc"


def test_that_files_persist_by_default_does_not_undo_their_lifespan(
    time: clock.Clock, tmp_path: Path
) -> None:
    assert FileDROP("f", filepath=str(tmp_path / "f"), lifespan=10).expirationDate == 5010


def test_data_whose_lifespan_is_over_says_so_to_its_reader(time: clock.Clock) -> None:
    drop = complete(InMemoryDROP("d", lifespan=10))
    time.sleep(11)
    wanted = "drop d: read cannot follow EXPIRED: its lifespan of 10 s is over; give it a longer"
    with pytest.raises(UnexpectedEventError, match=wanted):
        drop.contents()


def test_what_somebody_reads_does_not_expire_before_he_closes_it(time: clock.Clock) -> None:
    drop = complete(InMemoryDROP("d", lifespan=10))
    descriptor = drop.open()
    time.sleep(11)
    other = drop.open()
    assert (drop.read(other), drop.read(descriptor)) == (b"abc", b"abc")
    drop.close(other)
    drop.close(descriptor)
    with pytest.raises(UnexpectedEventError, match="EXPIRED"):
        drop.open()


def test_used_data_that_is_still_open_is_released_when_it_is_closed() -> None:
    drop = complete(InMemoryDROP("d"))
    descriptor = drop.open()
    drop.release()
    assert drop.read(descriptor) == b"abc"
    states = [drop.status]
    drop.close(descriptor)
    assert [*states, drop.status] == [S.COMPLETED, S.DELETED]


def test_released_data_tells_how_to_keep_it() -> None:
    drop = complete(InMemoryDROP("d"))
    drop.release()
    with pytest.raises(UnexpectedEventError, match="ended; with persist it is kept"):
        drop.contents()


# -- phases -----------------------------------------------------------------------------------


def test_memory_is_plasma_and_what_is_on_disk_is_gas(tmp_path: Path) -> None:
    volatile = [InMemoryDROP("m"), SharedMemoryDROP("s")]
    stored = [FileDROP("f", filepath=str(tmp_path / "f")), DirectoryDROP("d"), BarrierAppDROP("a")]
    assert {drop.phase for drop in volatile} == {DROPPhases.PLASMA}
    assert {drop.phase for drop in stored} == {DROPPhases.GAS}


# -- data that has vanished -------------------------------------------------------------------


@pytest.mark.parametrize("read", [
    lambda drop: drop.contents(), lambda drop: drop.open(), lambda drop: drop.load("path"),
    lambda drop: drop.load("dataurl"),
])  # fmt: skip
def test_a_file_that_was_removed_is_lost_for_every_kind_of_reader(
    tmp_path: Path, read: Any
) -> None:
    drop = complete(FileDROP("f", filepath=str(tmp_path / "f")))
    (tmp_path / "f").unlink()
    wanted = f"drop f: its data is gone: there is nothing at {tmp_path / 'f'} any more"
    with pytest.raises(DataVanishedError, match=wanted):
        read(drop)
    assert drop.phase is DROPPhases.LOST


def test_a_directory_that_was_removed_is_lost(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "d"))
    drop.setCompleted()
    (tmp_path / "d").rmdir()
    with pytest.raises(DataVanishedError, match="put it back there, or run the graph again"):
        drop.load()


def test_a_file_that_was_put_back_can_be_read(tmp_path: Path) -> None:
    drop = complete(FileDROP("f", filepath=str(tmp_path / "f")))
    (tmp_path / "f").rename(tmp_path / "away")
    with pytest.raises(DataVanishedError):
        drop.contents()
    (tmp_path / "away").rename(tmp_path / "f")
    assert drop.contents() == b"abc"
    assert drop.phase is DROPPhases.GAS


def test_the_error_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DataVanishedError("drop f: gone", "f")))
    assert (str(error), error.uid) == ("drop f: gone", "f")


def vanishing(readers: dict[str, Any]) -> list[Spec]:
    """Return a graph in which a first app removes the file of drop `f`, which `b` needs then."""
    code = "def f(path):\n  import os\n  os.remove(path)"
    ports = {"inputs": [{"f": "path"}], "componentParams": {"path": {"encoding": "path"}}}
    return [
        {"oid": "f", "categoryType": "Data", "dropclass": FILE, "filepath": "some/file.txt"},
        {**app("a", ["gone"], FUNCTION, func_code=code), **ports},
        data("gone"),
        {**app("b", ["out"], **readers), "inputs": ["gone", "f"]},
        data("out"),
    ]


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
@pytest.mark.parametrize("readers", [
    {"dropclass": FUNCTION, "func_code": "def f(x, y): return y"},
    {"dropclass": "dlg.apps.bash.BashShellApp", "command": "wc %i1"},
], ids=["function", "command"])  # fmt: skip
def test_a_consumer_of_vanished_data_says_which_drop_and_where(
    tmp_path: Path, runner: str, readers: dict[str, Any]
) -> None:
    report = run_graph(vanishing(readers), runner=runner, workers=1, workdir=tmp_path, timeout=60)
    (error,) = report.errors
    assert error.uid == "b"
    assert "drop f: its data is gone: there is nothing at" in error.exception
    assert "some/file.txt any more" in error.exception
    assert report.drops["f"].phase is DROPPhases.LOST


def test_consumers_that_have_not_run_fail_when_the_loss_is_found(tmp_path: Path) -> None:
    drop = complete(FileDROP("f", filepath=str(tmp_path / "f")))
    waits, other = BarrierAppDROP("waits"), InMemoryDROP("other")
    for source in (drop, other):
        waits.addInput(source)
    (tmp_path / "f").unlink()
    with pytest.raises(DataVanishedError):
        drop.contents()
    assert waits.status is S.ERROR
    assert isinstance(waits.failure, DataVanishedError)
    assert drop.status is S.COMPLETED
