"""Whether the results of a block are in the cache, whole: by their files, whoever wrote them.

The files of a block are `<path>.<start>.<end>.data` and `.index`, each with a `.checksum` beside
it, one set for each range of data indices that a worker did.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.beat.made import is_made, signed

INDEX, CHECKSUM = ".index", ".checksum"
OTHERS = (".data", ".data" + CHECKSUM, INDEX + CHECKSUM)


@dataclass(frozen=True, slots=True)
class Part:
    """The index of one range: where it begins and ends, and how many units it has."""

    start: int
    end: int
    units: int


def outputs_of(command: Mapping[str, Any]) -> list[str]:
    """Return the paths in the cache of all that a block makes, without ending."""
    found = [*command.get("outputs", {}).values()]
    found += [command["result"]] if "result" in command else []
    found += outputs_of(command["loop"]) if "loop" in command else []
    return [one if isinstance(one, str) else str(one["path"]) for one in found]


def is_complete(path: str, units: int | None, cache: Path) -> bool:
    """Return whether the files for `path` are all there, fit together and have so many units.

    None stands for any number of them.
    """
    parts = list(_parts(path, cache))
    if not parts or None in parts:
        return False
    known = sorted((part for part in parts if part), key=lambda part: part.start)
    if known[0].start != 0 or not _follow_each_other(known):
        return False
    return units is None or sum(part.units for part in known) == units


def prepared(
    command: Mapping[str, Any], signature: str, cache: Path
) -> tuple[dict[str, Any], bool]:
    """Return a block as it is to be run, and whether what it makes is there already.

    With a signature the block gets one for each output, made of it and of its inputs, and only
    what has that one is taken for its results. Raises RunError if its inputs are not there.
    """
    if not signature:
        found = all(is_complete(path, None, cache) for path in outputs_of(command))
        return dict(command), found
    block = signed(command, cache, signature)
    return block, is_made(block, cache)


def _follow_each_other(parts: Sequence[Part]) -> bool:
    return all(one.end + 1 == after.start for one, after in itertools.pairwise(parts))


def _parts(path: str, cache: Path) -> Iterator[Part | None]:
    """Yield what each index file says; None for one that is alone, broken or still written."""
    whole = cache / path
    if not whole.parent.is_dir():
        return
    start = whole.name + "."
    for file in whole.parent.iterdir():
        name = file.name
        if name.startswith(start) and name.endswith(INDEX):
            yield _part(file.with_name(name.removesuffix(INDEX)), name[len(start) :])


def _part(stem: Path, limits: str) -> Part | None:
    first, _, last = limits.removesuffix(INDEX).partition(".")
    if not (first.isdecimal() and last.isdecimal()):
        return None
    if not all(stem.with_name(stem.name + ending).is_file() for ending in OTHERS):
        return None
    try:
        content = stem.with_name(stem.name + INDEX).read_bytes()
        told = stem.with_name(stem.name + INDEX + CHECKSUM).read_text().strip()
    except OSError:  # on its way from another host
        return None
    if hashlib.sha256(content).hexdigest() != told:
        return None
    return _read(content, int(first), int(last))


def _read(content: bytes, first: int, last: int) -> Part | None:
    """Return what an index says; None unless its units follow each other from first to last.

    The files of an evaluator are named after its own input, so their last unit may be a later one.
    """
    expected = first
    lines = content.split(b"\n")
    units = 0
    for line in lines:
        if not line:
            continue
        start, _, end = line.partition(b" ")
        if not (start.isdigit() and end.isdigit()) or int(start) != expected:
            return None
        expected = int(end) + 1
        units += 1
    if units == 0 or expected <= last:
        return None
    return Part(first, expected - 1, units)
