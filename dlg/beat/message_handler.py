"""The side that answers messages: of an executor, of who serves databases, of an evaluator."""

from __future__ import annotations

import functools
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from dlg.beat import messages
from dlg.beat.blocks.loops import Evaluator, UnknownCommandError
from dlg.beat.sources import NOTHING, DataSource
from dlg.beat.tracebacks import is_of_user, of_user
from dlg.exceptions import RunError

__all__ = ["LoopMessageHandler", "MessageHandler"]

_END_S = 5.0
Answer = list[bytes]


class UnknownInputError(RunError, KeyError):
    """An input, or a unit of it, was asked for that is not served here."""

    def __str__(self) -> str:
        return str(self.args[0])


class MessageHandler:
    """Answers messages at an address until it is told that all is done, fails, or is stopped.

    Serves `data_sources` by the names of inputs. Afterwards `statistics` has what was told of the
    work, `user_error` and `system_error` what went wrong on either side. `kill_callback` is called
    when an error ends the conversation. `run` answers in the calling thread, `start` in another.
    """

    def __init__(
        self,
        host_address: str,
        data_sources: Mapping[str, DataSource] | None = None,
        kill_callback: Callable[[], None] | None = None,
        prefix: str = "",
    ) -> None:
        self.data_sources = dict(data_sources or {})
        self.statistics: dict[str, Any] = {}
        self.user_error = self.system_error = ""
        self._kill_callback, self._prefix = kill_callback, prefix
        self._done = False
        self._wakes, self._wake = os.pipe()
        for descriptor in (self._wakes, self._wake):
            weakref.finalize(self, os.close, descriptor)
        self._thread: threading.Thread | None = None
        self._socket = messages.bind(host_address)
        self.address = messages.address_of(self._socket)
        self._commands: dict[bytes, Callable[..., Answer]] = {
            b"ifo": self._info,
            b"get": self._get,
            b"don": self._finish,
            b"err": self._note,
        }

    # --- being told to ------------------------------------------------------------------------

    def start(self) -> None:
        """Answer in a thread of its own; `stop` ends it."""
        self._thread = threading.Thread(target=self.run, name="beat-messages", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until that has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def stop(self) -> None:
        """End the conversation."""
        os.write(self._wake, b"x")
        self.join(_END_S)

    def run(self) -> None:
        """Answer until there is nothing more to be said."""
        try:
            while not self._done:
                heard, stopped = messages.wait(self._socket, self._wakes)
                if heard:
                    self._answer(self._socket.recv_multipart())
                elif stopped:
                    return
        finally:
            self._socket.close()

    # --- answers ------------------------------------------------------------------------------

    def _answer(self, parts: list[bytes]) -> None:
        try:
            answer = self._command(parts[0])(*parts[1:])
        except Exception as error:  # noqa: BLE001  whatever users' code raises, and wrong messages
            self._fail(error)
            return
        self._socket.send_multipart(answer)

    def _command(self, name: bytes) -> Callable[..., Answer]:
        if name not in self._commands:
            raise UnknownCommandError(name.decode(errors="replace"))
        return self._commands[name]

    def _fail(self, error: Exception) -> None:
        """Tell the other side of an error, hear that it has got it, and end."""
        of_users = is_of_user(error)
        text = of_user(error, self._prefix) if of_users else str(error)
        # An unknown command is the fault of who sent it, but not of any user's code.
        unknown = isinstance(error, UnknownCommandError)
        self._note(messages.USER if of_users else messages.SYSTEM, text.encode())
        self._refuse(messages.USER if of_users or unknown else messages.SYSTEM, text.encode())

    def _refuse(self, kind: bytes, text: bytes) -> None:
        self._socket.send_multipart([messages.ERROR, kind, text])
        heard, _ = messages.wait(self._socket, self._wakes, _END_S)
        if heard:
            self._socket.recv_multipart()
        self._done = True
        if self._kill_callback is not None:
            self._kill_callback()

    def _source(self, name: bytes) -> DataSource:
        source = self.data_sources.get(name.decode(errors="replace"))
        if source is None:
            known = ", ".join(self.data_sources) or "none"
            raise UnknownInputError(f"Unknown input: {name!r} (there are: {known})")
        return source

    def _info(self, name: bytes) -> Answer:
        intervals = self._source(name).data_indices()
        edges = [str(edge).encode() for interval in intervals for edge in interval]
        return [str(len(intervals)).encode(), *edges]

    def _get(self, name: bytes, index: bytes) -> Answer:
        source = self._source(name)
        data, start, end = source.packed(int(index)) if index.isdigit() else NOTHING
        if data is None:
            raise UnknownInputError(f"input {name!r} has no unit {index!r} of {len(source)}")
        return [str(start).encode(), str(end).encode(), bytes(data)]

    def _finish(self, statistics: bytes = b"{}") -> Answer:
        self.statistics = json.loads(statistics)
        self._done = True
        return [messages.ACK]

    def _note(self, kind: bytes, text: bytes) -> Answer:
        message = text.decode(errors="replace")
        if kind == messages.USER:
            self.user_error = message
        else:
            self.system_error = message
        self._done = True
        return [messages.ACK]


class LoopMessageHandler(MessageHandler):
    """Answers the processor of a loop, by its evaluator."""

    def __init__(
        self,
        host_address: str,
        kill_callback: Callable[[], None] | None = None,
        prefix: str = "",
    ) -> None:
        super().__init__(host_address, kill_callback=kill_callback, prefix=prefix)
        self._commands = {}
        self._refusal: tuple[bytes, bytes] | None = None

    def set_evaluator(self, evaluator: Evaluator) -> None:
        """Let this one answer."""
        self._commands = {
            command: functools.partial(self._ask, evaluator, command)
            for command in (b"val", b"wrt", b"rdi", b"don")
        }

    def refuse(self, kind: bytes, text: bytes) -> None:
        """Let the next question, whatever it is, have an error for an answer."""
        self._refusal = kind, text

    def _answer(self, parts: list[bytes]) -> None:
        if self._refusal is None:
            super()._answer(parts)
            return
        self._note(*self._refusal)
        self._refuse(*self._refusal)

    def _ask(self, evaluator: Evaluator, command: bytes, *parts: bytes) -> Answer:
        answer = evaluator.answer([command, *parts])
        self._done = command == b"don"
        return answer
