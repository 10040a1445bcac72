"""Workers as processes of one host, with a scheduler if that is wanted.

Whoever has a pool waits in `run`. A worker that dies gives back at once what it was doing, as we
know that it is dead, and another takes its place.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from dlg.exceptions import RunError
from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.progress import move_attempt
from dlg_engine.tasks.statements import repeated
from dlg_engine.tasks.states import HELD, Event
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.worker_process import IDLE, READY, REFUSED, WorkPlan, schedule, work

logger = logging.getLogger(__name__)
LOOK_S = 1.0
"""How often whoever waits is given the chance to look, when nothing happens."""
MOST_DEATHS = 10
"""So many processes may die one after the other before they have done anything."""
PATIENCE_S = 10.0
"""How long processes may take to end that have nothing to do."""


class WorkersDiedError(RunError):
    """Workers die as soon as they are started."""


@dataclass(slots=True)
class _Member:
    """A process of the pool."""

    name: str
    role: Any
    process: SpawnProcess
    link: Connection
    is_ready: bool = False
    types: list[str] = field(default_factory=list)


class WorkerPool:
    """So many workers, from `start` to `close`."""

    def __init__(self, plan: WorkPlan, workers: int, *, scheduler: bool) -> None:
        self._plan = plan
        self._roles = [work] * workers + ([schedule] if scheduler else [])
        self._members: list[_Member] = []
        self._deaths = self._numbers = 0
        self._ending = False
        # Names are not used again: a lease of somebody who is dead is told by his name.
        self._prefix = f"{socket.gethostname()}:{os.getpid()}-{secrets.token_hex(2)}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def types(self) -> frozenset[str]:
        """Return the types of tasks that workers do, as far as they have said so."""
        return frozenset(name for member in self._members for name in member.types)

    @property
    def are_ready(self) -> bool:
        """Return whether all have begun to work."""
        return all(member.is_ready for member in self._members)

    def start(self) -> None:
        """Start all processes."""
        for role in self._roles:
            self._start(role)

    def _start(self, role: Any) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        self._numbers += 1
        name = f"{self._prefix}-{self._numbers}"
        process = context.Process(target=role, args=(self._plan, name, theirs), name=name)
        with _without_interrupts():
            process.start()
        theirs.close()
        self._members.append(_Member(name, role, process, ours))

    def run(
        self,
        is_over: Callable[[], bool] | None = None,
        seen: Callable[[], None] | None = None,
    ) -> None:
        """Return when it is over, or all have ended.

        `is_over` is asked when a worker has nothing to do, `seen` called when something has
        happened; both about once a second besides. Raises UsageError if workers refuse to work,
        WorkersDiedError if none lives long enough to.
        """
        while self._members:
            happened = self._hear(LOOK_S)
            if seen is not None:
                seen()
            if is_over is not None and happened and self.are_ready and is_over():
                return

    def _hear(self, timeout_s: float) -> bool:
        """Take what processes say, and who has died; return whether there may be nothing to do."""
        handles: dict[Any, _Member] = {member.link: member for member in self._members}
        handles |= {member.process.sentinel: member for member in self._members}
        ready = connection.wait(list(handles), timeout_s)
        idle = not ready
        for member in {handles[handle].name: handles[handle] for handle in ready}.values():
            idle |= self._take(member)
            if not member.process.is_alive():
                self._bury(member)
        return idle

    def _take(self, member: _Member) -> bool:
        """Take all that a process has said; return whether it has nothing to do."""
        idle = False
        while True:
            try:
                if not member.link.poll():
                    return idle
                what, *facts = member.link.recv()
            except (EOFError, OSError):
                # Its process has ended, or is just about to.
                member.process.join(PATIENCE_S)
                return idle
            if what == READY:
                member.is_ready, member.types, self._deaths = True, list(facts[0]), 0
            elif what == REFUSED:
                kind = TaskSystemError if facts[0] else RunError
                raise kind(facts[1])
            idle |= what == IDLE

    def _bury(self, member: _Member) -> None:
        self._members.remove(member)
        member.link.close()
        code = member.process.exitcode
        if code == 0:
            return
        self._give_back(member.name)
        if self._ending:
            return
        self._deaths += 1
        if self._deaths > MOST_DEATHS:
            raise WorkersDiedError(
                f"{self._deaths} workers died one after the other, the last with {_told(code)}"
            )
        logger.warning("%s died with %s: another takes its place", member.name, _told(code))
        self._start(member.role)

    def _give_back(self, worker: str) -> None:
        with TaskDatabaseConnection(self._plan.store, self._plan.database) as tasks:
            lose_attempts(tasks, worker)

    def end(self) -> None:
        """Have all end after what they do; told again, they give that up."""
        self._ending = True
        for member in self._members:
            member.process.terminate()

    def close(self) -> None:
        """End all processes that are left, if need be by force."""
        self.end()
        until = clock.monotonic() + PATIENCE_S
        try:
            while self._members and clock.monotonic() < until:
                _quietly(self._hear, until - clock.monotonic())
        finally:  # also where the database cannot be told who has died
            for member in self._members:
                member.process.kill()
                member.process.join()
        for member in self._members.copy():
            self._bury(member)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Have processes that are started inside ignore Ctrl-C from their first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _quietly(hear: Callable[[float], bool], timeout_s: float) -> None:
    try:
        hear(timeout_s)
    except (TaskSystemError, RunError) as error:
        logger.debug("said at the end: %s", error)


def lose_attempts(tasks: TaskDatabaseConnection, worker: str) -> list[int]:
    """End the attempts of a worker that is known to be dead; return their numbers."""
    table = schema.attempt
    query = select(table.c.id).where(
        table.c.state.in_([state.value for state in HELD]), table.c.worker == worker
    )

    def lose() -> list[int]:
        with tasks.transaction() as session:
            lost = list(session.scalars(query.with_for_update()))
            for number in lost:
                text = f"its worker {worker} died"
                move_attempt(session, number, Event.LOSE, ended=clock.now(), error_text=text)
            return lost

    return repeated(lose)


def _told(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
