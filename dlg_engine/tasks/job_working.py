"""What a worker does with the tasks of jobs: what an app of a graph does, with files of the store.

Inputs are copied out of the store into a directory of the attempt, outputs are made there and
brought into the store, with what the task tells as the metadata of its attempt. Decisions let
their job grow, and joins put together what a group of tasks has told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dlg.apps.job_types import OURS, JobTask, handler_of
from dlg.apps.job_work import (
    TaskResultError,
    decided,
    need_outputs,
    plain_results,
    refusal,
    refused,
    settled,
)
from dlg.exceptions import UsageError
from dlg.jobs.errors import QualityControlError
from dlg.jobs.expressions import Surroundings
from dlg_engine.tasks import file_store, schema
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.job_growth import JobGrowth
from dlg_engine.tasks.job_registering import (
    BRANCH_TYPE,
    DESCRIPTION,
    JOIN_TYPE,
    LOOP_TYPE,
    RESERVED,
    ROOT_TYPE,
)
from dlg_engine.tasks.records import read_metadata
from dlg_engine.tasks.statements import chunks, ids_of, repeated
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import FileProduct, MetadataItem, Task, TaskExecutionAttempt
from dlg_engine.tasks.temporary_directory import TemporaryDirectory

Handler = Callable[[TaskExecutionAttempt], None]
TOLD = "told"
"""The metadata of a join: what the tasks of its group have told."""
LONGEST_KEY = 255


def job_handlers(
    tasks: TaskDatabaseConnection, types: Iterable[str] | None = None
) -> dict[str, Handler]:
    """Return what a worker is to do with the types of tasks of jobs: the handlers it is given.

    Those of the steps between tasks are always among them. None are all other types in the
    database that a module `task_X` is there for, and those that need none. Raises
    UnknownTaskTypeError for one in `types` without such a module. The database gets to know them,
    so that jobs with them can be submitted where there are no modules.
    """
    work, growth = JobWork(tasks), JobGrowth(tasks)
    found: dict[str, Handler] = {
        JOIN_TYPE: work.join,
        BRANCH_TYPE: lambda attempt: work.decide(attempt, growth),
        LOOP_TYPE: lambda attempt: work.decide(attempt, growth),
    }
    known = tasks.task_type_list_from_db().task_list
    if types is None:
        types = [*OURS, *(name for name in known if name != ROOT_TYPE and _is_known(name))]
    for name in types:
        handler_of(name)
        found[name] = work.run
    if missing := found.keys() - known.keys():
        with tasks.transaction() as session:
            ids_of(session, schema.task_type, missing)
    return found


def _is_known(name: str) -> bool:
    try:
        handler_of(name)
    except UsageError:
        return False
    return True


class JobWork:
    """Does tasks of jobs of a database."""

    def __init__(self, tasks: TaskDatabaseConnection) -> None:
        self._tasks = tasks

    # -- tasks ----------------------------------------------------------------------------

    def run(self, attempt: TaskExecutionAttempt) -> None:
        """Do a task, keep what it made, and judge that."""
        task, about = described(attempt)
        key = str(about["key"])
        metadata, requested = own_metadata(task.metadata), self._requested(about)
        around = Surroundings(metadata, requested, str(about.get("seed", "")))
        with TemporaryDirectory() as work:
            outputs = _targets(task, Path(work.tmp_dir))
            told = handler_of(str(about["task"]))(
                JobTask(
                    type=str(about["task"]), name=task.task_name or "",
                    job_name=task.job_name or "",
                    settings=settled(about.get("settings"), about.get("late"), around, key),
                    inputs=self._inputs(task, about, work), outputs=outputs,
                    metadata=metadata, requested_metadata=requested,
                    attempt=self._number(attempt),
                )
            )  # fmt: skip
            results = plain_results(told, key)
            need_outputs(outputs, key)
            around = Surroundings({**metadata, **results}, requested, around.seed)
            bad = refused(about.get("qc_criterion"), outputs, around, key)
            reason = refusal(bad, outputs, key) if bad else None
            self._keep(attempt, results, outputs, bad, reason)
        if reason is not None and not outputs:
            raise QualityControlError(reason)

    def _inputs(
        self, task: Task, about: Mapping[str, Any], work: TemporaryDirectory
    ) -> dict[str, Path | list[Path]]:
        with self._tasks.database.reading() as session:
            newest = _newest(session, [_number_of(one) for one in task.input_files.values()])
        copies: dict[str, Path] = {}
        for number, (name, product) in enumerate(task.input_files.items()):
            row = newest.get(_number_of(product))
            if row is None:
                where = f"{product.directory}/{product.filename}"
                raise NoSuchEntryError("version passed by quality control", where)
            source = self._tasks.file_store_path / row.namespace / row.directory
            target = Path(work.tmp_dir, f"in-{number}", str(product.filename))
            copies[name] = file_store.checked_copy(
                source / row.repository_id, target, row.content_hash, row.size
            )
        found: dict[str, Path | list[Path]] = {}
        for name, parts in (about.get("gathered") or {}).items():
            paths = [copies.pop(part) for part in parts]
            found[name] = paths
            if name in about["last"]:
                if not paths:
                    raise TaskResultError(f"{about['key']}: nothing was made of {name!r}")
                found[name] = paths[-1]
        return {**copies, **found}

    def _number(self, attempt: TaskExecutionAttempt) -> int:
        """Return how often the task was tried with this time; lost workers do not count."""
        table = schema.attempt
        query = select(func.count()).where(
            table.c.task_id == attempt.task_id, table.c.id <= attempt.attempt_id,
            table.c.state != AttemptState.LOST.value,
        )  # fmt: skip
        with self._tasks.database.reading() as session:
            return int(session.scalar(query) or 1)

    def _keep(
        self, attempt: TaskExecutionAttempt, results: Mapping[str, Any],
        outputs: Mapping[str, Path], bad: Mapping[str, Any], reason: str | None,
    ) -> None:  # fmt: skip
        for key in results:
            if len(key) > LONGEST_KEY or key in RESERVED:
                raise TaskResultError(f"{key[:LONGEST_KEY]!r} is no name for a result")
        task = attempt.task_object
        assert task is not None  # noqa: S101  it was described

        def keep() -> None:
            with self._tasks.transaction():
                for name, path in outputs.items():
                    product = task.output_files[name]
                    self._tasks.file_version_register(
                        int(product.product_id or 0), int(attempt.attempt_id or 0), path,
                        passed_qc=False if name in bad else None,
                    )  # fmt: skip
                self._tasks.execution_attempt_update(
                    attempt.attempt_id, error_text=reason, metadata=results
                )

        repeated(keep)

    # -- what stands between tasks --------------------------------------------------------

    def decide(self, attempt: TaskExecutionAttempt, growth: JobGrowth) -> None:
        """Take a decision, and register what follows from it."""
        task, about = described(attempt)
        requested = self._requested(about)
        around = Surroundings(own_metadata(task.metadata), requested, str(about.get("seed", "")))
        taken = decided(about["criterion"], int(about["limit"]), around, str(about["key"]))
        if task.parent_id is None:
            raise TaskSystemError(f"task {task.task_id} is part of no job")
        taken = growth.decide(task.parent_id, int(about["step"]), taken)
        self._tasks.execution_attempt_update(attempt.attempt_id, metadata={"taken": taken})

    def join(self, attempt: TaskExecutionAttempt) -> None:
        """Put together what a group of tasks has told, if somebody wants to know."""
        _, about = described(attempt)
        if TOLD not in about:
            return
        with self._tasks.database.reading() as session:
            found = results_of(session, about[TOLD])
        told = [found[number] for number in about[TOLD]]
        self._tasks.execution_attempt_update(attempt.attempt_id, metadata={TOLD: told})

    def _requested(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the tasks that were asked for have told, by their names."""
        asked = about.get("requires") or {}
        if not asked:
            return {}
        with self._tasks.database.reading() as session:
            found = results_of(session, asked.values())
        groups = about.get("groups") or ()
        return {
            name: found[number][TOLD] if name in groups else found[number]
            for name, number in asked.items()
        }


def described(attempt: TaskExecutionAttempt) -> tuple[Task, dict[str, Any]]:
    """Return the task of an attempt and its description; raise NoSuchEntryError if it has none."""
    task = attempt.task_object
    if task is None or DESCRIPTION not in task.metadata:
        raise NoSuchEntryError("description of task", attempt.task_id, "it is part of no job")
    found: dict[str, Any] = json.loads(task.metadata[DESCRIPTION].value)
    return task, found


def own_metadata(metadata: Mapping[str, MetadataItem]) -> dict[str, Any]:
    """Return the values that were given to a task, without what is ours."""
    return {key: item.value for key, item in metadata.items() if key not in RESERVED}


def results_of(session: Session, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return what tasks have told, with their own metadata, by the numbers of the tasks.

    It is that of the last attempt that was passed.
    """
    table = schema.attempt
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks(dict.fromkeys(numbers)):
        own = read_metadata(session, "task", chunk)
        query = select(table.c.task_id, func.max(table.c.id)).where(
            table.c.task_id.in_(chunk), table.c.state == AttemptState.PASSED.value
        )
        last: dict[int, int] = dict(session.execute(query.group_by(table.c.task_id)).all())
        told = read_metadata(session, "attempt", last.values())
        for number in chunk:
            added = told[last[number]] if number in last else {}
            found[number] = own_metadata({**own[number], **added})
    return found


def _number_of(product: FileProduct) -> int:
    return int(product.product_id or 0)


def _newest(session: Session, products: Iterable[int]) -> dict[int, Any]:
    """Return the newest passed version of each product, with where it is."""
    table, product = schema.version, schema.product
    found: dict[int, Any] = {}
    for chunk in chunks(dict.fromkeys(products)):
        newest = (
            select(func.max(table.c.id))
            .where(table.c.product_id.in_(chunk), table.c.passed_qc.is_(True))
            .group_by(table.c.product_id)
        )
        query = (
            select(
                table.c.product_id, table.c.repository_id, table.c.content_hash, table.c.size,
                product.c.namespace, product.c.directory,
            )
            .join(product, product.c.id == table.c.product_id)
            .where(table.c.id.in_(newest))
        )  # fmt: skip
        found |= {row.product_id: row for row in session.execute(query)}
    return found


def _targets(task: Task, folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for number, (name, product) in enumerate(task.output_files.items()):
        found[name] = folder / f"out-{number}" / str(product.filename)
        found[name].parent.mkdir()
    return found
