"""The map of a job's tasks: who passed and who failed, over values that the tasks differ in.

An axis is a keyword of metadata, of tasks (`task:planet`) or of their last attempts
(`attempt:period`). Few values stand side by side; many numbers are put into bins, of equal ratios
where they span more than a decade. Where attempts say by a keyword whether they found what they
looked for, a map can be one of that (`by`): quality control passes a search that finds nothing.
Cells are counted by the database, so that a map has the same size for a hundred tasks and for a
million.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Subquery, case, func, literal, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema, values
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.pages.scope import Scope, verdict

MOST_VALUES = 24
"""Up to so many values stand side by side; more numbers are put into bins."""
MOST_LABELS = 60
BINS = 14
RATIO = 10.0
MOST_GROUPS = 50_000
"""How many different pairs of values one map is made of."""
SAMPLE = 500
"""In so many tasks one looks for the keywords that there are."""
LONGEST_LABEL = 60
GOOD = ("true", '"PASS"', '"PASSED"', '"pass"', '"passed"')
BAD = ("false", '"FAIL"', '"FAILED"', '"fail"', '"failed"')
"""Values of metadata, as they are kept, that are verdicts."""
SOURCES = ("task", "attempt")
_task, _type, _attempt = schema.task, schema.task_type, schema.attempt
_key = schema.metadata_key


@dataclass(frozen=True, slots=True)
class Keyword:
    """Something that can be an axis."""

    name: str
    """With its source: task:planet."""
    numeric: bool
    values: int
    """How many different ones there are in a sample."""
    verdict: bool
    """Whether each says that something is good, or that it is not."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a map."""

    name: str
    labels: Sequence[str]
    edges: Sequence[float]
    """Of bins, one more than labels; [] where each label is a value."""
    log: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What is at one place."""

    x: int
    y: int
    verdicts: Mapping[str, int]
    task: int
    """One of its tasks: the first that is told apart from the good ones, or the first."""


@dataclass(frozen=True, slots=True)
class VerdictMap:
    """The map."""

    x: Axis
    y: Axis
    cells: Sequence[Cell]
    tasks: int
    left_out: int
    """Tasks that have no such values, or one of too many."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A task where there are no axes."""

    task: int
    name: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tasks in their order."""

    tiles: Sequence[Tile]
    next: int | None


def keywords(session: Session, scope: Scope, kind: str) -> list[Keyword]:
    """Return what can be an axis for tasks of a type ("" for all), by a sample of them."""
    sample = _some(scope, kind).limit(SAMPLE).subquery()
    found: list[Keyword] = []
    for source in SOURCES:
        table, owners = _owners(source, sample)
        query = (
            select(
                _key.c.name,
                func.count(table.c.value.distinct()).label("values"),
                func.count(table.c.number).label("numbers"),
                func.count().label("all"),
                func.max(func.length(table.c.value)).label("longest"),
                func.sum(case((table.c.value.in_([*GOOD, *BAD]), 1), else_=0)).label("verdicts"),
            )
            .join(table, table.c.key_id == _key.c.id)
            .where(table.c.owner_id.in_(owners))
            .group_by(_key.c.name)
            .order_by(_key.c.name)
        )
        for row in session.execute(query):
            if row.longest <= LONGEST_LABEL:
                whole = row.numbers == row.all
                name, says = f"{source}:{row.name}", row.verdicts == row.all
                found.append(Keyword(name, whole, row.values, says))
    return sorted(found, key=lambda one: one.values < 2)  # what differs comes first  # noqa: PLR2004


def _some(scope: Scope, kind: str) -> Any:
    query = select(_task.c.id).join(_type, _type.c.id == _task.c.type_id)
    query = query.where(*scope.clauses())
    return (query.where(_type.c.name == kind) if kind else query).order_by(_task.c.id)


def _owners(source: str, tasks: Subquery) -> tuple[Any, Any]:
    if source == "task":
        return schema.task_metadata, select(tasks.c.id)
    last = select(func.max(_attempt.c.id)).where(_attempt.c.task_id.in_(select(tasks.c.id)))
    return schema.attempt_metadata, last.group_by(_attempt.c.task_id)


def tiles(session: Session, scope: Scope, kind: str, limit: int, after: int = 0) -> Tiles:
    """Return tasks in their order, with higher numbers than `after`."""
    query = select(_task.c.id, _task.c.task_name, verdict().label("verdict"))
    query = query.join(_type, _type.c.id == _task.c.type_id).where(*scope.clauses())
    if kind:
        query = query.where(_type.c.name == kind)
    query = query.where(_task.c.id > after).order_by(_task.c.id).limit(limit + 1)
    rows = session.execute(query).all()
    found = [Tile(row.id, row.task_name or "", row.verdict) for row in rows[:limit]]
    return Tiles(found, found[-1].task if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class Over:
    """What a map is drawn over, and what it shows."""

    x: str
    y: str = ""
    """"" for one row."""
    by: str = ""
    """The keyword that is the verdict on a task that is done; "" for that of the task."""


def verdict_map(session: Session, scope: Scope, kind: str, over: Over) -> VerdictMap:
    """Return the map of tasks of a type ("" for all); raise TaskSystemError for no keyword."""
    x, y = over.x, over.y
    groups = [_Group(*row) for row in session.execute(_groups(scope, kind, over))]
    count = select(func.count()).select_from(_some(scope, kind).order_by(None).subquery())
    tasks = session.scalar(count) or 0
    axis_x, where_x = _axis(x, ((g.x, g.x_number, g.count) for g in groups))
    axis_y, where_y = _axis(y, ((g.y, g.y_number, g.count) for g in groups))
    cells: dict[tuple[int, int], dict[str, int]] = {}
    first: dict[tuple[int, int], tuple[bool, int]] = {}
    shown = 0
    for group in groups:
        place = where_x(group.x, group.x_number), where_y(group.y, group.y_number)
        if min(place) < 0:
            continue
        shown += group.count
        counts = cells.setdefault(place, {})
        counts[group.verdict] = counts.get(group.verdict, 0) + group.count
        good = group.verdict == "passed"
        first[place] = min(first.get(place, (True, 1 << 62)), (good, group.task))
    found = [Cell(*place, cells[place], first[place][1]) for place in sorted(cells)]
    return VerdictMap(axis_x, axis_y, found, tasks, tasks - shown)


@dataclass(frozen=True, slots=True)
class _Group:
    x: str
    x_number: float | None
    y: str
    y_number: float | None
    verdict: str
    count: int
    task: int


def _groups(scope: Scope, kind: str, over: Over) -> Any:
    """Return the query for how many tasks have which values and which verdict."""
    columns: list[Any] = [_task.c.id]
    told: Any = verdict()
    source: Any = _task.join(_type, _type.c.id == _task.c.type_id)
    for side, name in (("x", over.x), ("y", over.y), ("z", over.by)):
        if not name:
            columns += [literal("").label(side), literal(0.0).label(f"{side}_number")]
            continue
        kind_of, table = _table_of(name, side)
        owner: Any = _task.c.id
        if kind_of == "attempt":
            last = _attempt.alias(f"{side}_attempt")
            on = (last.c.task_id == _task.c.id) & (last.c.id == _newest())
            source = source.join(last, on, isouter=side == "z")
            owner = last.c.id
        key = select(_key.c.id).where(_key.c.name == name.partition(":")[2]).scalar_subquery()
        on = (table.c.owner_id == owner) & (table.c.key_id == key)
        source = source.join(table, on, isouter=side == "z")
        if side == "z":
            good, bad = table.c.value.in_(GOOD), table.c.value.in_(BAD)
            done = told == literal("passed")
            told = case(
                (done & good, literal("passed")), (done & bad, literal("rejected")), else_=told
            )
        columns += [table.c.value.label(side), table.c.number.label(f"{side}_number")]
    columns.append(told.label("verdict"))
    inner: Any = select(*columns).select_from(source).where(*scope.clauses())
    if kind:
        inner = inner.where(_type.c.name == kind)
    rows = inner.subquery()
    by = (rows.c.x, rows.c.x_number, rows.c.y, rows.c.y_number, rows.c.verdict)
    count = func.count()
    query = select(*by, count, func.min(rows.c.id)).group_by(*by)
    return query.order_by(count.desc()).limit(MOST_GROUPS)


def _table_of(name: str, side: str) -> tuple[str, Any]:
    source, colon, key = name.partition(":")
    if not colon or source not in SOURCES or not key:
        raise TaskSystemError(f"{name!r} is no axis; one looks like task:NAME or attempt:NAME")
    table = schema.task_metadata if source == "task" else schema.attempt_metadata
    return source, table.alias(side)


def _newest() -> Any:
    """Return the number of the last attempt of a task."""
    of = select(func.max(_attempt.c.id)).where(_attempt.c.task_id == _task.c.id)
    return of.correlate(_task).scalar_subquery()


def _axis(name: str, found: Iterable[tuple[str, float | None, int]]) -> tuple[Axis, Any]:
    """Return an axis, and what says where on it a value is: -1 for nowhere."""
    if not name:
        return Axis("", [""], [], False), lambda _text, _number: 0
    counts: dict[tuple[str, float | None], int] = {}
    for text, number, count in found:
        counts[text, number] = counts.get((text, number), 0) + count
    numbers = [number for _, number in counts if number is not None]
    if len(counts) > MOST_VALUES and len(numbers) == len(counts):
        return _binned(name, numbers)
    kept = sorted(counts, key=lambda one: -counts[one])[:MOST_LABELS]
    kept.sort(key=lambda one: (one[1] is None, one[1] or 0.0, one[0]))
    place = {text: i for i, (text, _) in enumerate(kept)}
    axis = Axis(name, [label(text) for text, _ in kept], [], False)
    return axis, lambda text, _number: place.get(text, -1)


def _binned(name: str, numbers: Sequence[float]) -> tuple[Axis, Any]:
    least, most = min(numbers), max(numbers)
    log = least > 0 and most / least >= RATIO
    edges = bins(least, most, log=log)
    labels = [f"{a:.3g} to {b:.3g}" for a, b in itertools.pairwise(edges)]
    last = len(labels) - 1

    def where(_text: str, number: float) -> int:
        return max(0, min(last, bisect_right(edges, number) - 1))

    return Axis(name, labels, edges, log), where


def bins(least: float, most: float, *, log: bool, count: int = BINS) -> list[float]:
    """Return the edges of bins of the same width, or the same ratio, from `least` to `most`."""
    if log:
        step = math.log(most / least) / count
        inner = [least * math.exp(step * i) for i in range(1, count)]
    else:
        inner = [least + (most - least) * (i / count) for i in range(1, count)]
    return [least, *inner, most]


def label(text: str) -> str:
    """Return a value of metadata, which is kept as JSON, as people write it."""
    value = values.decode(text)
    shown = value if isinstance(value, str) else text
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[:LONGEST_LABEL]}..."
