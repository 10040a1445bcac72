from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dlg.ddap_protocol import DROPPhases
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.live import LiveGraph
from dlg.exceptions import DataVanishedError, UnexpectedEventError
from dlg.testing.graphs import app, data
from dlg_engine.runners import make_runner
from tests.dlg_engine.lifecycle.conftest import Kept

FUNCTION = "dlg.apps.python_function.PyFuncApp"
FILE = "dlg.data.file.FileDROP"
HELLO = "dlg.apps.hello.HelloWorldApp"
READS = {"dropclass": FUNCTION, "func_code": "def f(x): return x"}


def file(oid: str, **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Data", "dropclass": FILE, "filepath": oid, **more}


def drop_of(live: LiveGraph, oid: str) -> Any:
    return live.drop(live.row_of(oid))


# -- dates ------------------------------------------------------------------------------------


def test_memory_and_files_with_a_lifespan_are_deleted_at_their_date(
    house: Any, tmp_path: Path
) -> None:
    live = house.run(
        app("a", ["m", "f"], HELLO), data("m", lifespan=10), file("f", lifespan=20),
    )  # fmt: skip
    assert house.after(0) == 10
    assert house.after(9) == 1
    assert drop_of(live, "m").contents() == b"Hello World"
    assert house.after(1) == 10
    states = [drop_of(live, "m").status, drop_of(live, "f").status]
    assert states == [S.DELETED, S.COMPLETED]
    assert house.after(10) is None
    assert drop_of(live, "f").status is S.DELETED
    assert not (tmp_path / "s" / "f").exists()


def test_results_stay_however_long_the_session_is_over(house: Any, tmp_path: Path) -> None:
    live = house.run(app("a", ["m", "f"], HELLO), data("m"), file("f"))
    assert house.after(1e9) is None
    assert drop_of(live, "m").contents() == b"Hello World"
    assert (tmp_path / "s" / "f").read_text() == "Hello World"


@pytest.mark.parametrize("more", [
    {"persist": True}, {"precious": True}, {"persist": "true"},
    {"componentParams": {"persist": {"value": True}}},
], ids=str)  # fmt: skip
def test_what_is_said_to_persist_never_expires(house: Any, more: dict[str, Any]) -> None:
    live = house.run(app("a", ["f", "m"], HELLO), file("f", lifespan=5, **more),
                     data("m", lifespan=5, **more))  # fmt: skip
    assert house.after(1e9) is None
    assert {drop_of(live, oid).status for oid in "fm"} == {S.COMPLETED}


@pytest.mark.parametrize("said", [
    {"lifespan": "10"}, {"componentParams": {"lifespan": {"value": 10}}},
    {"applicationArgs": {"lifespan": {"defaultValue": 10, "value": ""}}},
    {"fields": [{"name": "lifespan", "value": "10.0"}]},
], ids=str)  # fmt: skip
def test_a_lifespan_counts_wherever_it_stands(house: Any, said: dict[str, Any]) -> None:
    live = house.run(app("a", ["f"], HELLO), file("f", **said))
    assert drop_of(live, "f").expirationDate == 1010
    assert house.after(10) is None
    assert drop_of(live, "f").status is S.DELETED


@pytest.mark.parametrize("lifespan", [-1, 0, None, "-1"])
def test_no_lifespan_is_for_ever(house: Any, lifespan: Any) -> None:
    live = house.run(app("a", ["m"], HELLO), data("m", lifespan=lifespan))
    assert house.after(1e9) is None
    assert drop_of(live, "m").status is S.COMPLETED


def test_what_completes_after_its_date_expires_then(house: Any) -> None:
    live = house.run(data("late", lifespan=10), completed=[])
    assert house.after(50) is None
    states = [drop_of(live, "late").status]
    drop_of(live, "late").setCompleted()
    assert house.after(0) is None
    assert [*states, drop_of(live, "late").status] == [S.INITIALIZED, S.DELETED]


def test_the_thread_is_woken_only_for_an_earlier_date(house: Any) -> None:
    house.run(*(data(f"d{i}", lifespan=10 + i) for i in range(50)))
    assert house.woken.times == 1


def test_what_somebody_reads_at_its_date_goes_when_he_closes_it(house: Any) -> None:
    live = house.run(app("a", ["m"], HELLO), data("m", lifespan=10))
    drop = drop_of(live, "m")
    drop.close(drop.open())
    first, second = drop.open(), drop.open()
    assert house.after(10) == 10
    assert drop.read(first) == drop.read(second)
    drop.close(first)
    assert house.after(0) == 10
    assert drop.status is S.COMPLETED
    drop.close(second)
    assert house.after(0) == 10
    assert [drop.status] == [S.DELETED]
    assert house.after(10) is None


def test_what_an_app_works_on_at_its_date_goes_when_the_app_has_ended(house: Any) -> None:
    live = house.run(
        data("m", lifespan=10, pydata=1),
        {**app("a", ["out"], "dlg.drops.app_base.AppDROP"), "inputs": ["m"]}, data("out"),
    )  # fmt: skip
    worker = drop_of(live, "a")
    worker.execStatus = 1
    assert house.after(10) == 10
    assert drop_of(live, "m").status is S.COMPLETED
    worker._notifyAppIsFinished()
    house.after(0)
    assert [drop_of(live, "m").status] == [S.DELETED]


def test_a_consumer_that_comes_too_late_fails_and_says_why(house: Any) -> None:
    live = house.run(
        file("f", lifespan=10), data("gate"), data("out"),
        {**app("late", ["out"], "dlg.apps.bash.BashShellApp", command="cat %i1"),
         "inputs": ["gate", "f"]},
        completed=["f"],
    )  # fmt: skip
    house.after(10)
    drop_of(live, "gate").setCompleted()
    failure = drop_of(live, "late").failure
    assert isinstance(failure, UnexpectedEventError)
    assert "drop f: read cannot follow DELETED: its lifespan of 10 s is over" in str(failure)


def test_what_cannot_be_deleted_is_expired_and_tried_again(
    house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = house.run(app("a", ["f"], HELLO), file("f", lifespan=10))
    with monkeypatch.context() as patched:
        patched.setattr("dlg.data.file.FileIO.delete", _refuse)
        assert house.after(10) == 30
        assert house.after(30) == 30
    states = [drop_of(live, "f").status]
    assert len(live.warnings) == 1
    assert "f: the data could not be deleted" in live.warnings[0]
    assert house.after(30) is None
    assert [*states, drop_of(live, "f").status] == [S.EXPIRED, S.DELETED]
    assert not (tmp_path / "s" / "f").exists()


def _refuse(*_: Any) -> None:
    raise PermissionError("a read-only file system")


# -- the end of a session ---------------------------------------------------------------------


def test_a_deleted_session_keeps_no_memory_but_its_files(house: Any, tmp_path: Path) -> None:
    live = house.run(app("a", ["m", "f"], HELLO), data("m"), file("f"))
    drop = drop_of(live, "m")
    house.keeper.forget(live)
    assert drop.status is S.DELETED
    assert not drop._as_bytes()
    assert (tmp_path / "s" / "f").read_text() == "Hello World"


def test_files_of_a_deleted_session_go_at_their_dates(house: Any, tmp_path: Path) -> None:
    live = house.run(app("a", ["f", "g"], HELLO), file("f", lifespan=10), file("g"))
    house.keeper.forget(live)
    assert house.after(9) == 1
    assert (tmp_path / "s" / "f").exists()
    assert house.after(1) is None
    assert not (tmp_path / "s" / "f").exists()
    assert (tmp_path / "s" / "g").exists()


def test_other_sessions_do_not_notice(house: Any) -> None:
    gone = house.run(data("m", lifespan=10))
    stays = house.run(data("m", lifespan=10), session_id="t")
    house.keeper.forget(gone)
    assert house.after(10) is None
    assert drop_of(stays, "m").status is S.DELETED


# -- replicas ---------------------------------------------------------------------------------


def test_without_replication_nothing_is_copied(house: Any) -> None:
    live = house.run(app("a", ["f"], HELLO), file("f"))
    assert house.after(0) is None
    assert drop_of(live, "f").phase is DROPPhases.GAS


def test_what_persists_is_copied_and_solid_then(house: Any) -> None:
    house.make(replicas=house.replicas)
    live = house.run(
        app("a", ["f", "m", "p"], HELLO), file("f"), data("m"), data("p", persist=True),
    )  # fmt: skip
    assert house.after(0) is None
    phases = [drop_of(live, oid).phase for oid in "fmp"]
    assert phases == [DROPPhases.SOLID, DROPPhases.PLASMA, DROPPhases.SOLID]
    (copy,) = (house.replicas / "s").glob("f-*")
    assert copy.read_text() == "Hello World"
    assert len(list((house.replicas / "s").iterdir())) == 2


def test_what_is_not_to_last_is_not_copied(house: Any) -> None:
    house.make(replicas=house.replicas)
    house.run(app("a", ["f", "g"], HELLO), file("f", persist=False), file("g", lifespan=10))
    assert house.after(0) == 10
    assert not house.replicas.exists()


def test_a_file_that_vanished_is_brought_back_for_its_reader(house: Any, tmp_path: Path) -> None:
    house.make(replicas=house.replicas)
    live = house.run(app("a", ["f"], HELLO), file("f"))
    house.after(0)
    place = tmp_path / "s" / "f"
    place.unlink()
    assert drop_of(live, "f").contents() == b"Hello World"
    assert place.read_text() == "Hello World"
    assert drop_of(live, "f").phase is DROPPhases.SOLID


@pytest.mark.parametrize("runner", ["inline", "processes"])
@pytest.mark.parametrize("reader", [
    {"dropclass": "dlg.apps.bash.BashShellApp", "command": "cat %i1 > %o0"},
    {"dropclass": "dlg.apps.copy.CopyApp"},
], ids=["command", "copy"])  # fmt: skip
def test_an_app_does_not_notice_that_its_file_had_vanished(
    house: Any, tmp_path: Path, runner: str, reader: dict[str, Any]
) -> None:
    house.make(replicas=house.replicas)
    session = Kept(tmp_path, house.keeper)
    session.runner = make_runner(runner, 1)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "f").write_text("precious")
    specs = [
        file("f"), file("gate", persist=False), file("out"),
        {**app("a", ["out"], **reader), "inputs": ["gate", "f"]},
    ]  # fmt: skip
    live = session.run(specs, ["f"])
    house.after(0)
    (tmp_path / "s" / "f").unlink()
    drop_of(live, "gate").setCompleted()
    assert session.wait(60)
    session.runner.close()
    assert drop_of(live, "a").failure is None
    assert (tmp_path / "s" / "out").read_text() == "precious"
    assert drop_of(live, "f").phase is DROPPhases.SOLID


def test_a_directory_that_vanished_is_brought_back_whole(house: Any, tmp_path: Path) -> None:
    house.make(replicas=house.replicas)
    folder = {"oid": "d", "categoryType": "Data", "dropclass": "dlg.data.directory.DirectoryDROP",
              "dirname": "d"}  # fmt: skip
    fill = "mkdir -p %o0/sub && printf 'in it' > %o0/sub/x"
    live = house.run(app("a", ["d"], "dlg.apps.bash.BashShellApp", command=fill), folder)
    house.after(0)
    shutil.rmtree(tmp_path / "s" / "d")
    drop_of(live, "d").load()
    assert (tmp_path / "s" / "d" / "sub" / "x").read_text() == "in it"


def test_a_replica_that_has_changed_is_not_used(house: Any, tmp_path: Path) -> None:
    house.make(replicas=house.replicas)
    live = house.run(app("a", ["f"], HELLO), file("f"))
    house.after(0)
    (copy,) = (house.replicas / "s").iterdir()
    copy.write_text("Hello Mars!")
    (tmp_path / "s" / "f").unlink()
    with pytest.raises(DataVanishedError, match="drop f: its data is gone"):
        drop_of(live, "f").contents()
    assert drop_of(live, "f").phase is DROPPhases.LOST


def test_a_store_that_takes_nothing_is_a_warning(house: Any, tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    house.make(replicas=tmp_path / "in the way")
    live = house.run(app("a", ["f"], HELLO), file("f"))
    assert house.after(0) is None
    assert "f: no replica could be made" in live.warnings[0]
    assert drop_of(live, "f").phase is DROPPhases.GAS


def test_data_that_changed_behind_our_back_is_not_taken_for_what_was_written(
    house: Any, tmp_path: Path
) -> None:
    house.make(replicas=house.replicas)
    live = house.run(app("a", ["f"], HELLO), file("f"))
    (tmp_path / "s" / "f").write_text("Hello Mars!")
    house.after(0)
    assert "its data has changed since it was written" in live.warnings[0]
    assert not list((house.replicas / "s").iterdir())


def test_a_check_finds_what_has_vanished_from_a_session(house: Any, tmp_path: Path) -> None:
    house.make(replicas=house.replicas)
    live = house.run(app("a", ["f", "g", "h"], HELLO), *map(file, "fg"), file("h", persist=False))
    house.after(0)
    for name in "fh":
        (tmp_path / "s" / name).unlink()
    assert house.keeper.check(live) == {"f": DROPPhases.SOLID, "h": DROPPhases.LOST}
    assert house.keeper.check(live) == {"h": DROPPhases.LOST}
