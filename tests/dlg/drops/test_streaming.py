"""Apps that read data while it is written."""

from __future__ import annotations

import pytest

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import AppDROP
from dlg.testing.data_contract import StreamReader
from dlg.testing.expectations import ending


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
