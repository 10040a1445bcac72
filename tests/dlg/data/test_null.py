"""Tokens: data that goes nowhere, and the end marker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlg.data.null import EndDROP, NullDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.support.checksums import crc32c
from dlg.testing.data_contract import DropContract, StreamReader
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


class TestNull(DropContract):
    def make(self, uid: str, **parameters: Any) -> NullDROP:
        return NullDROP(uid, **parameters)


class TestEnd(DropContract):
    def make(self, uid: str, **parameters: Any) -> EndDROP:
        return EndDROP(uid, **parameters)


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
