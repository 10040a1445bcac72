"""What can be wrong with a physical graph; every check returns problems, none raises.

The checks of single specs work with a *plan* a shape (a class and the keys of a spec), so that
what is the same for a million specs is found out once.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from dlg.exceptions import InvalidDropException, InvalidGraphException
from dlg.graph.categories import resolve_class
from dlg.graph.dropspec import LINK_KEYS, class_of, kind_of
from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.graph.problems import Problem, Severity, json_kind, pointer
from dlg.graph.walk import cycles

Spec = Mapping[str, Any]

STANDARD_KEYS = frozenset([
    "oid", "uid", "name", "humanReadableKey", "lg_key", "node", "island", "categoryType",
    "category", "dropclass", "storage", "ports", "port_map", "parent", "iid", "rank",
    "loop_ctx", "weight", "data_volume", "num_cpus", "execution_time", "group_start",
    "group_end", "streaming", "base_name", "dt", "text", "reprodata", "applicationArgs",
    "componentParams", "constraintParams", "fields", "proc_index", "targetPhase", "log_level",
    "persist", "executionMode",
    *LINK_KEYS,
])  # fmt: skip
"""Keys of a dropspec that every class takes, besides what it declares."""
ARGUMENT_KEYS = ("applicationArgs", "componentParams", "constraintParams")
FILE_CLASSES = frozenset({"dlg.data.file.FileDROP", "dlg.data.json_data.JsonDROP"})
ELSEWHERE = "dlg run --path DIR looks in DIR too"
"""What may help where a module is missing."""
NAMED_OF_A_CLASS = 20
"""How many drops of an unknown class are listed one by one."""
COMPARED = 5_000
"""Among how many oids a near one is looked for; comparing takes long."""


_CONTRADICTING = frozenset({"lifespan", "input_error_threshold", "n_effective_inputs", "n_tries"})
"""Parameters without which no value contradicts another or is out of its range."""


_Given = tuple[tuple[str, ...], str, Any]
"""Where in a spec a parameter is given, its name, and its value."""


class _Who(TypedDict):
    """The drop that has a problem."""

    name: str
    oid: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be looked at in each spec of one class with the same keys."""

    links: tuple[str, ...]
    values: Mapping[str, Any]
    """Declared parameters that may be given, by name; each has a `convert` method."""
    given: tuple[str, ...]
    """Those of them that are keys of the spec itself."""
    arguments: tuple[str, ...]
    """Keys that hold argument objects."""
    unknown: Mapping[str, str]
    """Keys nobody knows that look like a misspelling, and of what."""


def plan(class_name: str, spec: Spec) -> Plan:
    """Return the plan for specs of `class_name` with the keys of `spec`."""
    try:
        declared = resolve_class(class_name).declared_parameters()  # type: ignore[attr-defined]
    except (InvalidGraphException, AttributeError):
        declared = {}
    arguments = tuple(key for key in ARGUMENT_KEYS if key in spec)
    known = [*declared, *STANDARD_KEYS]
    strange = [k for k in spec if k not in declared and k not in STANDARD_KEYS] if declared else []
    unknown = {k: near for k in strange if (near := _nearest(k, known, 0.85))}
    values = {k: p for k, p in declared.items() if k in spec or arguments}
    links, given = (tuple(k for k in keys if k in spec) for keys in (LINK_KEYS, values))
    return Plan(links, values, given, arguments, unknown)


def essentials(row: int, spec: Any) -> list[Problem]:
    """Return what keeps a spec from being used at all; empty if it says enough."""
    if not isinstance(spec, Mapping):
        text = f"expected an object with a dropspec, found {json_kind(spec)}"
        return [Problem(code="not-a-dropspec", message=text, pointer=pointer(row))]
    found = []
    who = _Who(name=_name(spec), oid=str(spec.get("oid", "")))
    if "oid" not in spec:
        text = "the key 'oid' is missing: every drop needs an id that is unique in its graph"
        found.append(Problem(code="missing-key", message=text, pointer=pointer(row), **who))
    elif not isinstance(spec["oid"], str) or not spec["oid"]:
        text = f"expected a text that is not empty, found {spec['oid']!r}"
        found.append(Problem(code="bad-type", message=text, pointer=pointer(row, "oid"), **who))
    kind = kind_of(spec)
    if kind is None:
        found.append(_without_kind(row, spec, who))
    elif not class_of(spec, kind):
        text = "the key 'dropclass' is missing: it names the class of the drop"
        found.append(Problem(code="missing-key", message=text, pointer=pointer(row), **who))
    return found


def _without_kind(row: int, spec: Spec, who: _Who) -> Problem:
    allowed = "Data, Application, Container or Socket"
    for key in ("categoryType", "type"):
        if key in spec:
            text = f"{key} {spec[key]!r} is not one of {allowed}"
            return Problem(code="bad-category", message=text, pointer=pointer(row, key), **who)
    text = f"the key 'categoryType' is missing: it says {allowed}"
    return Problem(code="missing-key", message=text, pointer=pointer(row), **who)


def unknown_keys(row: int, spec: Spec, shape: Plan) -> list[Problem]:
    """Return warnings about keys that look like a misspelt parameter."""
    return [
        Problem(
            code="unknown-key", message=f"the class of this drop knows no {key!r}",
            pointer=pointer(row, key), name=_name(spec), oid=spec["oid"],
            hint=f"did you mean {near!r}?", severity=Severity.WARNING, blocks_run=False,
        )
        for key, near in shape.unknown.items()
    ]  # fmt: skip


def values(row: int, spec: Spec, shape: Plan) -> list[Problem]:
    """Return problems with the values of declared parameters, one by one and together."""
    found: list[Problem] = []
    given: dict[str, Any] = {}
    places: list[_Given] = [((key,), key, spec[key]) for key in shape.given]
    if shape.arguments:
        places = [*_hidden(spec, shape), *places]
    for place, key, value in places:
        if value is None or (isinstance(value, str) and not value):
            continue
        try:
            given[key] = shape.values[key].convert(value)
        except InvalidDropException as error:
            where = pointer(row, *place)
            found.append(_of(spec, code="bad-type", message=error.reason, pointer=where))
    if not _CONTRADICTING.isdisjoint(given):
        found += _contradictions(row, spec, given)
    return found


def _hidden(spec: Spec, shape: Plan) -> list[_Given]:
    """Return parameters that are given in argument objects: place, name, value."""
    found: list[_Given] = []
    for group in shape.arguments:
        arguments = spec[group]
        if not isinstance(arguments, Mapping) or shape.values.keys().isdisjoint(arguments):
            continue
        for key in shape.values:
            if key in arguments and key not in spec:
                value = arguments[key]
                value = value.get("value") if isinstance(value, Mapping) else value
                found.append(((group, key, "value"), key, value))
    return found


def _contradictions(row: int, spec: Spec, given: Mapping[str, Any]) -> Iterator[Problem]:
    if _number(given.get("lifespan")) > 0 and given.get("expireAfterUse") is True:
        text = "lifespan and expireAfterUse exclude each other"
        where = pointer(row, "lifespan")
        yield _of(spec, code="contradiction", message=text, pointer=where, hint="give one of them")
    threshold = given.get("input_error_threshold")
    if isinstance(threshold, int) and not 0 <= threshold <= 100:  # noqa: PLR2004  per cent
        text = f"expected 0 to 100 per cent, found {threshold}"
        where = pointer(row, "input_error_threshold")
        yield _of(spec, code="out-of-range", message=text, pointer=where)
    needed, tries = given.get("n_effective_inputs"), given.get("n_tries")
    if isinstance(needed, int) and (needed == 0 or needed < -1):
        text = f"expected -1 (all inputs) or at least 1, found {needed}"
        where = pointer(row, "n_effective_inputs")
        yield _of(spec, code="out-of-range", message=text, pointer=where)
    if isinstance(tries, int) and tries < 1:
        text = f"expected at least 1, found {tries}"
        yield _of(spec, code="out-of-range", message=text, pointer=pointer(row, "n_tries"))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else -1.0


def is_external(spec: Spec) -> bool:
    """Return whether the consumers of a drop are triggered from outside."""
    mode = spec.get("executionMode", 0)
    return mode in (1, "1") or str(mode).rpartition(".")[2] == "EXTERNAL"


def duplicates(oids: Sequence[str], specs: Sequence[Spec]) -> list[Problem]:
    """Return a problem for each drop whose oid an earlier one has."""
    first: dict[str, int] = {}
    found = []
    for row, oid in enumerate(oids):
        if oid in first:
            text = f"the oid is taken by the drop at {pointer(first[oid])}"
            where = pointer(row, "oid")
            found.append(_of(specs[row], code="duplicate-oid", message=text, pointer=where))
        first.setdefault(oid, row)
    return found


def unknown_target(
    where: str, spec: Spec, key: str, oid: str, index: Mapping[str, int]
) -> Problem:
    """Return the problem of a link to a drop that is not there."""
    if not oid:
        text = f"an entry of {key!r} is neither an oid nor an object with oids"
        return _of(spec, code="bad-link", message=text, pointer=where)
    near = _nearest(oid, index, 0.75) if len(index) <= COMPARED else ""
    text = f"{key} names {oid!r}, which is not in the graph"
    hint = f"did you mean {near!r}?" if near else ""
    return _of(spec, code="unknown-link-target", message=text, pointer=where, hint=hint)


def classes(names: Sequence[str], ids: Sequence[int], specs: Sequence[Spec]) -> list[Problem]:
    """Return a problem for the drops of each class that cannot be had."""
    found = []
    for class_id, name in enumerate(names):
        try:
            resolve_class(name)
        except InvalidGraphException as error:
            rows = np.flatnonzero(np.asarray(ids) == class_id).tolist()
            text, more = str(error), len(rows) - NAMED_OF_A_CLASS
            hint = ELSEWHERE if isinstance(error.__cause__, ModuleNotFoundError) else ""
            for row in rows[:NAMED_OF_A_CLASS]:
                where = pointer(row, "dropclass")
                found.append(
                    _of(specs[row], code="unknown-class", message=text, pointer=where, hint=hint)
                )
            if more > 0:
                text = f"{more} more drops are of the unknown class {name}"
                found.append(Problem(code="unknown-class", message=text))
    return found


def structure(graph: PhysicalGraph) -> list[Problem]:
    """Return problems with the links: wrong ends, cycles, no root, two drops with one file."""
    found = [*_wrong_ends(graph), *_two_parents(graph), *_shared_files(graph)]
    after, before = graph.neighbours
    for found_cycle in cycles(after, before):
        first = found_cycle.index(min(found_cycle))
        cycle = found_cycle[first:] + found_cycle[:first]
        labels = [_name(graph.specs[row]) or graph.oids[row] for row in [*cycle, cycle[0]]]
        path = " -> ".join(labels if len(labels) <= 20 else [*labels[:10], "...", *labels[-9:]])  # noqa: PLR2004
        text = f"the drops form a cycle, so none of them can ever start: {path}"
        row = cycle[0]
        found.append(_of(graph.specs[row], code="cycle", message=text, pointer=pointer(row)))
    if not any(not rows for rows in before):
        text = "no drop is a root: each waits for another, so nothing can start"
        found.append(Problem(code="no-root", message=text))
    return found


def _wrong_ends(graph: PhysicalGraph) -> Iterator[Problem]:
    kinds = np.frombuffer(graph.kinds, dtype=np.uint8)
    is_app, known = kinds == DropKind.APP, kinds <= max(DropKind)
    tables = (
        (graph.links.consumers, "consumers", False),
        (graph.links.streaming_consumers, "streamingConsumers", False),
        (graph.links.outputs, "outputs", True),
    )
    for table, key, from_app in tables:
        wrong = (is_app[table.src] != from_app) | (is_app[table.dst] == from_app)
        wrong &= known[table.src] & known[table.dst]
        for k in np.flatnonzero(wrong).tolist():
            src, dst = int(table.src[k]), int(table.dst[k])
            ends = [("an app" if is_app[row] else "data") for row in (src, dst)]
            this, other = (
                f"{end} {graph.oids[r]!r}" for end, r in zip(ends, (src, dst), strict=True)
            )
            text = f"{this} is linked to {other} by {key}"
            hint = "data and apps must take turns: put one of the other kind between"
            code = "app-to-app" if ends == ["an app"] * 2 else "wrong-link-end"
            where = pointer(src, key)
            yield _of(graph.specs[src], code=code, message=text, pointer=where, hint=hint)


def _two_parents(graph: PhysicalGraph) -> Iterator[Problem]:
    children = graph.links.children.dst
    held, times = np.unique(children, return_counts=True)
    for row in held[times > 1].tolist():
        text = "the drop is a child of two containers"
        where = pointer(row, "parent")
        yield _of(graph.specs[row], code="two-parents", message=text, pointer=where)


def _shared_files(graph: PhysicalGraph) -> Iterator[Problem]:
    """Yield a problem for each drop that writes the file of an earlier one."""
    ids = [k for k, name in enumerate(graph.class_names) if name in FILE_CLASSES]
    if not ids:
        return
    first: dict[tuple[str, str], int] = {}
    written = set(graph.links.outputs.dst.tolist())
    for row in np.flatnonzero(np.isin(graph.class_ids, ids)).tolist():
        spec = graph.specs[row]
        path = spec.get("filepath")
        if row not in written or not isinstance(path, str) or not _is_literal(path):
            continue
        key = (str(spec.get("node", "")), path)
        if key in first:
            other = graph.oids[first[key]]
            text = f"the file {path!r} is written by drop {other!r} too"
            where, hint = pointer(row, "filepath"), "give one of them another path"
            yield _of(spec, code="shared-file", message=text, pointer=where, hint=hint)
        first.setdefault(key, row)


def _is_literal(path: str) -> bool:
    return bool(path) and not path.endswith("/") and "{" not in path and "$" not in path


def _of(spec: Spec, **facts: Any) -> Problem:
    return Problem(name=_name(spec), oid=str(spec.get("oid", "")), **facts)


def _name(spec: Spec) -> str:
    name = spec.get("name", "")
    return name if isinstance(name, str) else json.dumps(name)


def _nearest(word: str, known: Iterable[str], cutoff: float) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return close[0] if close else ""
