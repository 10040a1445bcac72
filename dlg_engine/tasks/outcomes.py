"""What a worker has done, many attempts at once, with what follows for other tasks.

The usual case, attempts that have run and whose products are good as they are, is a few statements
however many they are; all others go one by one through `progress`, whose rules these are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select, update
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.claims import Claim
from dlg_engine.tasks.progress import count_down, move_attempt, settle
from dlg_engine.tasks.states import HELD, AttemptState, Event, TaskState, step

_attempt, _task, _version, _product = schema.attempt, schema.task, schema.version, schema.product
_numbers: BindParameter[Any] = bindparam("numbers", expanding=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt."""

    claim: Claim
    values: Mapping[str, Any]
    """Columns of it: `TIMES`, and the text of its failure."""
    failed: bool
    """Whether it came to nothing, by its fault or another's."""
    good: bool
    """Whether what it made is good as it is, and nobody else judges that."""
    is_judged_here: bool = False
    """Whether the worker has still to judge it, and so must keep its lease."""
    cut_off: bool = False
    """Whether it failed as the database was gone: not a fault of the task."""


_JUDGING = step(AttemptState.RUNNING, Event.FINISH)
_HELD = [state.value for state in HELD]
_MINE = (
    select(
        _attempt.c.id,
        _attempt.c.task_id,
        _attempt.c.token,
        _attempt.c.state,
        _task.c.state.label("task_state"),
    )
    .join(_task, _task.c.id == _attempt.c.task_id)
    .where(_attempt.c.id.in_(_numbers), _attempt.c.state.in_(_HELD))
    .order_by(_attempt.c.id)
    .with_for_update()
)
_MADE = select(_version.c.attempt_id, _version.c.product_id, _version.c.passed_qc).where(
    _version.c.attempt_id.in_(_numbers)
)
_PASS_VERSIONS = (
    update(_version)
    .where(_version.c.attempt_id.in_(_numbers), _version.c.passed_qc.is_(None))
    .values(passed_qc=True)
)
TIMES = ("started", "ended", "wall_s", "cpu_s", "cpu_with_children_s")
_WRITE_PASSED = (
    update(_attempt)
    .where(_attempt.c.id == bindparam("number"))
    .values(
        state=step(_JUDGING, Event.ACCEPT).value,
        verdict=True,
        token=None,
        lease_until=None,
        host_id=bindparam("host"),
        **{name: bindparam(f"new_{name}") for name in TIMES},
    )
)
_OPEN = (TaskState.WAITING.value, TaskState.ACTIVE.value)
_PASS_TASKS = (
    update(_task)
    .where(_task.c.id.in_(_numbers))
    .values(state=step(TaskState.ACTIVE, Event.ACCEPT).value, not_before=None)
)
_NEW_PRODUCTS = (
    select(_product.c.id)
    .where(_product.c.id.in_(_numbers), _product.c.passed.is_(False))
    .order_by(_product.c.id)
    .with_for_update()
)
_PASS_PRODUCTS = update(_product).where(_product.c.id.in_(_numbers)).values(passed=True)
_READERS = (
    select(schema.task_input.c.task_id, func.count())
    .where(schema.task_input.c.product_id.in_(_numbers))
    .group_by(schema.task_input.c.task_id)
)
_ASKERS = (
    select(schema.task_metadata_input.c.task_id, func.count())
    .where(schema.task_metadata_input.c.input_id.in_(_numbers))
    .group_by(schema.task_metadata_input.c.task_id)
)


def record(session: Session, outcomes: Sequence[Outcome], host: int) -> list[Outcome]:
    """Note what came of attempts; return those that were not in our hands any more.

    To note it again changes nothing. Those that wait for our judgement stay in our hands.
    """
    if not outcomes:
        return []
    by_number = {outcome.claim.number: outcome for outcome in outcomes}
    rows = session.execute(_MINE, {"numbers": sorted(by_number)}).all()
    mine = {row.id: row for row in rows if row.token == by_number[row.id].claim.token}
    passed = []
    for number, row in mine.items():
        if row.state != AttemptState.RUNNING.value:
            continue  # noted already, by a commit whose answer was lost
        outcome = by_number[number]
        if outcome.good and not outcome.failed:
            passed.append(row)
        else:
            _record_one(session, outcome, host)
    for number in _pass_all(session, passed, by_number, host):
        _record_one(session, by_number[number], host)
    return [outcome for number, outcome in by_number.items() if number not in mine]


def _record_one(session: Session, outcome: Outcome, host: int) -> None:
    number = outcome.claim.number
    values = {**outcome.values, "host_id": host}
    if not outcome.failed:
        values["state"] = _JUDGING.value
    session.execute(update(_attempt).where(_attempt.c.id == number).values(values))
    if outcome.failed:
        move_attempt(session, number, Event.LOSE if outcome.cut_off else Event.FAIL)
    else:
        settle(session, number)  # some may have been judged already


def _pass_all(
    session: Session, rows: Sequence[Any], outcomes: Mapping[int, Outcome], host: int
) -> list[int]:
    """Pass attempts, given as rows of theirs; return those of which something was refused."""
    if not rows:
        return []
    made = session.execute(_MADE, {"numbers": [row.id for row in rows]}).all()
    refused = {row.attempt_id for row in made if row.passed_qc is False}
    passed = [row for row in rows if row.id not in refused]
    if any(row.passed_qc is None for row in made):
        session.execute(_PASS_VERSIONS, {"numbers": sorted({row.attempt_id for row in made})})
    if passed:
        _write_passed(session, [outcomes[row.id] for row in passed], host)
        missing: Counter[int] = Counter()
        missing += _pass_products(session, [r for r in made if r.attempt_id not in refused])
        missing += _pass_tasks(session, [row for row in passed if row.task_state in _OPEN])
        count_down(session, missing)
    return sorted(refused)


def _write_passed(session: Session, outcomes: Sequence[Outcome], host: int) -> None:
    rows = [
        {"number": o.claim.number, "host": host, **{f"new_{n}": o.values[n] for n in TIMES}}
        for o in outcomes
    ]
    session.connection().execute(_WRITE_PASSED, rows)


def _pass_products(session: Session, versions: Sequence[Any]) -> Counter[int]:
    """Pass the products of versions, unless they were before; return who waits for how many."""
    products = sorted({row.product_id for row in versions})
    if products:
        products = list(session.scalars(_NEW_PRODUCTS, {"numbers": products}))
    return _passed(session, products, _PASS_PRODUCTS, _READERS)


def _pass_tasks(session: Session, rows: Sequence[Any]) -> Counter[int]:
    """Note that tasks are done; return who waits for how many of them."""
    return _passed(session, sorted({row.task_id for row in rows}), _PASS_TASKS, _ASKERS)


def _passed(session: Session, numbers: list[int], change: Any, waiting: Any) -> Counter[int]:
    if not numbers:
        return Counter()
    session.execute(change, {"numbers": numbers})
    # Only now: who registers a task that waits for them has them locked until it is registered.
    rows = session.execute(waiting, {"numbers": numbers}).all()
    return Counter({task: int(count) for task, count in rows})
