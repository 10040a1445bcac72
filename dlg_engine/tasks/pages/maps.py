"""The map of a job's tasks: who passed and who failed, over values that the tasks differ in.

An axis is a keyword of metadata, of tasks (`task:planet`) or of their last attempts
(`attempt:period`). Few values stand side by side; many numbers are put into bins, of equal ratios
where they span more than a decade. Where attempts say by a keyword whether they found what they
looked for, a map can be one of that (`by`): quality control passes a search that finds nothing.
Cells are counted by the database, so that a map has the same size for a hundred tasks and for a
million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Subquery, case, func, literal, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.pages.axes import (
    LONGEST_LABEL,
    SOURCES,
    Axis,
    Side,
    all_tasks,
    find_side,
    of_type,
    with_values,
)
from dlg_engine.tasks.pages.scope import Scope, verdict

MOST_GROUPS = 50_000
"""How many different pairs of values one map is made of."""
SAMPLE = 500
"""In so many tasks one looks for the keywords that there are."""
GOOD = ("true", '"PASS"', '"PASSED"', '"pass"', '"passed"')
BAD = ("false", '"FAIL"', '"FAILED"', '"fail"', '"failed"')
"""Values of metadata, as they are kept, that are verdicts."""
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
    some = select(_task.c.id).select_from(all_tasks())
    sample = of_type(some, scope, kind).order_by(_task.c.id).limit(SAMPLE).subquery()
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


def _owners(source: str, tasks: Subquery) -> tuple[Any, Any]:
    if source == "task":
        return schema.task_metadata, select(tasks.c.id)
    last = select(func.max(_attempt.c.id)).where(_attempt.c.task_id.in_(select(tasks.c.id)))
    return schema.attempt_metadata, last.group_by(_attempt.c.task_id)


def tiles(session: Session, scope: Scope, kind: str, limit: int, after: int = 0) -> Tiles:
    """Return tasks in their order, with higher numbers than `after`."""
    query = select(_task.c.id, _task.c.task_name, verdict().label("verdict"))
    query = of_type(query.select_from(all_tasks()), scope, kind)
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
    side_x = find_side(session, scope, kind, over.x)
    side_y = find_side(session, scope, kind, over.y)
    query = _groups(scope, kind, (side_x, side_y), over.by)
    groups = [_Group(*row) for row in session.execute(query)]
    count = select(func.count()).select_from(all_tasks())
    tasks = session.scalar(of_type(count, scope, kind)) or 0
    axis_x, place_x = side_x.axis(_counts((group.x, group.count) for group in groups))
    axis_y, place_y = side_y.axis(_counts((group.y, group.count) for group in groups))
    cells: dict[tuple[int, int], dict[str, int]] = {}
    first: dict[tuple[int, int], tuple[bool, int]] = {}
    shown = 0
    for group in groups:
        place = place_x.get(group.x, -1), place_y.get(group.y, -1)
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
    x: Any
    """A value as it is kept, or the number of a bin."""
    y: Any
    verdict: str
    count: int
    task: int


def _counts(found: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for value, count in found:
        counts[value] = counts.get(value, 0) + count
    return counts


def _groups(scope: Scope, kind: str, sides: tuple[Side, Side], by: str) -> Any:
    """Return the query for how many tasks have which values and which verdict."""
    columns: list[Any] = [_task.c.id]
    source = all_tasks()
    for side, name in zip(sides, "xy", strict=True):
        column: Any = literal("")
        if side.name:
            source, table = with_values(source, side.name, name)
            column = side.column(table)
        columns.append(column.label(name))
    told: Any = verdict()
    if by:
        source, table = with_values(source, by, "said", optional=True)
        done = told == literal("passed")
        good, bad = done & table.c.value.in_(GOOD), done & table.c.value.in_(BAD)
        told = case((good, literal("passed")), (bad, literal("rejected")), else_=told)
    columns.append(told.label("verdict"))
    rows = of_type(select(*columns).select_from(source), scope, kind).subquery()
    together = (rows.c.x, rows.c.y, rows.c.verdict)
    count = func.count()
    query = select(*together, count, func.min(rows.c.id)).group_by(*together)
    return query.order_by(count.desc()).limit(MOST_GROUPS)
