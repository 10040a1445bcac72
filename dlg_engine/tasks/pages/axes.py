"""The sides of a map: which values stand there, or into which bins numbers are put.

Bins are made by the database, so that as many rows come back as a map has places.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema, values
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.pages.scope import Scope

MOST_VALUES = 24
"""Up to so many values stand side by side; more numbers are put into bins."""
MOST_LABELS = 60
"""How many values stand side by side that are no numbers; of more, those of most tasks."""
BINS = 14
RATIO = 10.0
LONGEST_LABEL = 60
SOURCES = ("task", "attempt")
_task, _type, _attempt = schema.task, schema.task_type, schema.attempt
_key = schema.metadata_key


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a map."""

    name: str
    labels: Sequence[str]
    edges: Sequence[float]
    """Of bins, one more than labels; [] where each label is a value."""
    log: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A keyword of metadata, and the edges of its bins: [] where values stand side by side."""

    name: str
    edges: Sequence[float] = ()
    log: bool = False

    def column(self, table: Any) -> Any:
        """Return, for a query, the value of a row or the number of its bin."""
        if not self.edges:
            return table.c.value
        inner = enumerate(self.edges[1:-1])
        return case(*((table.c.number < edge, place) for place, edge in inner), else_=BINS - 1)

    def axis(self, counts: Mapping[Any, int]) -> tuple[Axis, Mapping[Any, int]]:
        """Return the side with its labels, and where on it each of these values is."""
        if not self.name:
            return Axis("", [""], [], False), {"": 0}
        if self.edges:
            labels = [f"{_short(a)} to {_short(b)}" for a, b in itertools.pairwise(self.edges)]
            return Axis(self.name, labels, self.edges, self.log), {i: i for i in range(BINS)}
        kept = sorted(counts, key=lambda text: -counts[text])[:MOST_LABELS]
        kept.sort(key=_order)
        place = {text: i for i, text in enumerate(kept)}
        return Axis(self.name, [label(text) for text in kept], [], False), place


def _order(text: str) -> tuple[bool, float, str]:
    number = values.number_of(values.decode(text))
    return number is None, number or 0.0, text


def find_side(session: Session, scope: Scope, kind: str, name: str) -> Side:
    """Return the side of a map for a keyword; raise TaskSystemError if it is none."""
    if not name:
        return Side("")
    source, table = with_values(all_tasks(), name, "side")
    number = table.c.number
    found = (
        func.count(table.c.value.distinct()), func.count(), func.count(number),
        func.min(number), func.max(number),
    )  # fmt: skip
    query = of_type(select(*found).select_from(source), scope, kind)
    different, tasks, numbers, least, most = session.execute(query).one()
    if different <= MOST_VALUES or numbers < tasks or not least < most:
        return Side(name)
    log = least > 0 and most / least >= RATIO
    return Side(name, bins(least, most, log=log), log)


def all_tasks() -> Any:
    """Return what is queried: tasks with their types."""
    return _task.join(_type, _type.c.id == _task.c.type_id)


def of_type(query: Any, scope: Scope, kind: str) -> Any:
    """Return a query on tasks that looks only at those of a type ("" for all) that are meant."""
    query = query.where(*scope.clauses())
    return query.where(_type.c.name == kind) if kind else query


def with_values(source: Any, name: str, side: str, *, optional: bool = False) -> tuple[Any, Any]:
    """Return `source` with the values of a keyword, and the table they are in.

    Tasks without such a value are kept if it is `optional`. Raises TaskSystemError if `name` is
    not that of an axis.
    """
    where, colon, word = name.partition(":")
    if not colon or where not in SOURCES or not word:
        raise TaskSystemError(f"{name!r} is no axis; one looks like task:NAME or attempt:NAME")
    owner: Any = _task.c.id
    table = schema.task_metadata.alias(side)
    if where == "attempt":
        table = schema.attempt_metadata.alias(side)
        last = _attempt.alias(f"{side}_attempt")
        on = (last.c.task_id == _task.c.id) & (last.c.id == _newest())
        source, owner = source.join(last, on, isouter=optional), last.c.id
    key = select(_key.c.id).where(_key.c.name == word).scalar_subquery()
    on = (table.c.owner_id == owner) & (table.c.key_id == key)
    return source.join(table, on, isouter=optional), table


def _newest() -> Any:
    """Return the number of the last attempt of a task."""
    of = select(func.max(_attempt.c.id)).where(_attempt.c.task_id == _task.c.id)
    return of.correlate(_task).scalar_subquery()


def bins(least: float, most: float, *, log: bool, count: int = BINS) -> list[float]:
    """Return the edges of bins of the same width, or the same ratio, from `least` to `most`."""
    # Neither the ratio of two numbers nor their difference need be a number that there is.
    if log:
        low, high = math.log(least), math.log(most)
        inner = [math.exp(low + (high - low) * (i / count)) for i in range(1, count)]
    else:
        inner = [least * (1 - i / count) + most * (i / count) for i in range(1, count)]
    return [least, *inner, most]


def _short(number: float) -> str:
    return f"{float(f'{number:.3g}'):g}"


def label(text: str) -> str:
    """Return a value of metadata, which is kept as JSON, as people write it."""
    value = values.decode(text)
    shown = value if isinstance(value, str) else text
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[:LONGEST_LABEL]}..."
