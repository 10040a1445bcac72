"""Files with light curves, text or binary, compressed or not; reading gives what was written.

Text has a line for each point: time in seconds, flux, flag, uncertainty. Times are in days
elsewhere, and not every number of days is a number of seconds times 1/86400 in floating point;
such a time is written with more digits than a number has, and read with all of them.

Metadata is written as comments, `# #name=JSON`, which other readers skip.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.lightcurves.errors import LightcurveError

Floats = npt.NDArray[np.float64]

SECONDS = 86400.0
DIGITS = 30
LONG = 26
"""A time of more characters has more digits than a number of floating point."""
GZIP = b"\x1f\x8b"
NUMPY = b"\x93NUMPY"
COLUMNS = 4
ITEM = "# #"
FIELDS = np.dtype([("time", "<f8"), ("flux", "<f8"), ("flag", "<f8"), ("uncertainty", "<f8")])
MOST_BYTES = 4 << 30
"""What a file may have inside: more must be a mistake, or made to fill memory."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A light curve as columns; times in days."""

    times: Floats
    fluxes: Floats
    flags: npt.NDArray[Any]
    uncertainties: Floats


def write(
    path: str | PathLike[str], columns: Columns, metadata: Mapping[str, Any],
    *, binary: bool, gzipped: bool,
) -> None:  # fmt: skip
    """Write a light curve to a file, which is there as a whole or not at all."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(to_bytes(columns, metadata, binary=binary, gzipped=gzipped))
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LightcurveError(f"{target}: it cannot be written: {error.strerror}") from error


def to_bytes(
    columns: Columns, metadata: Mapping[str, Any], *, binary: bool = False, gzipped: bool = True
) -> bytes:
    """Return what is in the file of a light curve; the same each time."""
    data = _binary(columns) if binary else _text(columns, metadata)
    return gzip.compress(data, compresslevel=6, mtime=0) if gzipped else data


def read(path: str | PathLike[str]) -> tuple[Columns, dict[str, Any]]:
    """Return the light curve in a file and the metadata there."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise LightcurveError(f"{path}: it cannot be read: {error.strerror}") from error
    return from_bytes(data, str(path))


def from_bytes(data: bytes, name: str) -> tuple[Columns, dict[str, Any]]:
    """Return the light curve in `data` and the metadata there; messages call it `name`."""
    if data.startswith(GZIP):
        data = b"".join(_unpacked(io.BytesIO(data), name))
    if data.startswith(NUMPY):
        return _from_binary(data, name), {}
    return _from_text(data, name)


def lines(path: Path, *, gzipped: bool) -> list[str]:
    """Return the lines of a text file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LightcurveError(f"{path}: it cannot be read: {error.strerror}") from error
    return lines_in(data, str(path), gzipped=gzipped)


def lines_in(data: bytes, name: str, *, gzipped: bool | None = None) -> list[str]:
    """Return the lines of text in `data`; whether it is compressed is seen if it is not told."""
    if data.startswith(GZIP) if gzipped is None else gzipped:
        data = b"".join(_unpacked(io.BytesIO(data), name))
    try:
        return data.decode().splitlines()
    except UnicodeDecodeError as error:
        raise LightcurveError(f"{name}: it is no text: {error}") from error


def whole(flags: Floats) -> npt.NDArray[Any]:
    """Return flags as whole numbers, if that is what they are."""
    if np.all(np.isfinite(flags) & (flags == np.floor(flags)) & (np.abs(flags) < 2.0**53)):
        return flags.astype(np.int64)
    return flags


def _unpacked(file: Any, name: str) -> Iterator[bytes]:
    total = 0
    try:
        with gzip.open(file, "rb") as stream:
            while piece := stream.read(1 << 20):
                total += len(piece)
                if total > MOST_BYTES:
                    raise LightcurveError(f"{name}: it has more than {MOST_BYTES} bytes inside")
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LightcurveError(f"{name}: it is not well compressed: {error}") from error


def _binary(columns: Columns) -> bytes:
    table = np.empty(len(columns.times), FIELDS)
    table["time"], table["flux"] = columns.times, columns.fluxes
    table["flag"], table["uncertainty"] = columns.flags, columns.uncertainties
    buffer = io.BytesIO()
    np.save(buffer, table, allow_pickle=False)
    return buffer.getvalue()


def _from_binary(data: bytes, name: str) -> Columns:
    try:
        table = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise LightcurveError(f"{name}: it is not whole: {error}") from error
    if table.dtype != FIELDS or table.ndim != 1:
        raise LightcurveError(f"{name}: it holds no light curve but {table.dtype}")
    flux, uncertainty = table["flux"].copy(), table["uncertainty"].copy()
    return Columns(table["time"].copy(), flux, whole(table["flag"]), uncertainty)


def _text(columns: Columns, metadata: Mapping[str, Any]) -> bytes:
    header = "".join(f"{ITEM}{key}={text}\n" for key, text in _items(metadata))
    seconds = columns.times * SECONDS
    rest = np.stack([seconds, columns.fluxes, columns.flags, columns.uncertainties], axis=1)
    buffer = io.StringIO()
    np.savetxt(buffer, rest, fmt="%.18e")
    rows = buffer.getvalue().splitlines(keepends=True)
    with np.errstate(invalid="ignore"):
        inexact = np.flatnonzero(np.isfinite(seconds) & (seconds / SECONDS != columns.times))
    for row in inexact.tolist():
        rows[row] = _long(float(columns.times[row])) + rows[row][rows[row].index(" ") :]
    return (header + "".join(rows)).encode()


def _items(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what of metadata JSON knows; the rest is only there while the program runs."""
    for key, item in metadata.items():
        value = getattr(item, "value", item)
        if isinstance(value, np.generic):
            value = value.item()
        try:
            text = json.dumps(value)
        except (TypeError, ValueError):
            continue
        if "=" not in key and "\n" not in key:
            yield key, text


def _long(days: float) -> str:
    with localcontext() as context:
        context.prec = DIGITS
        return f"{Decimal(days) * Decimal(SECONDS):.{DIGITS - 1}e}"


def _from_text(data: bytes, name: str) -> tuple[Columns, dict[str, Any]]:
    metadata: dict[str, Any] = {}
    rows: list[list[str]] = []
    for number, line in enumerate(lines_in(data, name), 1):
        if line.startswith("#"):
            metadata |= _item(line)
            continue
        parts = line.split()
        if parts and len(parts) != COLUMNS:
            expected = "time flux flag uncertainty is expected"
            raise LightcurveError(f"{name}: line {number}: {expected}, not {line[:80]!r}")
        if parts:
            rows.append(parts)
    return _columns(rows, name), metadata


def _columns(rows: list[list[str]], name: str) -> Columns:
    try:
        table = np.array(rows, np.float64).reshape(-1, COLUMNS)
    except ValueError as error:
        raise LightcurveError(f"{name}: numbers are expected: {error}") from error
    times = table[:, 0] / SECONDS
    for row, parts in enumerate(rows):
        if len(parts[0]) > LONG and math.isfinite(times[row]):
            with localcontext() as context:
                context.prec = DIGITS
                times[row] = float(Decimal(parts[0]) / Decimal(SECONDS))
    return Columns(times, table[:, 1].copy(), whole(table[:, 2]), table[:, 3].copy())


def _item(line: str) -> dict[str, Any]:
    key, equals, text = line.removeprefix(ITEM).partition("=")
    if not line.startswith(ITEM) or not equals:
        return {}
    try:
        return {key: json.loads(text)}
    except ValueError:
        return {key: text}
