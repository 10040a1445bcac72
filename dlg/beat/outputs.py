"""Outputs of an algorithm: units are written one after the other, without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from dlg.beat.baseformat import baseformat, fill, new
from dlg.beat.sinks import DataSink
from dlg.exceptions import RunError, UsageError

__all__ = [
    "Output",
    "OutputError",
    "OutputList",
    "RemotelySyncedOutput",
    "SynchronizationListener",
]


class OutputError(UsageError, KeyError):
    """An algorithm wrote data for indices that it may not write now."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would show it in quotes


class AnswerError(RunError, RuntimeError):
    """The other side of a loop did not do what it was told of."""


class SynchronizationListener:
    """Hears from a group of inputs which data indices its present units have in common."""

    def __init__(self) -> None:
        self.data_index_start = self.data_index_end = -1

    def onIntervalChanged(self, data_index_start: int, data_index_end: int) -> None:
        """Take note of the interval."""
        self.data_index_start, self.data_index_end = data_index_start, data_index_end


class Output:
    """One output; what is written goes to its sink.

    Without a listener units may end wherever the algorithm says; with one they may not go beyond
    what the inputs have reached. `force_start_index` is where the first unit starts.
    """

    def __init__(
        self,
        name: str,
        data_sink: DataSink,
        synchronization_listener: SynchronizationListener | None = None,
        force_start_index: int = 0,
    ) -> None:
        self.name = name
        self.last_written_data_index = force_start_index - 1
        self.nb_data_blocks_written = 0
        self.data_sink = data_sink
        self._synchronization_listener = synchronization_listener

    def _createData(self) -> baseformat:
        """Return a value of the output's format, with all defaults."""
        made: baseformat = self.data_sink.dataformat.type()
        return made

    def write(self, data: Any, end_data_index: int | None = None) -> None:
        """Write a unit that goes from behind the last one to `end_data_index`.

        Without that, it goes as far as the inputs have reached, or is one index long if the
        output does not follow inputs. `data` is a dictionary of exactly the fields, which are
        cast safely, or a value of the format. Raises `OutputError` (a `KeyError`) for an end that
        does not fit, `FieldsError` and `CastError` for data that do not.
        """
        end = self._compute_end_data_index(end_data_index)
        if isinstance(data, dict):
            data = fill(new(self.data_sink.dataformat.type), data, "safe", False)
        self.data_sink.write(data, self.last_written_data_index + 1, end)
        self.last_written_data_index = end
        self.nb_data_blocks_written += 1

    def isDataMissing(self) -> bool:
        """Tell whether the inputs have reached further than what was written."""
        listener = self._synchronization_listener
        return listener is not None and listener.data_index_end != self.last_written_data_index

    def isConnected(self) -> bool:
        """Tell whether what is written goes anywhere."""
        return self.data_sink.isConnected()

    def _compute_end_data_index(self, end_data_index: int | None) -> int:
        """Return where a unit that is written now ends; raise `OutputError`."""
        start, listener = self.last_written_data_index + 1, self._synchronization_listener
        reached = None if listener is None else listener.data_index_end
        end = end_data_index
        if end is None:
            end = start if reached is None else reached
        if end < start or (reached is not None and end > reached):
            allowed = f"{start} and above" if reached is None else f"{start} to {reached}"
            raise OutputError(
                "Algorithm logic error on write(): `end_data_index' is not consistent with last "
                f"written index: output `{self.name}' may be written up to {allowed}, not {end}"
            )
        return end

    def close(self) -> None:
        """Write no more; the sink keeps what was written if it is whole."""
        self.data_sink.close()


class Socket(Protocol):
    """Sends and receives messages of several parts."""

    def send_multipart(self, msg_parts: Any) -> Any:
        """Send a message."""

    def recv_multipart(self) -> list[bytes]:
        """Return the next message."""


class RemotelySyncedOutput(Output):
    """An output whose every unit is told to the other side of a loop, which then writes its own.

    The message is `wrt`, the name and the end as it was given; the answer is `ack`.
    """

    def __init__(
        self,
        name: str,
        data_sink: DataSink,
        socket: Socket,
        synchronization_listener: SynchronizationListener | None = None,
        force_start_index: int = 0,
    ) -> None:
        super().__init__(name, data_sink, synchronization_listener, force_start_index)
        self.socket = socket

    def write(self, data: Any, end_data_index: int | None = None) -> None:
        """Write a unit, and wait until the other side has; raise `AnswerError` if it did not."""
        super().write(data, end_data_index)
        parts = ["wrt", self.name, "None" if end_data_index is None else str(end_data_index)]
        self.socket.send_multipart([part.encode() for part in parts])
        answer = self.socket.recv_multipart()
        if answer[:1] == [b"err"]:
            self.socket.send_multipart([b"ack"])
            raise AnswerError(answer[-1].decode(errors="replace"))
        if answer[:1] != [b"ack"]:
            raise AnswerError(f"`ack' was expected from the other side of a loop, not {answer}")


class OutputList:
    """All outputs of an algorithm, found by name or place; None where there is none."""

    def __init__(self) -> None:
        self._outputs: list[Output] = []

    def __getitem__(self, name_or_index: str | int) -> Output | None:
        if isinstance(name_or_index, str):
            return next((one for one in self._outputs if one.name == name_or_index), None)
        count = len(self._outputs)
        return self._outputs[name_or_index] if -count <= name_or_index < count else None

    def __iter__(self) -> Iterator[Output]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def add(self, output: Output) -> None:
        """Take one more output."""
        self._outputs.append(output)
