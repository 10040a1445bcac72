"""The files of a cache: their names, checksums and manifests, and what they hold.

What a block puts out lies in one or more parts, each for a range of data indices:

    <path>.<start>.<end>.data            the units: two lines that tell encoding and format, then
                                         "<start> <end> <bytes>", the bytes and a line end
    <path>.<start>.<end>.index           a line "<start> <end>" for each unit
    ....data.checksum, ....index.checksum   SHA-256 of these, 64 hexadecimal digits
    <path>.<start>.<end>.manifest        ours: JSON with sizes and checksums, see `Manifest`

A part is there when both checksums are. It is written under hidden names and renamed when it is
whole, the checksums after what they are of and the manifest last, so that whoever finds a manifest
finds all the rest. The existing system neither writes nor minds manifests.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from dlg.beat.indices import Interval, boundaries, intervals_of_columns
from dlg.exceptions import InvalidPath, RunError

_NAME = re.compile(r"\.(\d{1,18})\.(\d{1,18})\.data\Z")
_DIGEST = re.compile(rb"[0-9a-f]{64}\Z")
VERSION = 1


class CacheError(RunError, OSError):
    """Files of a cache are not whole, not there, or not what their checksums say."""


class MissingCacheError(CacheError, FileNotFoundError, RuntimeError):
    """Files of a cache were never written, or are gone."""


class Part(NamedTuple):
    """One of the parts that an output lies in."""

    start: int
    end: int
    stem: str
    """The path without the last ending."""

    def file(self, ending: str) -> str:
        """Return the path of one of its files."""
        return f"{self.stem}.{ending}"


@dataclass(frozen=True)
class Manifest:
    """What a part consists of."""

    format: str
    encoding: str
    start: int
    end: int
    units: int
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """For each ending, how many `bytes` the file has and their `sha256`."""
    whole: list[int] | None = None
    """The range that all parts together have, if that is known."""
    signature: str | None = None
    """What the part was made of, if that is known."""
    version: int = VERSION

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(vars(self), sort_keys=True)


def read_manifest(part: Part) -> Manifest | None:
    """Return the manifest of a part if there is one; raise `CacheError` if it is broken."""
    path = Path(part.file("manifest"))
    try:
        content = path.read_bytes()
        if not content:
            return None  # whoever was writing it came to his end in between
        manifest = Manifest(**json.loads(content))
        known = manifest.version == VERSION
        sizes = [(e, int(f["bytes"]), str(f["sha256"])) for e, f in manifest.files.items()]
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise CacheError(f"{path} is no manifest: {error}; remove {part.stem}.*") from error
    if not known or len(manifest.whole or (0, 0)) != 2:  # noqa: PLR2004  (a range)
        raise CacheError(f"{path} is a manifest of another kind: remove {part.stem}.*")
    for ending, size, digest in sizes:
        _compare_size(part.file(ending), size)
        if checksum_of(part.file(ending)) != digest:
            raise CacheError(f"{path} tells of another {ending} than there is: make it again")
    return manifest


def _compare_size(path: str, size: int) -> None:
    try:
        found = Path(path).stat().st_size
    except OSError as error:
        raise CacheError(f"{path} is lost: {error}; run its block again") from error
    if found != size:
        raise CacheError(f"{path} has {found} bytes and not {size}: run its block again")


# --- names ------------------------------------------------------------------------------------


def base_of(filename: str) -> str:
    """Return the path of an output, which may be given with its ending."""
    return filename.removesuffix(".data")


def part_of(filename: str, start: int, end: int) -> Part:
    """Return the part of an output for a range."""
    return Part(start, end, f"{base_of(filename)}.{start}.{end}")


def parts(filename: str, start: int | None = None, end: int | None = None) -> list[Part]:
    """Return the parts of an output whose data files exist, in order.

    Only those that touch the range from `start` to `end`, if given.
    """
    path = Path(base_of(filename))
    found = []
    for file in _entries(path):
        name = _NAME.fullmatch(file.name, len(path.name))
        if name is None:
            continue
        first, last = int(name[1]), int(name[2])
        if (start is None or last >= start) and (end is None or first <= end):
            found.append(Part(first, last, str(file)[: -len(".data")]))
    return sorted(found)


def _entries(path: Path) -> list[Path]:
    try:
        # A name may hold what a pattern would take for a pattern.
        return [f for f in path.parent.iterdir() if f.name.startswith(path.name + ".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def getAllFilenames(
    filename: str, start_index: int | None = None, end_index: int | None = None
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return data, index, data checksum and index checksum files of an output, in order.

    Only files that exist, and only of parts that touch the range, if one is given.
    """
    found = parts(filename, start_index, end_index)
    kinds = ("data", "index", "data.checksum", "index.checksum")
    lists = [[p.file(kind) for p in found if Path(p.file(kind)).exists()] for kind in kinds]
    return lists[0], lists[1], lists[2], lists[3]


# --- checksums --------------------------------------------------------------------------------


def checksum_of(path: str) -> str:
    """Return what the checksum file of a file says; raise `CacheError` if there is none."""
    try:
        content = Path(f"{path}.checksum").read_bytes().strip()
    except OSError as error:
        raise CacheError(f"{path} has no checksum, so it was not written to its end") from error
    if not content:
        raise CacheError(f"{path} has an empty checksum, so it was not written to its end")
    if not _DIGEST.fullmatch(content):
        raise CacheError(f"{path}.checksum holds no SHA-256")
    return content.decode()


def verify(path: str, expected: str) -> None:
    """Raise `CacheError` unless a file has this SHA-256; it is read once as long as it is kept."""
    try:
        state = Path(path).stat()
        found = _digest(path, state.st_ino, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise CacheError(f"{path} cannot be read: {error}") from error
    if found != expected:
        raise CacheError(
            f"{path} is not what its checksum says (SHA-256 {found}, not {expected}): "
            "remove it, and run the block that writes it again"
        )


@lru_cache(maxsize=4096)
def _digest(path: str, _inode: int, _size: int, _mtime_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified(
    filename: str, start: int | None = None, end: int | None = None, ending: str = "data"
) -> list[Part]:
    """Return the parts of an output after checking that they are whole and follow each other.

    That goes for the files with one ending. Where an output was divided in several ways, parts
    that others make up for are left out. Raises `CacheError` if a checksum is missing or wrong,
    if a part is lost, or if the manifests tell of more.
    """
    found = parts(filename, start, end)
    if not found:
        return []
    chosen = _chain(filename, found)
    whole = None
    for part in chosen:
        verify(part.file(ending), checksum_of(part.file(ending)))
        manifest = read_manifest(part)
        whole = manifest.whole if manifest and manifest.whole else whole
    if whole:
        first = max(whole[0], start or 0)
        last = whole[1] if end is None else min(end, whole[1])
        _cover(filename, chosen, first, last)
    return chosen


def _chain(filename: str, found: Sequence[Part]) -> list[Part]:
    """Return as few parts as possible that follow each other from the first index to the last."""
    first, last = found[0].start, max(part.end for part in found)
    # For each index from which the last one can be reached: in how many steps, and the first.
    steps: dict[int, tuple[int, Part | None]] = {last + 1: (0, None)}
    for part in reversed(found):
        if part.end + 1 in steps:
            count = steps[part.end + 1][0] + 1
            if part.start not in steps or count < steps[part.start][0]:
                steps[part.start] = (count, part)
    chain: list[Part] = []
    step = steps.get(first, (0, None))[1]
    while step is not None:
        chain.append(step)
        step = steps[step.end + 1][1]
    if not chain:
        raise _lost(filename, found)
    return chain


def _lost(filename: str, found: Sequence[Part]) -> CacheError:
    reached = found[0].start
    for part in found:
        if part.start > reached:
            break
        reached = max(reached, part.end + 1)
    after = min((part.start for part in found if part.start > reached), default=None)
    lost = f"{reached} to {after - 1} are lost" if after else "overlap, and some are lost"
    return CacheError(
        f"{base_of(filename)}: of the parts with data indices {lost}; run the block again"
    )


def _cover(filename: str, found: Sequence[Part], first: int, last: int) -> None:
    there = f"{found[0].start} to {found[-1].end}"
    if found[0].start > first or found[-1].end < last:
        which = "first" if found[0].start > first else "last"
        raise CacheError(
            f"{base_of(filename)}: the {which} part is lost: there are data indices {there}, "
            f"but {first} to {last} were written; run the block again"
        )


# --- indices ----------------------------------------------------------------------------------


def intervals_in_cache(
    filename: str, start: int | None = None, end: int | None = None
) -> list[Interval]:
    """Return the intervals of all units of an output, out of its index files.

    Raises `MissingCacheError` if there are none and `CacheError` if they are not whole.
    """
    found = verified(filename, start, end, "index")
    if not found:
        raise MissingCacheError(f"there is no index file {base_of(filename)}.*.index")
    return [interval for part in found for interval in _intervals_of(part)]


def _intervals_of(part: Part) -> list[Interval]:
    path = part.file("index")
    lines = Path(path).read_bytes()
    try:
        numbers = [int(number) for number in lines.split()]
    except ValueError as error:
        raise CacheError(f"{path} holds something other than numbers: {error}") from error
    if len(numbers) % 2 or len(numbers) != 2 * lines.count(b"\n"):
        raise CacheError(f"{path} does not hold two numbers a line")
    intervals = list(zip(numbers[::2], numbers[1::2], strict=True))
    check_order(path, intervals)
    return intervals


def check_order(path: str, intervals: Sequence[Interval]) -> None:
    """Raise `CacheError` unless intervals follow one another."""
    last = -1
    for start, end in intervals:
        if not last < start <= end:
            raise CacheError(f"{path}: the unit from {start} to {end} cannot follow {last}")
        last = end


def inside(cache_root: str, hash_path: str) -> str:
    """Return the path of something in a cache; raise `InvalidPath` if it would be outside."""
    path = PurePath(hash_path)
    if path.is_absolute() or ".." in path.parts:
        raise InvalidPath(f"{hash_path} is no path in the cache {cache_root}")
    return str(PurePath(cache_root, path))


def load_data_index(cache_root: str, hash_path: str) -> list[int]:
    """Return the starts of the units of an output, and the index behind the last.

    Raises `MissingCacheError` if there is no index, `CacheError` if it is not whole.
    """
    return boundaries(intervals_in_cache(inside(cache_root, hash_path)))


def load_data_index_db(cache_root: str, hash_path: str) -> list[list[int]] | None:
    """Return the same for each column of the index of a set of a database, or None without one.

    Raises `CacheError` if it is no such index.
    """
    try:
        rows = read_rows(inside(cache_root, hash_path))
    except MissingCacheError:
        return None
    return [boundaries(column) for column in intervals_of_columns(rows).values()]


def read_rows(path: str) -> list[dict[str, Any]]:
    """Return the rows of the index of a set of a database; raise `CacheError`."""
    try:
        rows = json.loads(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise MissingCacheError(
            f"{path} is not there: the set of the database was not indexed"
        ) from error
    except (ValueError, OSError) as error:
        raise CacheError(f"{path} is no index of a database: {error}; index it again") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CacheError(f"{path} is no index of a database: a list of objects is expected")
    if rows and any(row.keys() != rows[0].keys() for row in rows):
        raise CacheError(f"{path} is no index of a database: its rows have different columns")
    return rows


# --- writing ----------------------------------------------------------------------------------


def withdraw(part: Part) -> None:
    """Make a part one that is not whole, before its files are replaced."""
    for ending in ("manifest", "data.checksum", "index.checksum"):
        path = part.file(ending)
        if os.path.exists(path):  # noqa: PTH110  (small blocks consist of such calls)
            Path(path).unlink(missing_ok=True)


def supersede(filename: str, part: Part) -> None:
    """Remove parts of an output that were divided in another way: this one is newer."""
    for other in parts(filename, part.start, part.end):
        if other != part:
            withdraw(other)
            for ending in ("data", "index"):
                Path(other.file(ending)).unlink(missing_ok=True)


def seal(part: Part, facts: Manifest) -> None:
    """Make a part whole: write the checksums, and then the manifest, of files that are there.

    Each is one call to the system, and without content it counts for nothing.
    """
    for ending, fact in facts.files.items():
        _write(part.file(f"{ending}.checksum"), fact["sha256"].encode())
    _write(part.file("manifest"), facts.text().encode())


def _write(path: str, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        os.write(file, content)
    finally:
        os.close(file)


def write_whole(path: str, content: bytes) -> None:
    """Write a file so that it is there with all of its content or not at all."""
    hidden = hidden_name(path)
    try:
        with open_new(hidden) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
        os.replace(hidden, path)  # noqa: PTH105  (likewise)
    except BaseException:
        Path(hidden).unlink(missing_ok=True)
        raise


def open_new(path: str) -> io.FileIO:
    """Open a file that does not exist for writing, in a folder that may not exist either."""
    try:
        return io.FileIO(path, "x")
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return io.FileIO(path, "x")


HIDDEN_MARK: ContextVar[str] = ContextVar("HIDDEN_MARK", default="")
"""In all hidden names that are made: who killed their writer finds what that has left behind."""


def sweep(paths: Iterable[str], mark: str) -> None:
    """Remove what is left of outputs under hidden names that have a mark."""
    for folder in {os.path.dirname(path) for path in paths}:  # noqa: PTH120  (likewise)
        for file in Path(folder).glob(f".*.{mark}*.part"):
            file.unlink(missing_ok=True)


def hidden_name(path: str) -> str:
    """Return the name under which a file is written: one that nobody takes for an output."""
    folder, name = os.path.split(path)
    mark = f"{HIDDEN_MARK.get()}{secrets.token_hex(6)}"
    return os.path.join(folder, f".{name}.{mark}.part")  # noqa: PTH118  (likewise)
