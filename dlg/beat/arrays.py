"""Arrays in data formats: how they are checked, written as bytes and read back.

Numeric arrays are read without a copy: they are read-only views of the bytes they came in.
Nothing that the bytes say is believed before it was compared with how many there are.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dlg.beat.packing import (
    Array,
    CastError,
    Codec,
    CorruptDataError,
    String,
    as_array,
)

MOST_EMPTY = 1 << 24
"""The most elements an array may have whose elements take no bytes at all."""
BIG = 1 << 16
"""Arrays of at least this many bytes are handed on without a copy when they are packed."""


class _Dimensions:
    """What all kinds of arrays share: their shapes."""

    def __init__(self, shape: Sequence[int], where: str) -> None:
        self.shape, self.where = tuple(shape), where
        self._struct = struct.Struct(f"<{len(self.shape)}Q")
        self.fixed = math.prod(self.shape)
        """How many elements there are at least."""

    def is_nothing(self, value: Any) -> bool:
        """Tell whether a value stands for the default: what is falsy always has."""
        if isinstance(value, np.ndarray):
            return not value.size and not self.allows(value.shape)
        return not value

    def allows(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an array's shape is one of the format."""
        return len(shape) == len(self.shape) and all(
            wanted in (0, found) for found, wanted in zip(shape, self.shape, strict=True)
        )

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `CastError` if an array's shape is not one of the format."""
        if len(shape) != len(self.shape):
            raise CastError(
                f"{self.where}: an array of {len(self.shape)} dimension(s) is expected, "
                f"not of {len(shape)}"
            )
        for place, (found, wanted) in enumerate(zip(shape, self.shape, strict=True)):
            if wanted not in (0, found):
                raise CastError(
                    f"{self.where}: dimension {place} of the array has to be {wanted} long, "
                    f"not {found}"
                )

    def head(self, shape: tuple[int, ...]) -> bytes:
        """Return the bytes in front of an array."""
        return self._struct.pack(*shape)

    def read(self, data: memoryview, at: int, least: int) -> tuple[tuple[int, ...], int, int]:
        """Return a shape, how many elements follow, and where, after comparing with the bytes."""
        shape = self._struct.unpack_from(data, at)
        try:
            self.check(shape)
        except CastError as error:
            raise CorruptDataError(str(error)) from error
        at += self._struct.size
        count = math.prod(shape)
        if count * least > len(data) - at or (count > MOST_EMPTY and not least):
            raise CorruptDataError(
                f"{self.where}: an array of the shape {shape}, but {len(data) - at} bytes are left"
            )
        return shape, count, at


class Numbers:
    """An array of numbers or bools."""

    def __init__(self, shape: Sequence[int], dtype: np.dtype[Any], where: str) -> None:
        self.dimensions = _Dimensions(shape, where)
        self.dtype, self.where = dtype, where
        self.stored = dtype.newbyteorder("<")
        self.least = 8 * len(self.dimensions.shape) + self.dimensions.fixed * dtype.itemsize

    def cast(self, value: Any, casting: str, add_defaults: bool) -> Array:
        """Return an array of its own.

        The elements may lose precision, as this format has always allowed, but an integer too
        big for its new type is refused unless the cast is unsafe: another number would be left.
        """
        if self.dimensions.is_nothing(value):
            return np.zeros(self.dimensions.shape, self.dtype)
        array = as_array(value, self.where)
        self.dimensions.check(array.shape)
        if array.dtype == self.dtype:
            return array.copy() if array is value else array
        if array.dtype.kind in "fO" and self.dtype.kind in "iu" and array is not value:
            # Big integers in a list, which numpy takes for floating-point numbers.
            whole = as_array(value, self.where, object)
            if all(isinstance(v, int | np.integer) for v in whole.flat):
                array = whole
        if array.dtype.kind == "O" or (array.dtype.kind in "US" and self.dtype.kind == "b"):
            array = self._each(array)
        elif casting != "unsafe":
            self._refuse_overflow(array)
        if array.dtype.kind == "c" and self.dtype.kind != "c":
            array = array.real  # or numpy would warn of a loss that this format has always allowed
        try:
            with np.errstate(all="ignore"):
                return array.astype(self.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise CastError(f"{self.where}: no array of {self.dtype}: {error}") from error

    def _each(self, array: Array) -> Array:
        kind = self.dtype.type
        try:
            return np.array([kind(v) for v in array.flat], self.dtype).reshape(array.shape)
        except (TypeError, ValueError, OverflowError) as error:
            raise CastError(f"{self.where}: no array of {self.dtype}: {error}") from error

    def _refuse_overflow(self, array: Array) -> None:
        if self.dtype.kind not in "iu" or not array.size or array.dtype.kind not in "iuf":
            return
        if np.can_cast(array.dtype, self.dtype, "safe"):
            return
        bounds = np.iinfo(self.dtype)
        low, high = array.min(), array.max()
        # Written so that a NaN is refused: it compares with nothing. What is behind the comma is
        # cut off, so that anything above -129 becomes a good int8.
        if not (low > int(bounds.min) - 1 and high < int(bounds.max) + 1):
            raise CastError(
                f"{self.where}: numbers from {low} to {high} do not fit `{self.dtype}', "
                f"which goes from {bounds.min} to {bounds.max}"
            )

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the shape and the elements; big arrays are not copied."""
        out.append(self.dimensions.head(value.shape))
        array = np.ascontiguousarray(value, self.stored)
        out.append(array.reshape(-1).view("u1").data if array.nbytes > BIG else array.tobytes())

    def unpack(self, data: memoryview, at: int) -> tuple[Array, int]:
        """Return a read-only view of the bytes."""
        shape, count, at = self.dimensions.read(data, at, self.dtype.itemsize)
        array = np.frombuffer(data, self.stored, count, at).reshape(shape)
        if sys.byteorder == "big":
            array = array.astype(self.dtype)
        array.flags.writeable = False
        return array, at + array.nbytes

    def plain(self, value: Any) -> Any:
        """Return the array as lists."""
        return value.tolist()

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Tell whether two arrays have the same shape and numbers."""
        return one.shape == other.shape and bool(np.allclose(one, other, **how))


class GuardedArray(np.ndarray[Any, np.dtype[Any]]):
    """An array of texts or objects; what is set in it is cast as when a field is set."""

    element: Codec | None = None

    def __array_finalize__(self, parent: Any) -> None:
        self.element = getattr(parent, "element", None)

    def __setitem__(self, key: Any, value: Any) -> None:
        element = self.element
        if element is None:
            super().__setitem__(key, value)
        elif isinstance(value, np.ndarray | list | tuple):
            values = np.asarray(value, object)
            cast = np.empty(values.size, object)
            cast[:] = [_strictly(element, v) for v in values.flat]
            super().__setitem__(key, cast.reshape(values.shape))
        else:
            super().__setitem__(key, _strictly(element, value))


class Elements:
    """An array of texts or of objects, held as an array of Python objects."""

    def __init__(self, shape: Sequence[int], element: Codec, where: str) -> None:
        self.dimensions = _Dimensions(shape, where)
        self.element, self.where = element, where
        self.text = isinstance(element, String)
        self.least = 8 * len(self.dimensions.shape) + self.dimensions.fixed * element.least

    def cast(self, value: Any, casting: str, add_defaults: bool) -> GuardedArray:
        """Return an array whose elements have all been cast."""
        if self.dimensions.is_nothing(value):
            nothing = np.full(self.dimensions.shape, None, object)
            return self._made(nothing.shape, nothing.flat, casting, add_defaults)
        array = as_array(value, self.where, object)
        self.dimensions.check(array.shape)
        if self.text and not all(isinstance(v, str) for v in array.flat):
            # Numbers among texts have always become texts; numbers alone have not.
            mixed = as_array(value, self.where)
            if mixed.dtype.kind != "U":
                raise CastError(
                    f"{self.where}: an array of texts is expected, not of {mixed!r:.80}"
                )
            array = mixed.astype(object)
        return self._made(array.shape, array.flat, casting, add_defaults)

    def _made(
        self, shape: tuple[int, ...], values: Iterable[Any], casting: str, add_defaults: bool
    ) -> GuardedArray:
        cast = self.element.cast
        return self._array(shape, [cast(v, casting, add_defaults) for v in values])

    def _array(self, shape: tuple[int, ...], values: list[Any]) -> GuardedArray:
        array = np.empty(len(values), object)
        array[:] = values
        guarded = array.reshape(shape).view(GuardedArray)
        guarded.element = self.element
        return guarded

    def pack(self, value: Any, out: list[bytes | memoryview]) -> None:
        """Append the shape, and one element after the other."""
        out.append(self.dimensions.head(value.shape))
        for element in value.flat:
            self.element.pack(element, out)

    def unpack(self, data: memoryview, at: int) -> tuple[GuardedArray, int]:
        """Return an array of what was packed."""
        shape, count, at = self.dimensions.read(data, at, self.element.least)
        values = []
        for _ in range(count):
            value, at = self.element.unpack(data, at)
            values.append(value)
        return self._array(shape, values), at

    def plain(self, value: Any) -> Any:
        """Return the array as lists."""
        array = np.empty(value.size, object)
        array[:] = [self.element.plain(v) for v in value.flat]
        return array.reshape(value.shape).tolist()

    def is_close(self, one: Any, other: Any, how: dict[str, Any]) -> bool:
        """Tell whether two arrays have the same shape and elements."""
        if one.shape != other.shape:
            return False
        pairs = zip(one.flat, other.flat, strict=True)
        return all(self.element.is_close(a, b, how) for a, b in pairs)


def _strictly(element: Codec, value: Any) -> Any:
    if isinstance(element, String) and not isinstance(value, str):
        raise CastError(f"{element.where}: a text is expected, not {value!r:.80}")
    return element.cast(value, "safe", False)
