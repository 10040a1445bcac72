"""Tokens: data that goes nowhere, and the end marker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.data.null import EndDROP, NullDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.support.checksums import crc32c
from dlg.testing.data_contract import DropContract, Reader, StreamReader
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


class TestNull(DropContract):
    def make(self, uid: str, **parameters: Any) -> NullDROP:
        return NullDROP(uid, **parameters)


class TestEnd(DropContract):
    def make(self, uid: str, **parameters: Any) -> EndDROP:
        return EndDROP(uid, **parameters)

    def test_completing_runs_the_consumers(self) -> None:
        drop, reader = self.make("one"), Reader("reader")
        drop.addConsumer(reader)
        with ending(reader):
            drop.setCompleted()
        assert reader.status is S.SKIPPED  # an end marker is the one exception


def test_what_is_written_is_counted_summed_and_forgotten() -> None:
    drop = NullDROP("n")
    drop.write(b"abc")
    drop.write(b"de")
    drop.setCompleted()
    assert (drop.size, drop.checksum, drop.contents()) == (5, crc32c(b"abcde"), b"")


def test_a_value_stored_is_forgotten() -> None:
    drop = NullDROP("n")
    drop.store([1, 2])
    drop.setCompleted()
    assert drop.load() is None


def test_it_streams_what_it_forgets() -> None:
    drop, reader = NullDROP("n"), StreamReader("r")
    drop.addStreamingConsumer(reader)
    with ending(reader):
        drop.write(b"abc")
        drop.store("de", "utf-8")
        drop.setCompleted()
    assert reader.pieces == [b"abc", b"de"]


def test_reaching_an_end_skips_what_has_not_begun(tmp_path: Path) -> None:
    end = {"oid": "end", "categoryType": "Data", "dropclass": "dlg.data.null.EndDROP"}
    specs = [
        data("root", ["first"]), app("first", ["end"]), end, data("later", ["after"]),
        app("after", ["never"]), data("never"),
    ]  # fmt: skip
    report = run_graph(specs, runner="inline", workdir=tmp_path, completed=["root"])
    assert report.status == "FINISHED"
    assert {uid for uid, drop in report.drops.items() if drop.status is S.SKIPPED} == {
        "later", "after", "never",
    }  # fmt: skip


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_no_consumer_of_an_end_is_run_however_many_there_are(runner: str, tmp_path: Path) -> None:
    consumers = [f"a{i}" for i in range(100)]
    end = {"oid": "end", "categoryType": "Data", "dropclass": "dlg.data.null.EndDROP"}
    specs = [{**end, "consumers": consumers}]
    for oid in consumers:
        specs += [app(oid, [f"{oid}-out"]), data(f"{oid}-out")]
    report = run_graph(specs, runner=runner, workers=2, workdir=tmp_path)
    assert (report.status, report.counts) == ("FINISHED", {"COMPLETED": 1, "SKIPPED": 200})


def test_of_what_is_ready_when_an_end_is_reached_nothing_is_run_any_more(tmp_path: Path) -> None:
    end = {"oid": "end", "categoryType": "Data", "dropclass": "dlg.data.null.EndDROP"}
    specs = [data("root", ["first", *(f"a{i}" for i in range(100))]), app("first", ["end"]), end]
    specs += [app(f"a{i}") for i in range(100)]
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    assert (report.status, report.counts) == ("FINISHED", {"COMPLETED": 3, "SKIPPED": 100})
