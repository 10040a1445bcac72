"""Attempts to run tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.lookups import attempts_where, output_files
from dlg_engine.tasks.product_records import products_where
from dlg_engine.tasks.progress import FLAGS, move_attempt, state_verdict
from dlg_engine.tasks.records import need, write_metadata
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.states import AttemptState, Event, step
from dlg_engine.tasks.task_objects import FileProductVersion, TaskExecutionAttempt
from dlg_engine.tasks.version_records import VersionRecords


class AttemptRecords(VersionRecords):
    """Attempts to run tasks."""

    def execution_attempt_register(
        self,
        task_id: int | None = None,
        queued_time: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> int:
        """Register an attempt to run a task, and return its number."""
        if task_id is None:
            raise TaskSystemError("an attempt is one to run a task: which?")
        with self.transaction() as session:
            need(session, schema.task, "task", task_id)
            made = register_attempt(session, task_id, queued_time)
            write_metadata(session, "attempt", made, metadata or {})
            return made

    def execution_attempt_update(  # noqa: PLR0913, PLR0917  the interface has so many
        self,
        attempt_id: int | None = None,
        queued_time: float | None = None,
        start_time: float | None = None,
        latest_heartbeat_time: float | None = None,
        end_time: float | None = None,
        all_products_passed_qc: bool | None = None,
        error_fail: bool | None = None,
        error_text: str | None = None,
        run_time_wall_clock: float | None = None,
        run_time_cpu: float | None = None,
        run_time_cpu_inc_children: float | None = None,
        is_queued: bool | None = None,
        is_running: bool | None = None,
        is_finished: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is given, all at once.

        `is_queued` and the like take the attempt to that state; what is not allowed raises
        UnexpectedEventError, a verdict that contradicts those on the products VerdictError.
        """
        if attempt_id is None:
            raise TaskSystemError("which attempt is to be changed?")
        given = {
            "queued": queued_time,
            "started": start_time,
            "heartbeat": latest_heartbeat_time,
            "ended": end_time,
            "error_text": error_text,
            "wall_s": run_time_wall_clock,
            "cpu_s": run_time_cpu,
            "cpu_with_children_s": run_time_cpu_inc_children,
        }
        flags = {"is_queued": is_queued, "is_running": is_running, "is_finished": is_finished}
        with self.transaction() as session:
            row = need(session, schema.attempt, "attempt", attempt_id)
            values = {name: value for name, value in given.items() if value is not None}
            if values:
                table = schema.attempt
                session.execute(update(table).where(table.c.id == attempt_id).values(values))
            write_metadata(session, "attempt", attempt_id, metadata or {})
            if error_fail:
                if not row.error_fail:
                    move_attempt(session, attempt_id, Event.FAIL)
            else:
                self._follow_flags(session, attempt_id, flags)
            if all_products_passed_qc is not None:
                state_verdict(session, attempt_id, all_products_passed_qc)

    @staticmethod
    def _follow_flags(session: Session, attempt_id: int, flags: Mapping[str, bool | None]) -> None:
        for flag, event in FLAGS.items():
            if flags[flag]:
                state = AttemptState(need(session, schema.attempt, "attempt", attempt_id).state)
                if not _is_there(state, flag):
                    move_attempt(session, attempt_id, event)

    def execution_attempt_delete(self, attempt_id: int) -> None:
        """Delete an attempt with the files it made."""
        with self.transaction() as session:
            need(session, schema.attempt, "attempt", attempt_id)
            self._forget_files(session, schema.version.c.attempt_id, [attempt_id])
            session.execute(delete(schema.attempt).where(schema.attempt.c.id == attempt_id))

    def execution_attempt_exists_in_db(self, attempt_id: int) -> bool:
        """Return whether there is such an attempt."""
        return self._exists(schema.attempt, attempt_id)

    def execution_attempt_lookup(
        self, attempt_id: int, embed_task_object: bool = False
    ) -> TaskExecutionAttempt | None:
        """Return an attempt, with its task if that is wanted; None if there is none."""
        with self._reading() as session:
            condition = schema.attempt.c.id == attempt_id
            found = self.attempts_where(session, condition).get(attempt_id)
        if found is not None and embed_task_object and found.task_id is not None:
            found.task_object = self.task_lookup(found.task_id)
        return found

    def task_lookup(self, task_id: int) -> Any:
        """Return a task with all that belongs to it."""
        raise NotImplementedError

    def execution_attempt_fetch_output_files(
        self, attempt_id: int
    ) -> dict[str, FileProductVersion]:
        """Return the files that an attempt has made, by semantic type."""
        with self._reading() as session:
            return output_files(session, [attempt_id])[attempt_id]

    def execution_attempt_register_output(
        self,
        execution_attempt: TaskExecutionAttempt,
        output_name: str,
        file_path: str | Path,
        file_metadata: Mapping[str, Any],
        preserve: bool = False,
    ) -> int:
        """Bring an output of a task into the store, and return the number of the version it is.

        `output_name` is its semantic type; raises NoSuchEntryError if the task makes no such.
        """
        task = execution_attempt.task_id
        with self.transaction() as session:
            made = products_where(session, schema.product.c.task_id == task)
            numbers = {str(product.semantic_type): number for number, product in made.items()}
            if output_name not in numbers:
                known = ", ".join(numbers) or "none"
                raise NoSuchEntryError(f"output of task {task}", output_name, f"it has {known}")
            return self.file_version_register(
                product_id=numbers[output_name],
                generated_by_task_execution=int(execution_attempt.attempt_id or 0),
                file_path_input=file_path,
                preserve=preserve,
                metadata=file_metadata,
            )

    @staticmethod
    def attempts_where(session: Session, condition: Any) -> dict[int, TaskExecutionAttempt]:
        """Return the attempts for which a condition holds, by number, with metadata and files."""
        return attempts_where(session, condition)


def _is_there(state: AttemptState, flag: str) -> bool:
    after = {"is_queued": {AttemptState.QUEUED}, "is_running": {AttemptState.RUNNING}}
    if flag in after:
        return state in after[flag]
    return state in (AttemptState.JUDGING, AttemptState.PASSED, AttemptState.REJECTED) or (
        state is AttemptState.FAILED
    )


def register_attempt(
    session: Session,
    task_id: int,
    queued_time: float | None = None,
    event: Event | None = None,
) -> int:
    """Register an attempt to run a task, and take it one step further if `event` says so."""
    state = AttemptState.REGISTERED
    if event is not None:
        state = step(state, event)
    row = {
        "task_id": task_id,
        "state": state.value,
        "queued": clock.now() if queued_time is None else queued_time,
        "published": False,
        "error_fail": False,
    }
    made: Any = session.execute(schema.attempt.insert().values(row))
    return int(made.inserted_primary_key[0])


def attempts_of(session: Session, tasks: Iterable[int]) -> list[int]:
    """Return the numbers of all attempts of tasks."""
    found: list[int] = []
    for chunk in chunks(tasks):
        query = select(schema.attempt.c.id).where(schema.attempt.c.task_id.in_(chunk))
        found += session.scalars(query)
    return found
