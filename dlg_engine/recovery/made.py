"""What a session was made of when it ran: kept beside it, to be compared later.

Parameters stand in the graph, which is kept as it was run. What they lead to may change behind its
back: code, scripts, libraries, files from outside, variables. Of code the fingerprint is kept, of
files either their hash, where somebody has made it, or what the system knows of them (number,
size, times), which costs next to nothing and changes with every write.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dlg.drops.live import LiveGraph
from dlg.exceptions import UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.fields import CODE, COMMANDS
from dlg.reproducibility.strict import Signer
from dlg.states.steps import APP

_HOLD_CODE = (*CODE, *COMMANDS)
_GROUPS = ("applicationArgs", "componentParams", "constraintParams", "nodeAttributes")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the drops of a graph were made of, by rows."""

    codes: list[dict[str, Any]]
    """The distinct answers to: what code is in this drop?"""
    code_of: list[int]
    """For each row, which of them."""
    stamps: dict[int, list[list[Any]]] = {}
    """For data from outside that are files: what the system knows of them."""
    contents: dict[int, str] = {}
    """For data from outside whose content somebody has hashed."""
    variables: dict[str, str] = {}
    """The variables of the user that parameters may refer to."""


def made_of(
    graph: PhysicalGraph,
    live: LiveGraph,
    variables: Mapping[str, str],
    contents: Mapping[int, str] | None = None,
) -> Made:
    """Return what `graph` is made of now; raise `UsageError` if something cannot be signed."""
    codes, code_of = _codes(graph)
    return Made(
        codes=codes, code_of=code_of, stamps=dict(_outside(graph, live)),
        contents=dict(contents or {}), variables=dict(variables),
    )  # fmt: skip


def _codes(graph: PhysicalGraph) -> tuple[list[dict[str, Any]], list[int]]:
    signer = Signer()
    found: list[dict[str, Any]] = []
    numbers: dict[bytes, int] = {}
    known: dict[object, int] = {}
    code_of: list[int] = []
    for row, spec in enumerate(graph.specs):
        key = _told_of_code(graph.class_ids[row], spec)
        number = -1 if key is None else known.get(key, -1)
        if number < 0:
            code = dict(signer.own(graph, row).code)
            packed = msgspec.msgpack.encode(code, order="deterministic")
            number = numbers.setdefault(packed, len(found))
            if number == len(found):
                found.append(code)
            if key is not None:
                known[key] = number
        code_of.append(number)
    return found, code_of


def _told_of_code(class_id: int, spec: Mapping[str, Any]) -> object:
    """Return what is the same for drops with the same code; None if that is not plain."""
    if "fields" in spec:
        return None
    if any(not _HOLDS_NO_CODE(spec[group]) for group in _GROUPS if group in spec):
        return None
    values = [(name, spec[name]) for name in _HOLD_CODE if name in spec]
    plain = all(type(value) is str for _, value in values)
    return (class_id, *values) if plain else None


_HOLDS_NO_CODE = frozenset(_HOLD_CODE).isdisjoint


def _outside(graph: PhysicalGraph, live: LiveGraph) -> Iterator[tuple[int, list[list[Any]]]]:
    """Yield the rows of files that no app of the graph writes, with what is known of them."""
    before = graph.neighbours[1]
    has_path = [hasattr(cls, "path") for cls in live.classes]
    for row in range(len(graph)):
        if not before[row] and has_path[live.class_ids[row]] and not live.flow.traits[row] & APP:
            try:
                yield row, stamp_of(Path(live.drop(row).path))
            except (UsageError, OSError):
                continue  # the run says so, if it matters


def stamp_of(path: Path) -> list[list[Any]]:
    """Return what changes when somebody writes to a file, or to one below a directory.

    It is empty where there is nothing.
    """
    try:
        found: list[list[Any]] = [["", *_numbers(os.stat(path))]]  # noqa: PTH116  of each file of a run
    except OSError:
        return []
    if path.is_dir():
        found += [
            [below.relative_to(path).as_posix(), *_numbers(below.lstat())]
            for below in sorted(path.rglob("*"))
        ]
    return found


def _numbers(about: os.stat_result) -> list[int]:
    return [about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns]


def changed_rows(old: Made, new: Made) -> dict[int, str]:
    """Return the rows that are not what they were, each with what has changed."""
    if old.variables != new.variables:
        names = sorted(
            name
            for name in old.variables.keys() | new.variables.keys()
            if old.variables.get(name) != new.variables.get(name)
        )
        return dict.fromkeys(range(len(new.code_of)), f"variable {', '.join(names)}")
    found: dict[int, str] = {}
    differ: dict[tuple[int, int], str] = {}
    for row, pair in enumerate(zip(old.code_of, new.code_of, strict=True)):
        if pair not in differ:
            differ[pair] = ", ".join(_fields_apart(old.codes[pair[0]], new.codes[pair[1]]))
        if differ[pair]:
            found[row] = differ[pair]
    for row in old.stamps.keys() | new.stamps.keys():
        if old.stamps.get(row) != new.stamps.get(row):
            found[row] = "the file from outside"
    return found


def _fields_apart(old: Mapping[str, Any], new: Mapping[str, Any]) -> Sequence[str]:
    names = sorted(old.keys() | new.keys())
    return [f"code ({name})" for name in names if old.get(name) != new.get(name)]
