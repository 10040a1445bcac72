"""What a call and its answer look like on the wire, and how values get there.

Pure. Values are packed by us, in the caller's thread: what cannot be packed is an error where the
call is made, and everything that can be packed comes back as it was, with its type: tuples, sets,
complex numbers, dates and integers of any size, mappings with keys of any kind. The format is
MessagePack with the extension types of `_MARKS`; nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec.msgpack import Ext

from dlg.exceptions import UsageError

LARGEST = 32 * 2**20
"""The size in bytes of the largest call or answer: bulk data takes another way."""

LARGEST_DETAIL = 64 * 2**10
"""The size in bytes of the largest fact that goes along with an exception."""

_SMALLEST_INT, _LARGEST_INT = -(2**63), 2**64 - 1
_TUPLE, _SET, _FROZENSET, _COMPLEX, _INTEGER, _DATETIME, _DATE = range(1, 8)


class PackingError(UsageError):
    """A value cannot be sent to another node, or is too large for a call."""


class Call(msgspec.Struct, array_like=True, frozen=True):
    """One call. The body is packed apart, before it is known when the call will leave."""

    caller: bytes
    """Who calls: a name for as long as a process talks to another."""
    number: int
    """Which call of this caller it is."""
    settled: int
    """Nobody waits for the answer to any call of this caller with a lower number."""
    incarnation: str
    """Which life of the other side the call is meant for; empty for `hello`."""
    sent_s: float
    """When it left, on the clock of the other side."""
    remaining_s: float
    """For how long from then on somebody waits for the answer."""
    body: bytes


class Body(msgspec.Struct, array_like=True, frozen=True):
    """What is to be called, and with what."""

    method: str
    args: list[Any]
    kwargs: dict[str, Any]


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """An exception as it travels: enough to raise it again, and nothing that could run."""

    module: str
    name: str
    message: str
    args: list[Any]
    attributes: dict[str, Any]
    traceback: str


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What became of a call."""

    now_s: float
    """The time on the clock of the side that answers."""
    value: Any = None
    failure: Failure | None = None


def pack_body(method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
    """Return a call's body as bytes; raise PackingError, naming the argument, if it cannot be."""
    plain_args = [_plain(arg, f"argument {i}") for i, arg in enumerate(args)]
    plain_kwargs = {name: _plain(arg, f"argument {name!r}") for name, arg in kwargs.items()}
    return _within_limit(
        _encode(Body(method, plain_args, plain_kwargs)), f"the call of {method!r}"
    )


def unpack_body(packed: bytes) -> Body:
    """Return a call's body; raise ValueError if the bytes are none."""
    return _BODY.decode(packed)


def pack_call(call: Call) -> bytes:
    """Return a call as bytes."""
    return _encode(call)


def unpack_call(packed: bytes) -> Call:
    """Return the call; raise ValueError if the bytes are none."""
    return _CALL.decode(packed)


def pack_answer(answer: Answer) -> bytes:
    """Return an answer as bytes; raise PackingError if what was returned cannot be sent."""
    value = _plain(answer.value, "the value returned")
    return _within_limit(_encode(msgspec.structs.replace(answer, value=value)), "the answer")


def unpack_answer(packed: bytes) -> Answer:
    """Return the answer; raise ValueError if the bytes are none."""
    return _ANSWER.decode(packed)


def can_be_packed(value: object) -> bool:
    """Return whether a value can travel as a detail of something else."""
    try:
        return len(_encode(_plain(value, ""))) <= LARGEST_DETAIL
    except PackingError:
        return False


# -- values --------------------------------------------------------------------------------------


def _plain(value: Any, place: str) -> Any:
    """Return `value` with everything that MessagePack has no type for marked as an extension."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is int:
        fits = _SMALLEST_INT <= value <= _LARGEST_INT
        return value if fits else Ext(_INTEGER, str(value).encode())
    if kind is list:
        return [_plain(item, place) for item in value]
    if kind is dict:
        return {_key(key, place): _plain(item, place) for key, item in value.items()}
    if kind in _MARKS:
        mark, parts = _MARKS[kind]
        return Ext(mark, _encode([_plain(item, place) for item in parts(value)]))
    if hasattr(value, "__array_interface__") and getattr(value, "ndim", None) == 0:
        return _plain(value.item(), place)  # a number of NumPy
    raise PackingError(
        f"{place}: a {kind.__module__}.{kind.__qualname__} cannot be sent in a call; "
        "send numbers, texts, bytes, dates and collections of them"
    )


def _key(key: Any, place: str) -> Any:
    plain = _plain(key, place)
    if isinstance(plain, Ext):
        raise PackingError(f"{place}: {key!r} cannot be a key in a call; use texts or numbers")
    return plain


def _parts_of_complex(value: complex) -> list[float]:
    return [value.real, value.imag]


def _iso(value: date) -> list[str]:
    return [value.isoformat()]


def _hook(code: int, data: memoryview) -> Any:
    if code == _INTEGER:
        return int(bytes(data))
    parts = _VALUE.decode(data)
    return _BACK[code](parts)


def _encode(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise PackingError(f"this cannot be sent in a call: {error}") from error


def _within_limit(packed: bytes, what: str) -> bytes:
    if len(packed) > LARGEST:
        raise PackingError(
            f"{what} has {len(packed) / 2**20:.0f} MiB, more than {LARGEST / 2**20:.0f} MiB: "
            "pass such data between drops, which stream it"
        )
    return packed


_AS_THEY_ARE: frozenset[type] = frozenset({str, bytes, float, bool, type(None)})
_MARKS: Mapping[type, tuple[int, Callable[[Any], Any]]] = {
    tuple: (_TUPLE, list),
    set: (_SET, list),
    frozenset: (_FROZENSET, list),
    complex: (_COMPLEX, _parts_of_complex),
    datetime: (_DATETIME, _iso),
    date: (_DATE, _iso),
}
_BACK: Mapping[int, Callable[[list[Any]], Any]] = {
    _TUPLE: tuple,
    _SET: set,
    _FROZENSET: frozenset,
    _COMPLEX: lambda parts: complex(*parts),
    _DATETIME: lambda parts: datetime.fromisoformat(parts[0]),
    _DATE: lambda parts: date.fromisoformat(parts[0]),
}
_ENCODER = msgspec.msgpack.Encoder()
_VALUE = msgspec.msgpack.Decoder(ext_hook=_hook)
_CALL = msgspec.msgpack.Decoder(Call)
_BODY = msgspec.msgpack.Decoder(Body, ext_hook=_hook)
_ANSWER = msgspec.msgpack.Decoder(Answer, ext_hook=_hook)
