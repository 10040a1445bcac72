"""The two halves of a loop: the channel of the processor, and the evaluator that answers.

They speak by messages of several parts (the protocol between processes), also where both are in
one process: `val` and a packed request, answered by `True` or `False` and a packed answer; `wrt`
with an output and its end, once the processor has written; `rdi` before each step of a sequential
processor; `don` at the end. The last three are answered by `ack`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.baseformat import baseformat, fill, new, packed, unpacked
from dlg.beat.blocks.assembly import Assembly
from dlg.beat.outputs import Socket
from dlg.beat.runner import Runner
from dlg.exceptions import RunError

ACK = b"ack"
ERROR = b"err"


class RemoteError(RunError, RuntimeError):
    """The other side of a conversation reported an error; `kind` is `usr` or `sys`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.user_error = message if kind == "usr" else ""
        self.system_error = "" if kind == "usr" else message


class UnknownCommandError(RunError, RuntimeError):
    """A message begins with a word that the one who got it does not know."""

    def __init__(self, command: str) -> None:
        super().__init__(f"Command `{command}' is not implemented - stopping user process")


def ask(socket: Socket, *parts: bytes) -> list[bytes]:
    """Return the answer to a message; raise `RemoteError` if it is an error."""
    socket.send_multipart(list(parts))
    answer = socket.recv_multipart()
    if answer[0] == ERROR:
        socket.send_multipart([ACK])
        kind = answer[1].decode(errors="replace")
        raise RemoteError(kind, answer[-1].decode(errors="replace"))
    return answer


class LoopChannel:
    """What a processor asks its evaluator through."""

    def __init__(self, socket: Socket, algorithm: Algorithm) -> None:
        self._socket = socket
        self._request = loop_type(algorithm, "request")
        self._answer = loop_type(algorithm, "answer")

    def validate(self, hypothesis: Any) -> tuple[bool, baseformat]:
        """Return whether the evaluator finds `hypothesis` valid, and its answer."""
        request = _as(self._request, hypothesis)
        verdict, answer = ask(self._socket, b"val", packed(request))
        return verdict == b"True", unpacked(self._answer, answer)


class Evaluator:
    """The evaluating half of a loop, at the service of the other."""

    def __init__(self, algorithm: Algorithm, runner: Runner, made: Assembly) -> None:
        self._runner, self._made = runner, made
        self._request = loop_type(algorithm, "request")
        self._answer = loop_type(algorithm, "answer")
        self._commands: Mapping[bytes, Callable[..., list[bytes]]] = {
            b"val": self._validate,
            b"wrt": self._write,
            b"rdi": self._read,
            b"don": self._done,
        }

    def answer(self, parts: list[bytes]) -> list[bytes]:
        """Return the answer to a message; raises what the user's code raises."""
        command = self._commands.get(parts[0])
        if command is None:
            raise UnknownCommandError(parts[0].decode(errors="replace"))
        return command(*parts[1:])

    def _validate(self, request: bytes) -> list[bytes]:
        verdict, answer = self._runner.validate(unpacked(self._request, request))
        return [str(verdict).encode(), packed(_as(self._answer, answer))]

    def _write(self, output: bytes, end: bytes) -> list[bytes]:
        index = None if end == b"None" else int(end)
        self._runner.write(self._made.outputs, output.decode(), index)
        return [ACK]

    def _read(self) -> list[bytes]:
        group = self._made.inputs.main_group
        if group is not None and group.hasMoreData():
            group.advance()
        self._runner.read(self._made.inputs)
        return [ACK]

    def _done(self, *_statistics: bytes) -> list[bytes]:
        self._made.close()
        return [ACK]


class Direct:
    """A socket whose other end is an evaluator in this process."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._answer: list[bytes] = []

    def send_multipart(self, msg_parts: Any) -> None:
        """Let the evaluator answer."""
        self._answer = self._evaluator.answer([bytes(part) for part in msg_parts])

    def recv_multipart(self) -> list[bytes]:
        """Return the answer."""
        return self._answer


def loop_type(algorithm: Algorithm, what: str) -> type[baseformat]:
    """Return the class of the requests or the answers of a loop."""
    found: type[baseformat] = algorithm.dataformats[algorithm.loop_map[what]].type
    return found


def _as(kind: type[baseformat], data: Any) -> baseformat:
    made: baseformat = fill(new(kind), data, "safe", False) if isinstance(data, dict) else data
    return made
