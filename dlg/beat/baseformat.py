"""Values of data formats: what circulates between blocks.

A class is made for each format (`make_type`; `DataFormat.type` gives it). Its instances hold a
value for each field: scalars of numpy, arrays, texts, instances of other such classes. What is
set is cast and checked; `pack` and `unpack` turn instances into bytes and back.
"""

from __future__ import annotations

import copy as copying
import struct
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from dlg.beat.arrays import Elements, Numbers
from dlg.beat.packing import (
    BASE_TYPES,
    CastError,
    Codec,
    CorruptDataError,
    FieldsError,
    Record,
    Scalar,
    String,
)
from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import Buffer

__all__ = [
    "BASE_TYPES",
    "CastError",
    "CorruptDataError",
    "FieldsError",
    "baseformat",
    "make_type",
    "pack_array",
    "pack_scalar",
    "packed",
    "plain",
    "read_some",
    "read_string",
    "setup_array",
    "setup_scalar",
    "unpack_array",
    "unpack_scalar",
    "unpacked",
]

T = TypeVar("T", bound="baseformat")


class baseformat:  # noqa: N801  (the name is that of the published interface)
    """The base of the classes made for data formats; `fields` become a value for each field.

    Fields that are not given get their defaults, and those given are cast unsafely: use
    `from_dict` where a loss must not pass. Raises `FieldsError` (an `AttributeError`) for fields
    that the format does not have, `CastError` (a `TypeError`) for values of no use.
    """

    _name: ClassVar[str] = ""
    _format: ClassVar[Mapping[str, Any]] = {}
    __record__: ClassVar[Record] = Record("", {})  # no field can have such a name

    def __init__(self, **kwargs: Any) -> None:
        fill(self, kwargs, "unsafe", True)

    def from_dict(
        self, data: Mapping[str, Any], casting: str = "safe", add_defaults: bool = False
    ) -> Self:
        """Take the values of all fields from a dictionary, whose key `__type__` is ignored.

        `casting` is a kind of cast of numpy's; what is falsy passes all of them. `add_defaults`
        allows fields to be missing. Raises `FieldsError` and `CastError`.
        """
        return fill(self, data, casting, add_defaults)

    def as_dict(self) -> dict[str, Any]:
        """Return the values of all fields: scalars as they are, arrays as lists."""
        return plain(self)

    def pack_into(self, fd: IO[bytes]) -> None:
        """Write the bytes of all fields to a file."""
        fd.write(packed(self))

    def pack(self) -> bytes:
        """Return the bytes of all fields."""
        return packed(self)

    def unpack_from(self, fd: IO[bytes]) -> Self:
        """Take the values of all fields from a file that can be sought in.

        The file then stands behind them. Raises `CorruptDataError` if they are not whole.
        """
        begin = fd.tell()
        data = fd.read()
        end = _unpack_into(self, memoryview(data), 0)
        fd.seek(begin + end)
        return self

    def unpack(self, s: Buffer) -> Self:
        """Take the values of all fields from bytes; what follows those is ignored.

        Numeric arrays are not copied: they are read-only, and keep `s` alive. Raises
        `CorruptDataError`.
        """
        _unpack_into(self, _bytes_of(s), 0)
        return self

    def isclose(self, other: object, *args: Any, **kwargs: Any) -> bool:
        """Tell whether all fields are equal, numbers within tolerances.

        These are the arguments of `numpy.isclose`: `rtol`, `atol`, `equal_nan`.
        """
        how = {**dict(zip(("rtol", "atol", "equal_nan"), args, strict=False)), **kwargs}
        return _Object(type(self)).is_close(self, other, how)

    def copy(self) -> Self:
        """Return another instance, which shares nothing with this one."""
        other = new(type(self))
        other.__dict__.update(copying.deepcopy(self.__dict__))
        return other

    def __copy__(self) -> Self:
        return baseformat.copy(self)

    def __setattr__(self, key: str, value: Any) -> None:
        codec = self.__record__.fields.get(key)
        if codec is None:
            raise FieldsError(
                f"`{self.__record__.name}' has no field {key}; "
                f"it has: {', '.join(self.__record__.fields)}"
            )
        self.__dict__[key] = codec.cast(value, "safe", False)

    def __str__(self) -> str:
        return str(plain(self))

    def __repr__(self) -> str:
        return f"<{self.__record__.name or type(self).__name__} {plain(self)}>"


class _Object:
    """A field that is an instance of the class of another format."""

    def __init__(self, kind: type[baseformat]) -> None:
        self.kind, self.record = kind, kind.__record__
        self.least = self.record.least

    def cast(self, value: Any, casting: str, add_defaults: bool) -> baseformat:
        """Return an instance; one that is of the same class already is copied."""
        if isinstance(value, baseformat):
            if value.__record__ is not self.record:
                value = plain(value)
            else:
                return baseformat.copy(value)
        return fill(new(self.kind), value, casting, add_defaults)

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the bytes of an instance."""
        self.record.pack(value.__dict__, out)

    def unpack(self, data: memoryview, at: int) -> tuple[baseformat, int]:
        """Return an instance."""
        made = new(self.kind)
        return made, self.record.unpack(data, at, made.__dict__)

    def plain(self, value: Any) -> Any:
        """Return the instance as a dictionary."""
        return plain(value)

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Compare field by field."""
        fields = self.record.fields
        if not isinstance(other, baseformat) or other.__record__.fields.keys() != fields.keys():
            return False
        mine, others = one.__dict__, other.__dict__
        return all(codec.is_close(mine[name], others[name], how) for name, codec in fields.items())


def make_type(
    name: str, fields: Mapping[str, Any], declaration: Mapping[str, Any] | None = None
) -> type[baseformat]:
    """Return the class of a format.

    A field is a base type (by name, or the `numpy.dtype`; `str` for a text), the class of another
    format, or a list of dimensions and one of these, as `[0, 2, "float32"]`. `declaration` is
    kept as `_format`. Raises `UsageError` for a field of another kind.
    """
    codecs = {key: _codec(kind, f"field {key} of {name}") for key, kind in fields.items()}
    members: dict[str, Any] = {
        **{key: _shown(kind) for key, kind in fields.items() if not hasattr(baseformat, key)},
        "_name": name,
        "_format": dict(fields if declaration is None else declaration),
        "__record__": Record(name, codecs),
        "__doc__": f"A value of the data format {name}.",
    }
    return type(name.replace("/", "_"), (baseformat,), members)


def new(kind: type[T]) -> T:
    """Return an instance without any values."""
    return object.__new__(kind)


def fill(value: T, data: Any, casting: str, add_defaults: bool) -> T:
    """Give an instance the values of its fields, all of them or, after an error, none."""
    value.__dict__.update(value.__record__.cast(data, casting, add_defaults))
    return value


def packed(value: baseformat) -> bytes:
    """Return the bytes of an instance, whatever the names of its fields hide."""
    found = pieces(value)
    return found if isinstance(found, bytes) else b"".join(found)


def pieces(value: baseformat) -> bytes | list[bytes | memoryview]:
    """Return the bytes of an instance, or pieces of them, of which the big ones are no copies."""
    return value.__record__.packed(value.__dict__)


def unpacked(kind: type[T], data: Buffer) -> T:
    """Return the instance that the whole of `data` is; raise `CorruptDataError`."""
    view = _bytes_of(data)
    value = new(kind)
    kind.__record__.take(view, 0, len(view), value.__dict__)
    return value


def plain(value: baseformat) -> dict[str, Any]:
    """Return the values of all fields: scalars as they are, arrays as lists."""
    held = value.__dict__
    return {name: codec.plain(held[name]) for name, codec in value.__record__.fields.items()}


def _unpack_into(value: baseformat, data: memoryview, at: int) -> int:
    values: dict[str, Any] = {}
    try:
        end = value.__record__.unpack(data, at, values)
    except (struct.error, UnicodeDecodeError) as error:
        raise CorruptDataError(
            f"{len(data) - at} bytes are not a whole `{value.__record__.name}': {error}"
        ) from error
    value.__dict__.update(values)
    return end


def _bytes_of(data: Buffer) -> memoryview:
    view = memoryview(data)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


# --- from the declaration to codecs -----------------------------------------------------------


def _codec(kind: Any, where: str) -> Codec:
    if isinstance(kind, list | tuple):
        return _array_codec(list(kind), where)
    if isinstance(kind, type) and issubclass(kind, baseformat):
        return _Object(kind)
    if kind is str or kind == "string":
        return String(where)
    return Scalar(_dtype(kind, where), where)


def _array_codec(kind: list[Any], where: str) -> Codec:
    shape, element = kind[:-1], kind[-1]
    if not shape or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise UsageError(f"{where}: an array is [length, ..., type], not {kind}")
    codec = _codec(element, where)
    if isinstance(codec, Scalar):
        return Numbers(shape, codec.dtype, where)
    return Elements(shape, codec, where)


def _dtype(kind: Any, where: str) -> np.dtype[Any]:
    name = kind if isinstance(kind, str) else getattr(kind, "name", None)
    if name not in BASE_TYPES:
        raise UsageError(f"{where}: {kind!r} is not one of {', '.join(BASE_TYPES)}")
    return np.dtype(name)


def _shown(kind: Any) -> Any:
    """Return the kind of a field as the class shows it: types, not names."""
    if isinstance(kind, list | tuple):
        return [*kind[:-1], _shown(kind[-1])]
    if kind == "string":
        return str
    return np.dtype(kind) if isinstance(kind, str) else kind


# --- single values ----------------------------------------------------------------------------


def setup_scalar(
    formatname: str, attrname: str, dtype: Any, value: Any, casting: str, add_defaults: bool
) -> Any:
    """Return what a field holds after it was set to a single value; raise `CastError`."""
    return _codec(dtype, f"field {attrname} of {formatname}").cast(value, casting, add_defaults)


def setup_array(  # noqa: PLR0913, PLR0917  (the arguments are those published)
    formatname: str,
    attrname: str,
    shape: list[int],
    dtype: Any,
    value: Any,
    casting: str,
    add_defaults: bool,
) -> Any:
    """Return what a field holds after it was set to an array; raise `CastError`."""
    where = f"field {attrname} of {formatname}"
    return _codec([*shape, dtype], where).cast(value, casting, add_defaults)


def pack_array(dtype: Any, value: Any, fd: IO[bytes]) -> None:
    """Write the bytes of an array to a file."""
    _write(_codec([*([0] * np.ndim(value)), dtype], "an array"), value, fd)


def pack_scalar(dtype: Any, value: Any, fd: IO[bytes]) -> None:
    """Write the bytes of a single value to a file."""
    _write(_codec(dtype, "a value"), value, fd)


def read_some(format: str, fd: IO[bytes]) -> tuple[Any, ...]:  # noqa: A002  (published so)
    """Return the values of a format of `struct`, read from a file."""
    size = struct.calcsize(format)
    data = fd.read(size)
    if len(data) != size:
        raise CorruptDataError(f"{size} bytes are expected, but only {len(data)} are left")
    return struct.unpack(format, data)


def read_string(fd: IO[bytes]) -> str:
    """Return a text, read from a file."""
    text: str = unpack_scalar(str, fd)
    return text


def unpack_array(shape: list[int], dtype: Any, fd: IO[bytes]) -> Any:
    """Return an array, read from a file."""
    return _read(_codec([*shape, dtype], "an array"), fd)


def unpack_scalar(dtype: Any, fd: IO[bytes]) -> Any:
    """Return a single value, read from a file."""
    return _read(_codec(dtype, "a value"), fd)


def _write(codec: Codec, value: Any, fd: IO[bytes]) -> None:
    out: list[bytes | memoryview] = []
    codec.pack(codec.cast(value, "unsafe", False), out)
    fd.write(b"".join(out))


def _read(codec: Codec, fd: IO[bytes]) -> Any:
    begin = fd.tell()
    data = fd.read()
    try:
        value, end = codec.unpack(memoryview(data), 0)
    except (struct.error, UnicodeDecodeError) as error:
        raise CorruptDataError(f"{len(data)} bytes are not a whole value: {error}") from error
    fd.seek(begin + end)
    return value
