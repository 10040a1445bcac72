"""What follows for tasks when an attempt goes on: who is done, who is ready, who is blocked.

Readiness is counted: a task knows how many of its inputs are missing, and each input that comes
takes one off. Nobody looks through tasks that nothing has happened to. All of it is part of the
transaction in which it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import VerdictError
from dlg_engine.tasks.records import need
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.states import (
    UNFINISHED,
    AttemptState,
    Event,
    TaskState,
    step,
    verdict_of,
)

_attempt, _task, _version, _product = schema.attempt, schema.task, schema.version, schema.product


MOST_LOST = 10
"""How many workers a task may take with it."""


_LAST = (Event.FAIL, Event.LOSE, Event.REJECT)
"""What an attempt comes to nothing by."""
_COUNT_DOWN = (
    update(_task)
    .where(_task.c.id.in_(bindparam("numbers", expanding=True)))
    .values(missing=_task.c.missing - bindparam("come"))
)


def lock_attempt(session: Session, attempt_id: int) -> Any:
    """Return the row of an attempt, which nobody else changes until the end of the transaction."""
    query = select(_attempt).where(_attempt.c.id == attempt_id).with_for_update()
    row = session.execute(query).one_or_none()
    return need(session, _attempt, "attempt", attempt_id) if row is None else row


def move_attempt(session: Session, attempt_id: int, event: Event, **columns: Any) -> AttemptState:
    """Take an attempt one step further, with what follows for its task; return its state."""
    row = lock_attempt(session, attempt_id)
    state: AttemptState = step(AttemptState(row.state), event, str(attempt_id))
    values: dict[str, Any] = {"state": state.value, **columns}
    if state not in UNFINISHED:
        values |= {"token": None, "lease_until": None}
    if event is Event.FAIL:
        values["error_fail"] = True
    if event in (Event.FAIL, Event.LOSE) and row.verdict is not None:
        values["verdict"] = None  # a failed attempt is never passed
    if event in _LAST:
        _lock_task(session, row.task_id)
    session.execute(update(_attempt).where(_attempt.c.id == attempt_id).values(values))
    if state is AttemptState.QUEUED:
        _move_task(session, row.task_id, Event.QUEUE, {TaskState.WAITING})
    elif state is AttemptState.JUDGING:
        return settle(session, attempt_id)
    elif event in _LAST:
        came_to_nothing(session, row.task_id)
    return state


def _lock_task(session: Session, task_id: int) -> Any:
    """Return a task, which nobody else changes until the end of the transaction.

    Of two last attempts that fail at once, each would take the other to be under way, and nobody
    would fail the task. It is locked before an attempt of it is changed: MariaDB takes a lock for
    reading then, which two cannot both turn into one for writing.
    """
    query = select(_task.c.state, _task.c.tries, _task.c.pause_s).where(_task.c.id == task_id)
    return session.execute(query.with_for_update()).one()


def _move_task(session: Session, task_id: int, event: Event, only_in: set[TaskState]) -> bool:
    query = select(_task.c.state).where(_task.c.id == task_id).with_for_update()
    state = TaskState(session.execute(query).scalar_one())
    if state not in only_in:
        return False
    values: dict[str, Any] = {"state": step(state, event, str(task_id)).value}
    if event is not Event.QUEUE:
        values["not_before"] = None
    session.execute(update(_task).where(_task.c.id == task_id).values(values))
    return True


def settle(session: Session, attempt_id: int) -> AttemptState:
    """Draw the conclusions from the verdicts on an attempt that has run; return its state."""
    row = lock_attempt(session, attempt_id)
    state = AttemptState(row.state)
    if state is not AttemptState.JUDGING:
        return state
    query = select(_version.c.product_id, _version.c.passed_qc)
    verdicts = dict(session.execute(query.where(_version.c.attempt_id == attempt_id)).all())
    products_passed(session, [number for number, passed in verdicts.items() if passed])
    verdict = verdict_of(verdicts.values(), row.verdict)
    if verdict is None:
        return state
    event = Event.ACCEPT if verdict else Event.REJECT
    after: AttemptState = step(state, event, str(attempt_id))
    values = {"state": after.value, "verdict": verdict, "token": None, "lease_until": None}
    if not verdict:
        _lock_task(session, row.task_id)
    session.execute(update(_attempt).where(_attempt.c.id == attempt_id).values(values))
    if verdict:
        task_passed(session, row.task_id)
    else:
        came_to_nothing(session, row.task_id)
    return after


def state_verdict(session: Session, attempt_id: int, verdict: bool) -> AttemptState:
    """Note what somebody says about all products of an attempt; return the attempt's state.

    Raises VerdictError if verdicts on the products, or the failure of the attempt, say otherwise.
    """
    row = lock_attempt(session, attempt_id)
    state = AttemptState(row.state)
    verdicts = session.scalars(
        select(_version.c.passed_qc).where(_version.c.attempt_id == attempt_id)
    ).all()
    if verdict and state in (AttemptState.FAILED, AttemptState.LOST, AttemptState.CANCELLED):
        raise VerdictError(f"attempt {attempt_id} is {state.value}: it cannot have passed")
    if verdict and verdicts and verdict_of(verdicts) is not True:
        raise VerdictError(
            f"attempt {attempt_id}: not all of its products were passed; its verdict follows from "
            "theirs: judge each with file_version_update(..., passed_qc=...)"
        )
    session.execute(update(_attempt).where(_attempt.c.id == attempt_id).values(verdict=verdict))
    return settle(session, attempt_id)


def products_passed(session: Session, products: Iterable[int]) -> None:
    """Count down for all that wait for products, once each, when the first version is passed."""
    for product in sorted(products):
        first = (
            update(_product)
            .where(_product.c.id == product, _product.c.passed.is_(False))
            .values(passed=True)
        )
        if _changed(session.execute(first)):
            table = schema.task_input
            # A task may read the same product under two names.
            count = func.count()
            query = select(table.c.task_id, count).where(table.c.product_id == product)
            _count_down(session, query.group_by(table.c.task_id))


def task_passed(session: Session, task_id: int) -> None:
    """Note that a task is done, and count down for all that wait for its metadata."""
    states = (TaskState.WAITING, TaskState.ACTIVE)
    open_ones = _task.c.state.in_([state.value for state in states])
    values = {"state": step(TaskState.ACTIVE, Event.ACCEPT).value, "not_before": None}
    change = update(_task).where(_task.c.id == task_id, open_ones).values(values)
    if _changed(session.execute(change)):
        table = schema.task_metadata_input
        query = select(table.c.task_id, func.count()).where(table.c.input_id == task_id)
        _count_down(session, query.group_by(table.c.task_id))


def _count_down(session: Session, query: Select[int, int]) -> None:
    count_down(session, dict(session.execute(query).all()))


def count_down(session: Session, missing: Mapping[int, int]) -> None:
    """Take so many off what tasks are waiting for."""
    by_number: dict[int, list[int]] = {}
    for task, number in missing.items():
        by_number.setdefault(number, []).append(task)
    for number, tasks in by_number.items():
        for chunk in chunks(sorted(tasks)):
            session.execute(_COUNT_DOWN, {"numbers": chunk, "come": number})


def came_to_nothing(session: Session, task_id: int) -> None:
    """Set the date of the next attempt; without any left, the task and all behind it are over."""
    row = _lock_task(session, task_id)
    if row.state not in (TaskState.ACTIVE.value, TaskState.WAITING.value):
        return  # another attempt has been passed
    # That a worker dies is not the fault of a task, unless it is what kills them.
    of = select(func.count()).where(_attempt.c.task_id == task_id)
    lost = session.scalar(of.where(_attempt.c.state == AttemptState.LOST.value)) or 0
    made = (session.scalar(of) or 0) - lost
    if made < row.tries and lost <= MOST_LOST:
        due = clock.now() + row.pause_s * 2 ** max(0, made - 1)
        session.execute(update(_task).where(_task.c.id == task_id).values(not_before=due))
        return
    running = select(_attempt.c.id).where(
        _attempt.c.task_id == task_id, _attempt.c.state.in_([state.value for state in UNFINISHED])
    )
    if session.scalar(running.limit(1)) is None:
        _move_task(session, task_id, Event.FAIL, {TaskState.WAITING, TaskState.ACTIVE})
        block_behind(session, [task_id])


def block_behind(session: Session, tasks: Iterable[int]) -> int:
    """Block all that needs what these tasks will not make; return how many tasks that are.

    Each is visited once, whatever the number of ways that lead to it.
    """
    blocked, wave = 0, list(tasks)
    while wave:
        after = sorted(_behind(session, wave, TaskState.WAITING))
        for chunk in chunks(after):
            session.execute(
                update(_task).where(_task.c.id.in_(chunk)).values(state=TaskState.BLOCKED.value)
            )
        blocked += len(after)
        wave = after
    return blocked


def _behind(session: Session, tasks: Iterable[int], state: TaskState) -> set[int]:
    found: set[int] = set()
    inputs, named = schema.task_input, schema.task_metadata_input
    for chunk in chunks(tasks):
        files = (
            select(inputs.c.task_id)
            .join(_product, _product.c.id == inputs.c.product_id)
            .where(_product.c.task_id.in_(chunk), _product.c.passed.is_(False))
        )
        values = select(named.c.task_id).where(named.c.input_id.in_(chunk))
        for query in (files, values):
            of = select(_task.c.id).where(_task.c.id.in_(query), _task.c.state == state.value)
            found |= set(session.scalars(of))
    return found


def reset_tasks(session: Session, tasks: Iterable[int], tries: int) -> None:
    """Give failed tasks so many more attempts, and let those behind them wait again."""
    wave = []
    for task_id in tasks:
        made = session.scalar(select(func.count()).where(_attempt.c.task_id == task_id)) or 0
        allowed = {TaskState.FAILED, TaskState.BLOCKED}
        if _move_task(session, task_id, Event.RESET, allowed):
            session.execute(update(_task).where(_task.c.id == task_id).values(tries=made + tries))
            wave.append(task_id)
    while wave:
        freed = [
            number
            for number in sorted(_behind(session, wave, TaskState.BLOCKED))
            if not _has_lost_input(session, number)
        ]
        for number in freed:
            _move_task(session, number, Event.RESET, {TaskState.BLOCKED})
        wave = freed


def _has_lost_input(session: Session, task_id: int) -> bool:
    inputs, named = schema.task_input, schema.task_metadata_input
    files = (
        select(_product.c.task_id)
        .join(inputs, inputs.c.product_id == _product.c.id)
        .where(inputs.c.task_id == task_id, _product.c.passed.is_(False))
    )
    values = select(named.c.input_id).where(named.c.task_id == task_id)
    lost = _task.c.state.in_([TaskState.FAILED.value, TaskState.BLOCKED.value])
    query = select(_task.c.id).where(lost, or_(_task.c.id.in_(files), _task.c.id.in_(values)))
    return session.scalar(query.limit(1)) is not None


def is_ready() -> ColumnElement[bool]:
    """Return the condition for tasks that may be scheduled: all they need is there."""
    found: ColumnElement[bool] = (
        (_task.c.state == TaskState.WAITING.value)
        & (_task.c.missing == 0)
        & _task.c.configured.is_(True)
    )
    return found


def is_due(now: Any) -> ColumnElement[bool]:
    """Return the condition for tasks of which another attempt is due."""
    found: ColumnElement[bool] = (
        (_task.c.state == TaskState.ACTIVE.value)
        & (_task.c.missing == 0)
        & (_task.c.not_before <= now)
    )
    return found


def _changed(result: Any) -> bool:
    return int(result.rowcount) > 0


FLAGS: Mapping[str, Event] = {
    "is_queued": Event.QUEUE,
    "is_running": Event.START,
    "is_finished": Event.FINISH,
}
"""What the flags of the published interface mean."""
