"""Apps that read data while it is written."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import AppDROP
from dlg.testing.data_contract import StreamReader
from dlg.testing.expectations import ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


class Echo(AppDROP):
    """Passes each piece on as it comes."""

    __slots__ = ()

    def dataWritten(self, uid: str, data: bytes) -> None:
        for output in self.outputs:
            output.write(data.upper())

    def dropCompleted(self, uid: str, drop_state: S) -> None:
        if drop_state is not S.COMPLETED:
            self.execStatus = X.ERROR
        self._notifyAppIsFinished()


class Broken(AppDROP):
    __slots__ = ()

    def dropCompleted(self, uid: str, drop_state: S) -> None:
        raise OSError("broken at the end")


def test_pieces_flow_through_a_chain_as_they_are_written() -> None:
    source, echo, middle, reader = (
        InMemoryDROP("s"),
        Echo("e"),
        InMemoryDROP("m"),
        StreamReader("r"),
    )
    source.addStreamingConsumer(echo)
    echo.addOutput(middle)
    middle.addStreamingConsumer(reader)
    source.write(b"one")
    assert reader.pieces == [b"ONE"]
    with ending(reader):
        source.write(b"two")
        source.setCompleted()
    assert (reader.pieces, middle.contents()) == ([b"ONE", b"TWO"], b"ONETWO")


def test_an_app_is_running_from_the_first_piece_on() -> None:
    source, echo = InMemoryDROP("s"), Echo("e")
    source.addStreamingConsumer(echo)
    before = echo.execStatus
    source.write(b"x")
    assert (before, echo.execStatus) == (X.NOT_RUN, X.RUNNING)
    with ending(echo):
        source.setCompleted()
    assert echo.execStatus is X.FINISHED


def test_every_streaming_consumer_gets_every_piece() -> None:
    source, readers = InMemoryDROP("s"), [StreamReader(f"r{i}") for i in range(3)]
    for reader in readers:
        source.addStreamingConsumer(reader)
    with ending(*readers):
        source.write(b"x")
        source.setCompleted()
    assert [reader.pieces for reader in readers] == [[b"x"]] * 3


@pytest.mark.parametrize("how", ["setError", "cancel", "skip"])
def test_a_stream_that_comes_to_a_bad_end_says_so(how: str) -> None:
    source, reader = InMemoryDROP("s"), StreamReader("r")
    source.addStreamingConsumer(reader)
    with ending(reader):
        source.write(b"x")
        getattr(source, how)()
    ends = {"setError": S.ERROR, "cancel": S.CANCELLED, "skip": S.SKIPPED}
    assert (reader.pieces, reader.ends) == ([b"x"], [ends[how]])


def test_a_listener_that_raises_fails_its_app_and_nobody_else() -> None:
    source, broken, reader = InMemoryDROP("s"), Broken("b"), StreamReader("r")
    source.addStreamingConsumer(broken)
    source.addStreamingConsumer(reader)
    with ending(broken, reader):
        source.setCompleted()
    assert (broken.status, str(broken.failure)) == (S.ERROR, "broken at the end")
    assert (source.status, reader.ends) == (S.COMPLETED, [S.COMPLETED])


def test_pieces_do_not_change_afterwards() -> None:
    source, reader, buffer = InMemoryDROP("s"), StreamReader("r"), bytearray(b"one")
    source.addStreamingConsumer(reader)
    source.write(buffer)
    buffer[:] = b"two"
    with ending(reader):
        source.setCompleted()
    assert reader.pieces == [b"one"]


class BrokenAtOnce(StreamReader):
    """Fails over the first piece."""

    __slots__ = ()

    def dataWritten(self, uid: str, data: bytes) -> None:
        super().dataWritten(uid, data)
        raise OSError("broken at once")


def test_a_reader_that_fails_over_a_piece_does_not_fail_who_writes() -> None:
    source, broken, reader = InMemoryDROP("s"), BrokenAtOnce("b"), StreamReader("r")
    source.addStreamingConsumer(broken)
    source.addStreamingConsumer(reader)
    with ending(source, broken, reader):
        source.write(b"one")
        source.write(b"two")
        source.setCompleted()
    assert (broken.status, str(broken.failure)) == (S.ERROR, "broken at once")
    assert broken.pieces == [b"one"]
    assert (source.status, reader.pieces, reader.status) == (
        S.COMPLETED,
        [b"one", b"two"],
        S.COMPLETED,
    )


class Exclusive(AppDROP):
    """Notes how many calls there are at a time, and in which threads they are made."""

    __slots__ = ("calls", "inside", "may_go_on", "most", "occupied")

    def initialize(self, **kwargs: Any) -> None:
        self.calls: list[str] = []
        self.inside = self.most = 0
        self.occupied, self.may_go_on = threading.Event(), threading.Event()

    def _called(self, what: str) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.occupied.set()
        assert self.may_go_on.wait(60)
        self.calls.append(what)
        self.inside -= 1

    def dataWritten(self, uid: str, data: bytes) -> None:
        self._called(f"{uid} wrote {data.decode()}")

    def dropCompleted(self, uid: str, drop_state: S) -> None:
        self._called(f"{uid} {drop_state.name}")
        if len(self.calls) == 5:
            self._notifyAppIsFinished()


def test_an_app_is_called_by_one_thread_at_a_time_and_nobody_waits_for_it() -> None:
    app, out = Exclusive("app"), InMemoryDROP("out")
    inputs = [InMemoryDROP(f"d{i}") for i in range(3)]
    inputs[2].addStreamingConsumer(app)
    for drop in inputs[:2]:
        drop.addConsumer(app)
    app.addOutput(out)
    first = threading.Thread(target=inputs[0].setCompleted)
    first.start()
    assert app.occupied.wait(60)
    inputs[1].setError(OSError("lost"))  # returns, though the app is taken
    inputs[2].write(b"a")
    inputs[2].write(b"b")
    inputs[2].setCompleted()
    assert app.calls == []
    with ending(out):
        app.may_go_on.set()
        first.join(60)
    assert app.calls == ["d0 COMPLETED", "d1 ERROR", "d2 wrote a", "d2 wrote b", "d2 COMPLETED"]
    assert (app.most, out.status) == (1, S.COMPLETED)


def test_a_call_that_fails_does_not_keep_the_next_ones_from_being_made() -> None:
    class Grumpy(Exclusive):
        __slots__ = ()

        def dropCompleted(self, uid: str, drop_state: S) -> None:
            self._called(uid)
            raise SystemExit(uid)

    app, inputs = Grumpy("app"), [InMemoryDROP(f"d{i}") for i in range(2)]
    for drop in inputs:
        drop.addConsumer(app)
    first = threading.Thread(target=inputs[0].setCompleted)
    first.start()
    assert app.occupied.wait(60)
    inputs[1].setCompleted()
    with ending(app):
        app.may_go_on.set()
        first.join(60)
    assert (app.calls, str(app.failure)) == (["d0", "d1"], "d0")


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_what_is_read_while_it_is_written_comes_whoever_runs_the_writer(
    runner: str, tmp_path: Path
) -> None:
    writer = "def f():\n return b'streamed'"
    parameters = {"func_code": writer, "applicationArgs": {"d": {"encoding": "raw"}}}
    specs = [
        app("writer", ["d"], "dlg.apps.python_function.PyFuncApp", **parameters),
        {**data("d"), "streamingConsumers": ["reader"]},
        app("reader", [], "dlg.testing.data_contract.StreamReader"),
    ]
    report = run_graph(specs, runner=runner, workdir=tmp_path, timeout=60)
    assert report.status == "FINISHED"
    assert b"streamed" in b"".join(report.drops["reader"].pieces)
