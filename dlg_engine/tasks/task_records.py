"""Tasks in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.attempt_records import AttemptRecords, attempts_of
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.lookups import file_inputs, look_up_task, metadata_inputs
from dlg_engine.tasks.product_records import products_where
from dlg_engine.tasks.records import need
from dlg_engine.tasks.registering import NewTask, register_tasks
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_objects import FileProduct, MetadataItem, Task, TaskExecutionAttempt


class TaskRecords(AttemptRecords):
    """Tasks, what they need, and what became of them."""

    def task_register(  # noqa: PLR0913, PLR0917  the interface has so many
        self,
        parent_id: int | None = None,
        created_time: float | None = None,
        fully_configured: bool = True,
        task_type: str | None = None,
        job_name: str | None = None,
        task_name: str | None = None,
        working_directory: str | None = None,
        input_files: Mapping[str, FileProduct] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        input_metadata: Sequence[int] = (),
        namespace: str | None = None,
        tries: int = 1,
        pause_s: float = 0.0,
    ) -> int:
        """Register a task with all that it needs, and return its number.

        `input_metadata` are the tasks whose metadata it wants to see, `namespace` is where names
        of its files are unique (that of its parent), `tries` how many attempts it may have.
        """
        if task_type is None:
            raise TaskSystemError("a task needs a type")
        new = NewTask(
            task_type=task_type,
            job_name=job_name,
            task_name=task_name,
            working_directory=working_directory or "",
            namespace=namespace,
            parent=parent_id,
            inputs={name: _number(file) for name, file in (input_files or {}).items()},
            input_metadata=input_metadata,
            metadata=metadata or {},
            configured=fully_configured,
            created=created_time,
            tries=tries,
            pause_s=pause_s,
        )
        return self.tasks_register([new])[0]

    def tasks_register(self, tasks: Sequence[NewTask]) -> list[int]:
        """Register many tasks, all or none of them, and return their numbers."""
        with self.transaction() as session:
            return register_tasks(session, tasks)

    def task_set_configured(self, task_id: int) -> None:
        """Say that a task is whole and may be scheduled."""
        with self.transaction() as session:
            need(session, schema.task, "task", task_id)
            table = schema.task
            session.execute(update(table).where(table.c.id == task_id).values(configured=True))

    def task_update(
        self, task_id: int | None = None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Set values of metadata of a task."""
        if task_id is None:
            raise TaskSystemError("which task is to be changed?")
        self.metadata_register(metadata or {}, task_id=task_id)

    def task_exists_in_db(self, task_id: int) -> bool:
        """Return whether there is such a task."""
        return self._exists(schema.task, task_id)

    def task_delete(self, task_id: int) -> None:
        """Delete a task with the tasks below it, their attempts, products and files."""
        with self.transaction() as session:
            need(session, schema.task, "task", task_id)
            family = _family(session, task_id)
            attempts = attempts_of(session, family)
            self._forget_files(session, schema.version.c.attempt_id, attempts)
            table = schema.task
            session.execute(delete(table).where(table.c.id == task_id))

    def task_lookup(self, task_id: int) -> Task | None:
        """Return a task with all that belongs to it; None if there is none."""
        with self._reading() as session:
            return look_up_task(session, task_id)

    def task_fetch_execution_attempts(
        self, task_id: int, successful: bool | None = None
    ) -> dict[int, TaskExecutionAttempt]:
        """Return attempts by number: all, those that were passed, or those that were not (yet)."""
        with self._reading() as session:
            attempts = self.attempts_where(session, schema.attempt.c.task_id == task_id)
        return {
            number: attempt
            for number, attempt in attempts.items()
            if successful is None or (attempt.state == AttemptState.PASSED) == successful
        }

    def task_fetch_file_inputs(self, task_id: int) -> dict[str, FileProduct]:
        """Return the products that a task reads, by the semantic type they have for it."""
        with self._reading() as session:
            return file_inputs(session, task_id)

    def task_fetch_file_products(self, task_id: int) -> dict[str, FileProduct]:
        """Return the products that a task makes, by semantic type."""
        with self._reading() as session:
            found = products_where(session, schema.product.c.task_id == task_id)
        return {str(product.semantic_type): product for product in found.values()}

    def task_fetch_metadata_inputs(self, task_id: int) -> dict[str, dict[str, MetadataItem]]:
        """Return what tasks that it named gave out as metadata, by their names.

        It is the metadata of the last attempt that was passed, of a task without one nothing.
        """
        with self._reading() as session:
            return metadata_inputs(session, task_id)


def _number(file: FileProduct) -> int:
    if file.product_id is None:
        raise TaskSystemError(f"{file.filename!r} is not registered as a product")
    return file.product_id


def _family(session: Session, task_id: int) -> list[int]:
    table = schema.task
    below = select(table.c.id).where(table.c.id == task_id).cte("below", recursive=True)
    below = below.union_all(select(table.c.id).where(table.c.parent_id == below.c.id))
    return list(session.scalars(select(below.c.id)))
