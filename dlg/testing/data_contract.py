"""What every storage must do, as tests that a storage inherits.

Subclass a contract in a test module, say how to make a drop, and pytest runs all its tests::

    class TestMyStorage(DataContract):
        def make(self, uid: str, **parameters: Any) -> DataDROP:
            return MyDROP(uid, **parameters)

`DropContract` is for any data drop, also one that has no bytes of its own (a container, a
directory, a token); `DataContract` adds what holds of bytes: they come back as they were written.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dlg.ddap_protocol import ChecksumTypes, DROPStates
from dlg.drops.app_base import AppDROP, BarrierAppDROP
from dlg.drops.data_base import DataDROP
from dlg.drops.remote import apply_outcome, make_job
from dlg.exceptions import DaliugeException, InvalidDropException, UnexpectedEventError
from dlg.graph.categories import resolve_class
from dlg.support.checksums import crc32c
from dlg.testing.expectations import Recorder, ending, far_away, refused

S = DROPStates
PIECES = (b"all ", b"the ", bytes(range(256)), b"\n")
WHOLE = b"".join(PIECES)
VALUES: dict[str, Any] = {
    "pickle": {"a": (1, 2.5), "b": None},
    "dill": [1, "two", {3}],
    "cloudpickle": {"of": "anything"},
    "json": {"a": [1, 2.5, None, "text"]},
    "utf-8": "Größe 5 µm",
    "raw": WHOLE,
    "binary": WHOLE,
    "base64": WHOLE,
    "eval": [1, "two", {"three": 3.0}],
}
"""A value for each encoding that comes back as it was stored."""


class Reader(BarrierAppDROP):
    """Notes how its inputs ended."""

    __slots__ = ("seen",)

    seen: list[DROPStates]

    def run(self) -> None:
        """Look at the inputs."""
        self.seen = [drop.status for drop in self.inputs]


class StreamReader(AppDROP):
    """Keeps the pieces that come while its input is written."""

    __slots__ = ("ends", "pieces")

    pieces: list[bytes]
    ends: list[DROPStates]

    def initialize(self, **kwargs: Any) -> None:
        """Start with nothing."""
        self.pieces, self.ends = [], []

    def dataWritten(self, uid: str, data: bytes) -> None:
        """Keep a piece."""
        self.pieces.append(bytes(data))

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Keep how the input ended, and be done."""
        self.ends.append(drop_state)
        self._notifyAppIsFinished()


class Writer(BarrierAppDROP):
    """Writes the same bytes to all its outputs."""

    __slots__ = ()

    def run(self) -> None:
        """Write, a piece at a time."""
        for output in self.outputs:
            for piece in PIECES:
                output.write(piece)


class Copier(BarrierAppDROP):
    """Writes what is in its inputs, in upper case, to its outputs."""

    __slots__ = ()

    def run(self) -> None:
        """Copy."""
        for output in self.outputs:
            output.write(b"".join(drop.contents() for drop in self.inputs).upper())


class DropContract:
    """What holds of every data drop."""

    def make(self, uid: str, **parameters: Any) -> DataDROP:
        """Return a new drop `uid` with `parameters`, in a place of its own."""
        raise NotImplementedError

    def make_whole(self, uid: str = "whole") -> DataDROP:
        """Return a drop that has been completed."""
        drop = self.make(uid)
        drop.setCompleted()
        return drop

    def test_a_new_drop_is_initialized_and_knows_its_names(self) -> None:
        drop = self.make("one")
        assert (drop.uid, drop.oid, drop.status) == ("one", "one", S.INITIALIZED)
        assert not drop.isCompleted()

    def test_a_graph_file_can_name_the_class(self) -> None:
        cls = type(self.make("one"))
        assert resolve_class(f"{cls.__module__}.{cls.__qualname__}") is cls

    def test_every_declared_parameter_says_what_it_is_for(self) -> None:
        declared = type(self.make("one")).declared_parameters()
        assert not [name for name, parameter in declared.items() if not parameter.description]

    def test_an_ill_typed_parameter_is_refused_with_its_name(self) -> None:
        with refused(InvalidDropException) as caught:
            self.make("one", lifespan="for ever")
        assert "lifespan" in str(caught[0])

    def test_completing_is_told_once(self) -> None:
        drop = self.make("one")
        told = Recorder(drop, kind="dropCompleted")
        drop.setCompleted()
        drop.setCompleted()
        assert drop.status is S.COMPLETED
        assert told.values("status") == [S.COMPLETED]

    def test_completing_runs_the_consumers(self) -> None:
        drop, reader = self.make("one"), Reader("reader")
        drop.addConsumer(reader)
        with ending(reader):
            drop.setCompleted()
        assert reader.seen == [S.COMPLETED]

    def test_it_completes_when_its_producer_has_finished(self) -> None:
        drop, producer = self.make("one"), BarrierAppDROP("producer")
        drop.addProducer(producer)
        with ending(drop):
            producer.async_execute()
        assert drop.status is S.COMPLETED

    def test_a_failure_is_kept_and_completion_does_not_follow_it(self) -> None:
        drop, reader, failure = self.make("one"), Reader("reader"), OSError("no room")
        drop.addConsumer(reader)
        drop.setError(failure)
        drop.setCompleted()
        assert (drop.status, drop.failure) == (S.ERROR, failure)
        assert (reader.status, reader.stopped_by) == (S.ERROR, "one")

    def test_a_skipped_drop_skips_its_consumer(self) -> None:
        drop, reader = self.make("one"), Reader("reader")
        drop.addConsumer(reader)
        drop.skip()
        assert (drop.status, reader.status) == (S.SKIPPED, S.SKIPPED)

    def test_a_cancelled_drop_tells_its_consumer(self) -> None:
        drop, reader = self.make("one"), Reader("reader")
        drop.addConsumer(reader)
        drop.cancel()
        assert (drop.status, reader.status) == (S.CANCELLED, S.CANCELLED)

    def test_it_takes_no_data_once_it_is_over(self) -> None:
        drop = self.make_whole()
        with refused(UnexpectedEventError) as caught:
            drop.write(b"more")
        assert drop.uid in str(caught[0])

    def test_it_is_not_read_before_it_is_complete(self) -> None:
        drop = self.make("one")
        with refused(UnexpectedEventError):
            drop.open()
        with refused(UnexpectedEventError):
            drop.contents()

    def test_its_url_says_what_it_is_and_stays(self) -> None:
        drop = self.make_whole()
        scheme, separator, _ = drop.dataURL.partition("://")
        assert scheme
        assert separator
        assert drop.dataURL == drop.dataURL

    def test_a_completed_drop_exists_until_it_is_deleted(self) -> None:
        drop = self.make_whole()
        assert drop.exists()
        drop.delete()
        assert drop.status is S.DELETED
        with refused(UnexpectedEventError):
            drop.open()


class _BytesContract(DropContract):
    """A drop with bytes in it, for the two halves of the contract."""

    def written(self, uid: str = "one", pieces: tuple[bytes, ...] = PIECES) -> DataDROP:
        """Return a completed drop that holds `pieces`."""
        drop = self.make(uid)
        for piece in pieces:
            drop.write(piece)
        drop.setCompleted()
        return drop


class WritingContract(_BytesContract):
    """What holds while bytes are written."""

    def test_writing_says_how_many_bytes_it_took(self) -> None:
        drop = self.make("one")
        sizes = [drop.write(piece) for piece in PIECES]
        drop.setCompleted()
        assert sizes == [len(piece) for piece in PIECES]

    def test_bytes_come_in_any_kind_of_buffer(self) -> None:
        drop = self.make("one")
        for piece in (bytearray(b"ab"), memoryview(b"cd"), b"ef"):
            drop.write(piece)
        drop.setCompleted()
        assert drop.contents() == b"abcdef"

    def test_text_is_written_as_utf_8(self) -> None:
        drop = self.make("one")
        assert drop.write("5 µm") == 5
        drop.setCompleted()
        assert drop.contents() == "5 µm".encode()

    def test_what_is_no_data_is_refused(self) -> None:
        with refused(InvalidDropException) as caught:
            self.make("one").write(42)  # type: ignore[arg-type]
        assert "int" in str(caught[0])

    def test_writing_is_a_state_of_its_own(self) -> None:
        drop = self.make("one")
        drop.write(b"x")
        status = drop.status
        drop.setCompleted()
        assert status is S.WRITING

    def test_it_completes_when_the_expected_size_has_come(self) -> None:
        drop = self.make("one", expectedSize=6)
        drop.write(b"abc")
        assert drop.status is S.WRITING
        drop.write(b"def")
        assert (drop.status, drop.contents()) == (S.COMPLETED, b"abcdef")

    def test_streaming_consumers_get_each_piece_and_the_end(self) -> None:
        drop, reader = self.make("one"), StreamReader("reader")
        drop.addStreamingConsumer(reader)
        with ending(reader):
            for piece in PIECES:
                drop.write(piece)
            drop.setCompleted()
        assert (reader.pieces, reader.ends) == (list(PIECES), [S.COMPLETED])

    def test_an_app_writes_it_and_completes_it(self) -> None:
        drop, writer = self.make("one"), Writer("writer")
        drop.addProducer(writer)
        with ending(drop):
            writer.async_execute()
        assert (drop.status, drop.contents()) == (S.COMPLETED, WHOLE)

    def test_an_app_in_another_process_reads_and_writes_it(self) -> None:
        source, target, app = self.written("source"), self.make("target"), Copier("copier")
        app.addInput(source)
        app.addOutput(target)
        live, row = app._graph, app._row  # noqa: SLF001  as a runner does
        outcome = far_away(make_job(live, row, "dlg-test-"))
        assert outcome.failure is None
        assert apply_outcome(live, row, outcome) is None
        target.setCompleted()
        assert target.contents() == WHOLE.upper()
        assert target.size == len(WHOLE)


class ReadingContract(_BytesContract):
    """What holds of bytes that have been written."""

    encodings: ClassVar[tuple[str, ...]] = tuple(VALUES)
    """The encodings in which values come back."""

    def test_what_is_written_is_read(self) -> None:
        assert self.written().contents() == WHOLE

    def test_size_counts_the_bytes(self) -> None:
        assert self.written().size == len(WHOLE)

    def test_checksum_is_the_crc_32c_of_all_bytes(self) -> None:
        drop = self.written()
        assert (drop.checksum, drop.checksumType) == (crc32c(WHOLE), ChecksumTypes.CRC_32C)

    def test_a_drop_nobody_wrote_is_empty(self) -> None:
        drop = self.make_whole()
        assert (drop.contents(), drop.size) == (b"", 0)

    def test_it_is_read_in_pieces(self) -> None:
        drop = self.written()
        descriptor = drop.open()
        found = []
        while piece := drop.read(descriptor, 7):
            found.append(piece)
        drop.close(descriptor)
        assert b"".join(found) == WHOLE
        assert {len(piece) for piece in found[:-1]} == {7}

    def test_readers_do_not_disturb_each_other(self) -> None:
        drop = self.written()
        one, other = drop.open(), drop.open()
        assert drop.read(one, 4) == WHOLE[:4]
        assert drop.read(other, -1) == WHOLE
        assert drop.read(one, -1) == WHOLE[4:]
        drop.close(other)
        assert drop.isBeingRead()
        drop.close(one)
        assert not drop.isBeingRead()

    def test_a_closed_descriptor_is_refused(self) -> None:
        drop = self.written()
        descriptor = drop.open()
        drop.close(descriptor)
        with refused(InvalidDropException):
            drop.read(descriptor)

    def test_values_come_back_in_every_encoding(self) -> None:
        for encoding in self.encodings:
            drop = self.make(f"value-{encoding}")
            drop.store(VALUES[encoding], encoding)
            drop.setCompleted()
            assert drop.load(encoding) == VALUES[encoding], encoding

    def test_arrays_come_back_in_npy(self) -> None:
        drop, array = self.make("array"), np.arange(12.0).reshape(3, 4)
        drop.store(array, "npy")
        drop.setCompleted()
        assert np.array_equal(drop.load("npy"), array)

    def test_deleted_data_is_gone(self) -> None:
        drop = self.written()
        drop.delete()
        assert not drop.exists()

    def test_deleting_what_is_gone_is_no_mistake(self) -> None:
        drop = self.written()
        drop.delete()
        drop.getIO().delete()
        assert not drop.exists()

    def test_a_broken_encoding_is_a_clear_error(self) -> None:
        drop = self.written(pieces=(b"no json at all",))
        with refused(DaliugeException) as caught:
            drop.load("json")
        assert "json" in str(caught[0])


class DataContract(WritingContract, ReadingContract):
    """What holds of every storage that keeps bytes."""
