"""Signatures that see everything a result can depend on; the default.

The signature of a drop is the hash of what it is itself and of the signatures of the drops before
it, with the ports in between. What it is itself is said by the tables in `fields`: every parameter
but those left out, its code, and the content of data that come from outside. Names, places, times
and the number of workers are not among it: they change no result.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from dlg.exceptions import UsageError
from dlg.graph.physical import DropKind, IntArray, PhysicalGraph
from dlg.graph.values import argument_value
from dlg.graph.walk import topological_order
from dlg.reproducibility.code import PYTHON, CodeBook
from dlg.reproducibility.fields import ARGUMENT, CODE, COMMANDS, LEFT_OUT, SENT_ALONG
from dlg.reproducibility.levels import Level, basic_levels
from dlg.reproducibility.ports import names_by_row

Spec = Mapping[str, Any]

_OUT = frozenset(" ".join(LEFT_OUT.values()).split())
_GROUPS = ("constraintParams", "componentParams", "nodeAttributes", "applicationArgs")
_ALL_GROUPS = ("fields", *_GROUPS)


class Own(NamedTuple):
    """What a drop is itself, by layers."""

    structure: Mapping[str, Any]
    """What it is, whatever it is told: at RERUN."""
    parameters: Mapping[str, Any]
    """What it is told: at REPEAT, too."""
    code: Mapping[str, Any]
    """What it is made of: at RECOMPUTE, too."""


@dataclass(frozen=True)
class Evidence:
    """What a graph does not say, but somebody has found out."""

    contents: Mapping[int, str] = field(default_factory=dict)
    """For rows whose data come from outside, the hash of the content."""
    images: Mapping[str, str] = field(default_factory=dict)
    """The digest of each container image, by its name."""
    outcomes: Mapping[int, Any] = field(default_factory=dict)
    """For rows that have ended, how."""
    codes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """For rows that others have looked at, where they run: what they are made of."""


class Signatures(NamedTuple):
    """Signatures of all drops of a graph, by rows, and of the graph itself."""

    drops: Sequence[bytes]
    graph: str


class Signer:
    """Signs graphs; code that several drops share is looked at once."""

    def __init__(self, book: CodeBook | None = None) -> None:
        self._book = book or CodeBook()
        self._classes: dict[str, dict[str, Any]] = {}
        self._structures: dict[tuple[int, str, Any], Mapping[str, Any]] = {}

    def sign(
        self,
        graph: PhysicalGraph,
        level: Level = Level.RECOMPUTE,
        evidence: Evidence | None = None,
    ) -> Signatures:
        """Return the signatures at a basic level that is about how something was computed.

        Raises `UsageError` for other levels: contents are compared, or two levels joined, by
        `signature_at`.
        """
        if level not in {Level.RERUN, Level.REPEAT, Level.RECOMPUTE}:
            raise UsageError(f"drops have no signature of their own at {level.name}")
        own = self._own_bytes(graph, level, evidence or Evidence())
        chained = _chained(graph, own)
        after = graph.neighbours[0]
        leaves = sorted(chained[row] for row in range(len(graph)) if not after[row])
        return Signatures(chained, hashlib.sha256(b"".join(leaves)).hexdigest())

    def own(self, graph: PhysicalGraph, row: int, evidence: Evidence | None = None) -> Own:
        """Return what counts of one drop, for somebody to look at."""
        evidence = evidence or Evidence()
        spec, name = graph.specs[row], graph.class_names[graph.class_ids[row]]
        shape = _shape_of(tuple(spec))
        structure = self._structure(graph.kinds[row], name, evidence.outcomes.get(row))
        return Own(structure, _told(spec, shape), self._code(spec, name, row, evidence, shape))

    def _structure(self, kind: int, name: str, outcome: Any) -> Mapping[str, Any]:
        """Return what a drop is, whatever it is told; drops that are alike share it."""
        key = kind, name, outcome
        if key not in self._structures:
            found = {"kind": DropKind(kind).name.lower(), "class": name}
            self._structures[key] = found if outcome is None else {**found, "outcome": outcome}
        return self._structures[key]

    def _own_bytes(self, graph: PhysicalGraph, level: Level, evidence: Evidence) -> list[bytes]:
        """Return for each row what it is itself at `level`, packed."""
        pack, names, ids, kinds = _PACK, graph.class_names, graph.class_ids, graph.kinds
        told, exact = level is not Level.RERUN, level is Level.RECOMPUTE
        outcomes, found = evidence.outcomes, []
        for row, spec in enumerate(graph.specs):
            name = names[ids[row]]
            item: list[Any] = [kinds[row], name, outcomes.get(row)]
            if told:
                shape = _shape_of(tuple(spec))
                item.append(_told(spec, shape) if shape.kept else None)
                if exact:
                    item.append(self._code(spec, name, row, evidence, shape))
            found.append(pack(item))
        return found

    def _code(
        self, spec: Spec, name: str, row: int, evidence: Evidence, shape: _Shape
    ) -> Mapping[str, Any]:
        if row in evidence.codes:
            return evidence.codes[row]
        found = self._class(name)
        if not shape.has_code and row not in evidence.contents and not evidence.images:
            return found  # the same for all of the class
        found = dict(found)
        if shape.has_code:
            found |= self._named(_values(spec))
        if row in evidence.contents:
            found["input"] = evidence.contents[row]
        image = _values(spec).get("image") if evidence.images else None
        if isinstance(image, str) and image in evidence.images:
            found["image"] = evidence.images[image]
        return found

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the code that parameters hold or name."""
        found: dict[str, Any] = {}
        sent = known_of_sent(values)
        if sent:  # what it was where its source is, under its name
            found |= {"func_name": sent, "python": PYTHON}
        for key in CODE:
            if values.get(key) and not (sent and key in {"func_name", "func_code"}):
                found[key] = self._fingerprint(key, values[key])
                found["python"] = PYTHON
        files: dict[str, str] = {}
        for key in COMMANDS:
            files |= self._book.of_command(str(values.get(key) or ""))
        if files:
            found["files"] = files
        return found

    def _class(self, name: str) -> dict[str, Any]:
        if name not in self._classes:
            self._classes[name] = {"class": self._book.of_name(name)}
        return self._classes[name]

    def _fingerprint(self, key: str, value: Any) -> str:
        if callable(value):
            return self._book.of_object(value)
        if key == "func_name":
            return self._book.of_name(str(value))
        return self._book.of_source(value if isinstance(value, str) else repr(value))


def fingerprint_of_sent(code: str, fingerprint: str) -> str:
    """Return what is told of a function of a `fingerprint` that is sent along as `code`."""
    return f"{fingerprint}:{hashlib.sha256(code.encode()).hexdigest()}"


def known_of_sent(values: Mapping[str, Any]) -> str:
    """Return the fingerprint of a function that was sent along; empty if this is none.

    It counts for the very code that it came with.
    """
    told, code = values.get(SENT_ALONG), values.get("func_code")
    if not isinstance(told, str) or not isinstance(code, str) or not values.get("func_name"):
        return ""
    fingerprint = told.partition(":")[0]
    return fingerprint if told == fingerprint_of_sent(code, fingerprint) else ""


def signature_at(
    level: Level, signatures: Mapping[Level, str], results: str | None = None
) -> str | None:
    """Return the signature of a graph at any level, from those at the basic ones.

    `results` is that of the contents, which stands for REPRODUCE. None where one is not known.
    """
    parts = [
        results if part is Level.REPRODUCE else signatures.get(part)
        for part in basic_levels(level)
    ]
    if None in parts:
        return None
    if len(parts) == 1:
        return parts[0]
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


# -- what a drop is told ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of all specs with the same keys."""

    kept: tuple[str, ...]
    """The keys that stand for parameters, or for groups of them."""
    grouped: bool
    has_code: bool


@functools.lru_cache(maxsize=4096)
def _shape_of(keys: tuple[str, ...]) -> _Shape:
    groups = {key for key in keys if key in _ALL_GROUPS}
    kept = tuple(key for key in keys if key in groups or key not in _OUT)
    has_code = bool(groups) or not {*CODE, *COMMANDS}.isdisjoint(keys)
    return _Shape(kept, bool(groups), has_code)


_NOTHING: Mapping[str, Any] = {}


def _told(spec: Spec, shape: _Shape) -> Mapping[str, Any]:
    """Return the parameters of a drop by name, without those that hold code."""
    if not shape.kept:
        return _NOTHING
    if not shape.grouped:
        return {key: spec[key] for key in shape.kept if key not in CODE}
    values = _values(spec)
    found = {k: v for k, v in values.items() if k not in _OUT and k not in CODE}
    for group in _ALL_GROUPS:
        for name, argument in _arguments(spec, group):
            counts = {k: argument[k] for k in ARGUMENT if argument.get(k) not in (None, "")}
            if name in found:
                found[name] = [values[name], counts]
            elif _is_argument(group, argument) and name not in CODE:
                # An argument may have the name of a key that is left out.
                found[name] = [argument_value(argument), counts]
    return found


def _is_argument(group: str, argument: Mapping[str, Any]) -> bool:
    return group == "applicationArgs" or argument.get("parameterType") == "ApplicationArgument"


def _values(spec: Spec) -> dict[str, Any]:
    """Return all values of a dropspec by name; what stands flat in it is stronger."""
    found = {
        name: argument_value(argument)
        for group in _ALL_GROUPS
        for name, argument in _arguments(spec, group)
    }
    found.update(spec)
    return found


def _arguments(spec: Spec, group: str) -> list[tuple[str, Mapping[str, Any]]]:
    held = spec.get(group) or ()
    if group == "fields":
        return [(f["name"], f) for f in held if isinstance(f, Mapping) and "name" in f]
    return [(k, v if isinstance(v, Mapping) else {"value": v}) for k, v in dict(held).items()]


def _packable(value: Any) -> Any:
    """Return in what form a value counts that is no plain one."""
    if isinstance(value, np.ndarray):
        return ["array", value.dtype.str, value.shape, value.tobytes()]
    if isinstance(value, np.generic):
        return ["number", value.dtype.str, value.tobytes()]
    if callable(value):
        return ["code", CodeBook().of_object(value)]
    try:
        content = pickle.dumps(value, protocol=5)
    except Exception as error:  # whatever the value's class raises
        text = f"a {type(value).__name__} in a graph cannot be signed: {error}"
        raise UsageError(text) from error
    return ["object", CodeBook().of_object(type(value)), content]


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_packable, order="deterministic")


def _pack(item: Any) -> bytes:
    try:
        return _ENCODER.encode(item)
    except OverflowError:  # a whole number of more than 64 bits
        return b"big" + repr(item).encode()


_PACK: Callable[[Any], bytes] = _pack


# -- chains ----------------------------------------------------------------------------------


def _chained(graph: PhysicalGraph, own: Sequence[bytes]) -> list[bytes]:
    """Return the signature of each row: its own part, and those of the rows before it."""
    after, before = graph.neighbours
    streamed = _pairs(graph.links.streaming_consumers.src, graph.links.streaming_consumers.dst)
    places, names = _places(graph), names_by_row(graph)
    kinds, sha256 = graph.kinds, hashlib.sha256
    found: list[bytes] = [b""] * len(graph)
    for row in topological_order(after, before):
        parts = []
        for source in before[row]:
            mark = b"s" if streamed and (source, row) in streamed else b"."
            label = names.label(graph, source, row) if names else b""
            place = places.get((source, row), 0)
            parts.append(b"%b%d:%d:%b%b" % (mark, place, len(label), label, found[source]))
        if kinds[row] != DropKind.APP and len(parts) > 1:
            parts.sort()  # of who writes to data, and what a container holds, none is the first
        found[row] = sha256(b"%d:%b%b" % (len(own[row]), own[row], b"".join(parts))).digest()
    return found


def _pairs(src: IntArray, dst: IntArray) -> set[tuple[int, int]]:
    return set(zip(src.tolist(), dst.tolist(), strict=True))


def _places(graph: PhysicalGraph) -> dict[tuple[int, int], int]:
    """Return which output of its app each data drop is, where it is not the first."""
    src, dst = graph.links.outputs.src, graph.links.outputs.dst
    order = np.argsort(src, kind="stable")
    sorted_src = src[order]
    starts = np.searchsorted(sorted_src, sorted_src, side="left")
    number = np.arange(len(order)) - starts
    later = np.flatnonzero(number)
    rows, targets = sorted_src[later].tolist(), dst[order][later].tolist()
    return dict(zip(zip(rows, targets, strict=True), number[later].tolist(), strict=True))
