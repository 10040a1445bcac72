"""Size and checksum of data, who switched summing off, and how long data lives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import ChecksumTypes
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException, UnexpectedEventError
from dlg.support.checksums import crc32c
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph

FUNCTION = "dlg.apps.python_function.PyFuncApp"
HELLO = "dlg.apps.hello.HelloWorldApp"


def test_the_size_of_data_is_not_known_before_any_came() -> None:
    assert InMemoryDROP("d").size is None


def test_size_grows_with_each_piece() -> None:
    drop, sizes = InMemoryDROP("d"), []
    for piece in (b"a", b"bc", b""):
        drop.write(piece)
        sizes.append(drop.size)
    assert sizes == [1, 3, 3]


def test_size_and_checksum_may_be_told_from_outside() -> None:
    drop = InMemoryDROP("d")
    drop.setCompleted()
    drop.size, drop.checksum = 7, 42
    assert (drop.size, drop.checksum) == (7, 42)
    assert drop.checksumType is ChecksumTypes.CRC_32C


def test_there_is_no_checksum_of_data_that_is_not_complete() -> None:
    drop = InMemoryDROP("d")
    drop.write(b"x")
    assert drop.checksum is None


def test_a_file_written_behind_the_drop_is_summed_when_somebody_asks(tmp_path: Path) -> None:
    drop = FileDROP("f", filepath=str(tmp_path / "x"))
    (tmp_path / "x").write_bytes(b"from elsewhere")
    drop.setCompleted()
    assert (drop.size, drop.checksum) == (14, crc32c(b"from elsewhere"))


def crc_of_a_run(tmp_path: Path) -> tuple[int, int | None]:
    file = {"oid": "f", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP"}
    report = run_graph([app("a", ["f"], HELLO), file], runner="inline", workdir=tmp_path)
    drop = report.drops["f"]
    return drop._crc, drop.checksum


def test_data_is_summed_while_it_is_written(tmp_path: Path) -> None:
    assert crc_of_a_run(tmp_path) == (crc32c(b"Hello World"),) * 2


@pytest.mark.parametrize(
    ("name", "value"), [("DLG_CHECKSUMS", "false"), ("DLG_DISABLE_CHECKSUM", "1")]
)
def test_summing_can_be_switched_off_and_is_done_on_demand_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert crc_of_a_run(tmp_path) == (0, crc32c(b"Hello World"))


def test_more_than_the_expected_size_completes_too() -> None:
    drop = InMemoryDROP("d", expectedSize=3)
    drop.write(b"abcdef")
    assert (drop.status, drop.size) == (S.COMPLETED, 6)


def test_data_past_its_lifespan_is_not_read_any_more() -> None:
    drop = InMemoryDROP("d", lifespan=0.01)
    drop.write(b"x")
    drop.setCompleted()
    created = drop._created
    deadline = time.monotonic() + 10
    while time.monotonic() <= created + 0.01:
        assert time.monotonic() < deadline
    with pytest.raises(UnexpectedEventError, match="read cannot follow EXPIRED"):
        drop.contents()
    assert drop.status is S.EXPIRED


def test_lifespan_and_release_after_use_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidDropException, match="exclude each other; give one of them"):
        FileDROP("f", filepath=str(tmp_path / "x"), lifespan=1, expireAfterUse=True)


def test_outside_a_session_nothing_is_released() -> None:
    drop, reader = InMemoryDROP("d"), BarrierAppDROP("r")
    drop.addConsumer(reader)
    with ending(reader):
        drop.setCompleted()
    assert drop.status is S.COMPLETED


def reading(oid: str) -> dict[str, Any]:
    return app(oid, [], FUNCTION, func_code="def f(x): return x")


def used(tmp_path: Path, *apps: dict[str, Any], **parameters: Any) -> Any:
    consumers = [spec["oid"] for spec in apps]
    report = run_graph(
        [data("d", consumers, pydata=1, **parameters), *apps], runner="threads", workdir=tmp_path
    )
    return report.drops["d"].status


def test_in_a_session_memory_is_released_after_its_last_consumer(tmp_path: Path) -> None:
    assert used(tmp_path, reading("a"), reading("b")) is S.DELETED


def test_a_consumer_that_fails_has_ended_too(tmp_path: Path) -> None:
    bad = app("b", [], FUNCTION, func_code="def f(x): raise OSError(x)")
    assert used(tmp_path, reading("a"), bad) is S.DELETED


@pytest.mark.parametrize(
    "parameters",
    [{"persist": True}, {"precious": True}, {"expireAfterUse": False}, {"expireAfterUse": "no"}],
    ids=str,
)
def test_data_that_is_to_be_kept_is_kept(tmp_path: Path, parameters: Any) -> None:
    assert used(tmp_path, reading("a"), **parameters) is S.COMPLETED


def test_every_consumer_has_the_data_before_it_is_released(tmp_path: Path) -> None:
    specs = [data("d", [f"f{i}" for i in range(20)], pydata=[1, 2])]
    for i in range(20):
        specs.append(app(f"f{i}", [f"out{i}"], FUNCTION, func_code="def f(x): return len(x)"))
        specs.append(data(f"out{i}"))
    report = run_graph(specs, runner="threads", workers=8, workdir=tmp_path)
    assert [report.result(f"out{i}") for i in range(20)] == [2] * 20


def test_released_data_says_so_when_it_is_asked_for(tmp_path: Path) -> None:
    specs = [data("d", ["a"], pydata=1), reading("a")]
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    with pytest.raises(UnexpectedEventError, match="drop d: read cannot follow DELETED"):
        report.result("d")
