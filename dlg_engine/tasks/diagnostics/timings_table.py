"""How long tasks of each type take, in wall-clock and in processor time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking, of_tasks, with_tasks

_attempt, _type = schema.attempt, schema.task_type
_MINUTE_S, _HOUR_S = 60, 3600


@dataclass(frozen=True, slots=True)
class Spread:
    """What is known of many times, in seconds."""

    mean_s: float
    p95_s: float
    """The smallest time that 95 of 100 do not exceed."""
    max_s: float
    sum_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the attempts of tasks of a type took that have run to their end."""

    task_type: str
    count: int
    wall: Spread
    cpu: Spread
    """Of the process alone."""
    cpu_with_children: Spread | None
    """None where nobody has measured it."""


def render_run_time(input: float | None) -> str:  # noqa: A002  the interface calls it so
    """Return a time in seconds for people: `0.42 s`, `4 min 05 s`, `2 h 10 min`, `-` for None."""
    if input is None:
        return "-"
    if input < _MINUTE_S:
        return f"{input:.2f} s" if input < 10 else f"{input:.1f} s"  # noqa: PLR2004  three digits
    minutes, seconds = divmod(round(input), _MINUTE_S)
    if input < _HOUR_S:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def fetch_timings_table(
    job_name: str | None = None,
    task_type: str | None = None,
    *,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[Timing, ...]:
    """Return how long tasks of each type take, by the name of the type.

    What counts is attempts that have run to their end, whatever the verdict on them was.
    """
    columns = {
        "wall": _attempt.c.wall_s,
        "cpu": _attempt.c.cpu_s,
        "children": _attempt.c.cpu_with_children_s,
    }
    found: dict[str, dict[str, tuple[int, Spread]]] = {}
    with looking(database) as session:
        for what, column in columns.items():
            for row in session.execute(_spreads(column, of_tasks(job_name, task_type, namespace))):
                spread = Spread(*(float(value) for value in row[2:]))
                found.setdefault(row[0], {})[what] = int(row[1]), spread
    return tuple(_timing(name, found[name]) for name in sorted(found))


def _timing(name: str, spreads: dict[str, tuple[int, Spread]]) -> Timing:
    count, wall = spreads["wall"]
    nothing = Spread(0.0, 0.0, 0.0, 0.0)
    _, cpu = spreads.get("cpu", (0, nothing))
    children = spreads.get("children")
    return Timing(name, count, wall, cpu, None if children is None else children[1])


def _spreads(column: Any, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """Return a query for the spread of a column, by type; the database does the sorting."""
    by_type = _type.c.name
    rank = func.row_number().over(partition_by=by_type, order_by=column)
    ranked = (
        with_tasks(
            select(
                by_type.label("name"), column.label("time"), rank.label("place"),
                func.count().over(partition_by=by_type).label("of"),
            )
        )
        .where(column.is_not(None), _attempt.c.wall_s.is_not(None), *conditions)
        .subquery()
    )  # fmt: skip
    time, place = ranked.c.time, ranked.c.place
    high = case((place * 20 >= ranked.c.of * 19, time))  # in whole numbers: 0.95 is none of them
    return select(
        ranked.c.name, func.count(), func.avg(time), func.min(high), func.max(time), func.sum(time)
    ).group_by(ranked.c.name)
