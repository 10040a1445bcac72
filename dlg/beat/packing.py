"""How values of data formats are checked, written as bytes and read back.

A data format is compiled once into a tree of codecs, one for each field, and every value passes
through them. The bytes hold the fields in the order of their names, without any type information:
little endian numbers, a byte for a bool, two floats for a complex number; before a string the
number of its bytes (64 bits), before an array the length of each of its dimensions (likewise).

Numeric arrays are read without a copy: they are read-only views of the bytes they came in.
Nothing that the bytes say is believed before it was compared with how many there are.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from dlg.exceptions import RunError, UsageError

Array = np.ndarray[Any, np.dtype[Any]]

BASE_TYPES = (
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *("float32", "float64", "complex64", "complex128", "bool", "string"),
)
"""The types a field may have that are not formats themselves."""

_LETTERS = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
    "complex64": "ff",
    "complex128": "dd",
}
_LENGTH = struct.Struct("<Q")


class CastError(UsageError, TypeError):
    """A value does not have, and may not be turned into, the type that its format demands."""


class FieldsError(UsageError, AttributeError):
    """Data have other fields than their format."""


class CorruptDataError(RunError, ValueError):
    """Bytes are not those of a value of the format they are said to be of."""


class Codec(Protocol):
    """What is known of the values of one field."""

    least: int
    """The fewest bytes a value takes."""

    def cast(self, value: Any, casting: str, add_defaults: bool) -> Any:
        """Return the value to hold; raise `CastError` or `FieldsError` if that is refused."""

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the bytes of a value that was cast."""

    def unpack(self, data: memoryview, at: int) -> tuple[Any, int]:
        """Return the value that begins at a byte, and where the next one begins."""

    def plain(self, value: Any) -> Any:
        """Return the value as lists, dictionaries and scalars."""

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Tell whether two values are equal, numbers within the tolerances."""


class Scalar:
    """A number or a bool, held as the scalar of numpy."""

    def __init__(self, dtype: np.dtype[Any], where: str) -> None:
        self.dtype, self.where = dtype, where
        self.type = dtype.type
        self.zero = dtype.type()
        self.letters = _LETTERS[dtype.name]
        self.complex = dtype.kind == "c"
        self.least = dtype.itemsize
        self._struct = struct.Struct("<" + self.letters)
        # Of these types every value passes a safe cast, so that nothing need be looked at.
        known = [np.dtype(name).type for name in _LETTERS]
        self._safe = {t for t in known if np.can_cast(np.dtype(t), dtype, "safe")}
        plain = {bool: "bool", float: "float64", complex: "complex128"}
        self._safe |= {t for t, name in plain.items() if np.can_cast(name, dtype, "safe")}

    def cast(self, value: Any, casting: str, add_defaults: bool) -> Any:
        """Return a scalar; what is falsy passes every cast."""
        kind = type(value)
        if kind is self.type or value is None:
            return self.zero if value is None else value
        if kind in self._safe and casting == "safe":
            return self.type(value)
        array = as_array(value, self.where)
        kinds = "biufcUS" if self.complex else "biufUS"
        if array.ndim or array.dtype.kind not in kinds:
            raise CastError(f"{self.where}: a single {self.dtype} is expected, not {value!r:.80}")
        if not np.can_cast(array.dtype, self.dtype, known_casting(casting)) and value:
            raise CastError(
                f"{self.where}: {value!r:.80} of type `{array.dtype}' cannot be cast to "
                f"`{self.dtype}' without loss; give it as numpy.{self.dtype}"
            )
        # A cast that may lose something is done silently, as whoever asked for it expects.
        try:
            with np.errstate(all="ignore"):
                text = array.dtype.kind in "US"
                return self.type(value) if text else array.astype(self.dtype)[()]
        except ValueError as error:
            raise CastError(f"{self.where}: {value!r:.80} is no {self.dtype}") from error

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the bytes of a number."""
        parts = (value.real, value.imag) if self.complex else (value,)
        out.append(self._struct.pack(*parts))

    def unpack(self, data: memoryview, at: int) -> tuple[Any, int]:
        """Return a number."""
        values = self._struct.unpack_from(data, at)
        number = complex(*values) if self.complex else values[0]
        return self.type(number), at + self.least

    def plain(self, value: Any) -> Any:
        """Return the number itself."""
        return value

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Compare two numbers."""
        return bool(np.isclose(one, other, **how))


class String:
    """Text."""

    least = _LENGTH.size

    def __init__(self, where: str) -> None:
        self.where = where

    def cast(self, value: Any, casting: str, add_defaults: bool) -> str:
        """Return the text of anything, and of nothing the empty text."""
        return "" if value is None else str(value)

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the number of bytes, and those."""
        try:
            text = value.encode()
        except UnicodeEncodeError as error:
            raise CastError(f"{self.where}: {value!r:.80} is no Unicode text: {error}") from error
        out.append(_LENGTH.pack(len(text)) + text)

    def unpack(self, data: memoryview, at: int) -> tuple[str, int]:
        """Return text."""
        (size,) = _LENGTH.unpack_from(data, at)
        begin, end = at + _LENGTH.size, at + _LENGTH.size + size
        if end > len(data):
            left = len(data) - begin
            raise CorruptDataError(f"{self.where}: a text of {size} bytes, but {left} are left")
        return str(data[begin:end], "utf-8"), end

    def plain(self, value: Any) -> Any:
        """Return the text itself."""
        return value

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Tell whether two texts are equal."""
        return bool(one == other)


class _Run:
    """Numbers that follow one another in a record: they are read and written in one go."""

    def __init__(self, fields: Sequence[tuple[str, Scalar]]) -> None:
        self.names = tuple(name for name, _ in fields)
        self.types = tuple((name, codec.type) for name, codec in fields)
        self.struct = struct.Struct("<" + "".join(codec.letters for _, codec in fields))

    def packed(self, values: dict[str, Any]) -> bytes:
        return self.struct.pack(*[values[name] for name in self.names])

    def pack(self, values: dict[str, Any], out: list[bytes | memoryview]) -> None:
        out.append(self.packed(values))

    def unpack(self, data: memoryview, at: int, values: dict[str, Any]) -> int:
        numbers = self.struct.unpack_from(data, at)
        for (name, kind), number in zip(self.types, numbers):  # noqa: B905  (as many, and hot)
            values[name] = kind(number)
        return at + self.struct.size


class _Number(_Run):
    """A run of one: the most frequent format of all is a number."""

    def __init__(self, fields: Sequence[tuple[str, Scalar]]) -> None:
        super().__init__(fields)
        ((self.name, codec),) = fields
        self.type = codec.type

    def packed(self, values: dict[str, Any]) -> bytes:
        return self.struct.pack(values[self.name])

    def unpack(self, data: memoryview, at: int, values: dict[str, Any]) -> int:
        values[self.name] = self.type(self.struct.unpack_from(data, at)[0])
        return at + self.struct.size


class _Single:
    """Any other field of a record."""

    def __init__(self, name: str, codec: Codec) -> None:
        self.name, self.codec = name, codec

    def pack(self, values: dict[str, Any], out: list[bytes | memoryview]) -> None:
        self.codec.pack(values[self.name], out)

    def unpack(self, data: memoryview, at: int, values: dict[str, Any]) -> int:
        values[self.name], at = self.codec.unpack(data, at)
        return at


class Record:
    """The fields of a format: as declared, but packed in the order of their names."""

    ignored: ClassVar[frozenset[str]] = frozenset({"__type__"})

    def __init__(self, name: str, fields: dict[str, Codec]) -> None:
        self.name = name
        self.fields = fields
        self.least = sum(codec.least for codec in self.fields.values())
        self._names = self.fields.keys()
        self._steps: list[_Run | _Single] = []
        run: list[tuple[str, Scalar]] = []
        for field, codec in sorted(fields.items()):
            if isinstance(codec, Scalar) and not codec.complex:
                run.append((field, codec))
                continue
            self._end(run)
            self._steps.append(_Single(field, codec))
        self._end(run)
        only = self._steps[0] if len(self._steps) == 1 else None
        self._only = only if isinstance(only, _Run) else None
        self.packed = self._packed if self._only is None else self._only.packed
        """Returns the bytes of all fields, or the pieces they consist of if some are big."""

    def _end(self, run: list[tuple[str, Scalar]]) -> None:
        if run:
            self._steps.append(_Number(run) if len(run) == 1 else _Run(run))
            run.clear()

    def cast(self, data: Any, casting: str, add_defaults: bool) -> dict[str, Any]:
        """Return the values of all fields; raise `FieldsError` if others were given."""
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise FieldsError(f"{self.name}: fields are expected, not {data!r:.80}")
        if data.keys() != self._names:
            self._check(data.keys() - self.ignored, add_defaults)
        get = data.get
        return {
            name: codec.cast(get(name), casting, add_defaults)
            for name, codec in self.fields.items()
        }

    def _check(self, given: set[Any], add_defaults: bool) -> None:
        wanted = ", ".join(self._names) or "none"
        extra = sorted(str(name) for name in given - self._names)
        if extra:
            raise FieldsError(
                f"unexpected field(s) {', '.join(extra)} for `{self.name}', whose are: {wanted}"
            )
        missing = sorted(self._names - given)
        if missing and not add_defaults:
            raise FieldsError(
                f"missing field(s) {', '.join(missing)} of `{self.name}', whose are: {wanted}"
            )

    def pack(self, values: dict[str, Any], out: list[bytes | memoryview]) -> None:
        """Append the bytes of all fields."""
        for step in self._steps:
            step.pack(values, out)

    def _packed(self, values: dict[str, Any]) -> bytes | list[bytes | memoryview]:
        out: list[bytes | memoryview] = []
        self.pack(values, out)
        return out if any(type(piece) is not bytes for piece in out) else b"".join(out)

    def unpack(self, data: memoryview, at: int, values: dict[str, Any]) -> int:
        """Put the fields that begin at a byte into `values`; return where the next begins."""
        for step in self._steps:
            at = step.unpack(data, at, values)
        return at

    def take(self, data: memoryview, begin: int, end: int, values: dict[str, Any]) -> None:
        """Put the fields between two bytes into `values`; raise `CorruptDataError`."""
        only = self._only
        if only is not None and end - begin == only.struct.size:
            only.unpack(data, begin, values)
            return
        try:
            # What lies behind the end is not theirs, whatever lengths in the data say.
            reached = self.unpack(data[begin:end], 0, values)
        except (struct.error, UnicodeDecodeError) as error:
            raise CorruptDataError(
                f"{end - begin} bytes are not a whole `{self.name}': {error}"
            ) from error
        if reached != end - begin:
            raise CorruptDataError(
                f"{end - begin} bytes are not a `{self.name}', which ends after {reached} of them"
            )


def known_casting(casting: str) -> Any:
    """Return the name of a kind of cast; raise `ValueError` if there is none of this name."""
    known = ("no", "equiv", "safe", "same_kind", "unsafe")
    if casting not in known:
        raise ValueError(f"casting is one of {', '.join(known)}, not {casting!r}")
    return casting


def as_array(value: Any, where: str, dtype: Any = None) -> Array:
    """Return a value as an array; raise `CastError` if it makes none."""
    try:
        return np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:  # lists of several lengths, say
        raise CastError(f"{where}: {value!r:.80} makes no array: {error}") from error
