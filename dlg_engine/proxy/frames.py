"""What goes over the connection of a proxy and its monitor: frames, each of one exchange.

An exchange is one request with its answer. Both are a head (JSON), a body in pieces and an end.
Whoever sends a body has a credit of bytes, which the other side renews as it takes them, so that
nobody who reads slowly makes anybody keep more. All sizes are bounded before anything is read.
Pure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import msgspec

from dlg.exceptions import RunError

PREFIX = struct.Struct(">BII")
PIECE_BYTES = 1 << 15
"""How much of a body one frame has at most."""
HEAD_BYTES = 1 << 17
"""How big any frame may be; a head is the biggest."""
GREETING_BYTES = 1 << 12
"""How big a frame may be while nobody has proved who he is."""
WINDOW_BYTES = 1 << 18
"""How much of a body may be on its way before the other side has taken any of it."""

T = TypeVar("T")


class LinkError(RunError):
    """The other end of the connection does not keep to what was agreed."""


class Kind(IntEnum):
    """What a frame says."""

    GREET = 1
    """Something of the greeting."""
    OPEN = 2
    """A request begins: its head."""
    ANSWER = 3
    """The answer begins: its head."""
    DATA = 4
    """A piece of a body."""
    CREDIT = 5
    """So many more bytes may be sent."""
    END = 6
    """The body is whole."""
    RESET = 7
    """The exchange is over before its end, and why."""
    GOODBYE = 8
    """The whole connection is over, and why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One of them."""

    kind: Kind
    exchange: int = 0
    content: bytes = b""

    def packed(self) -> bytes:
        """Return it as it is sent."""
        return PREFIX.pack(self.kind, self.exchange, len(self.content)) + self.content


def unpack_prefix(prefix: bytes, most: int = HEAD_BYTES) -> tuple[Kind, int, int]:
    """Return kind, exchange and size of a frame; raise LinkError for what cannot be one."""
    number, exchange, size = PREFIX.unpack(prefix)
    try:
        kind = Kind(number)
    except ValueError:
        raise LinkError("what comes is no frame: is it a monitor, or a proxy?") from None
    if size > (min(most, PIECE_BYTES) if kind is Kind.DATA else most):
        raise LinkError(f"a frame has {size} bytes, which is too many")
    return kind, exchange, size


class RequestHead(msgspec.Struct, forbid_unknown_fields=True):
    """What a request begins with."""

    method: str
    target: str
    """The path at the manager with the query, as it is sent."""
    headers: list[tuple[str, str]]
    trusted: bool
    """Whether who asks has shown the monitor its token."""
    has_body: bool


class AnswerHead(msgspec.Struct, forbid_unknown_fields=True):
    """What an answer begins with."""

    status: int
    headers: list[tuple[str, str]]


def head_frame(kind: Kind, exchange: int, head: msgspec.Struct) -> Frame:
    """Return a frame with a head; raise LinkError if it is too big."""
    content = msgspec.json.encode(head)
    if len(content) > HEAD_BYTES:
        raise LinkError("the headers are too big")
    return Frame(kind, exchange, content)


def read_head(content: bytes, form: type[T]) -> T:
    """Return what a head says; raise LinkError if it is none."""
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise LinkError(f"what came is no {form.__name__}: {error}") from error


def credit_frame(exchange: int, size: int) -> Frame:
    """Return a frame that lets so many more bytes come."""
    return Frame(Kind.CREDIT, exchange, size.to_bytes(4, "big"))


def read_credit(content: bytes) -> int:
    """Return how many more bytes may be sent."""
    found = int.from_bytes(content, "big")
    if not 0 < found <= WINDOW_BYTES:
        raise LinkError(f"a credit of {found} bytes cannot be")
    return found
