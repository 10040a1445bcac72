"""Which tasks somebody means who names a job."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking, with_types
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.job_registering import ROOT_TYPE


@dataclass(frozen=True, slots=True)
class JobChoice:
    """What an option `--job` means: all tasks, those of all jobs of a name, or of one job."""

    job_name: str | None = None
    namespace: str | None = None


def chosen_job(text: str | None, *, database: Database | None = None) -> JobChoice:
    """Return what a number or name means; raise NoSuchEntryError if there is no such job."""
    if text is None:
        return JobChoice()
    task = schema.task
    with looking(database) as session:
        if text.isdecimal():
            query = with_types(select(task.c.job_name, task.c.namespace).select_from(task))
            query = query.where(task.c.id == int(text), schema.task_type.c.name == ROOT_TYPE)
            row = session.execute(query).one_or_none()
            if row is not None:
                return JobChoice(row.job_name, row.namespace)
        named = select(task.c.id).where(task.c.job_name == text).limit(1)
        if session.scalar(named) is not None:
            return JobChoice(text)
    raise NoSuchEntryError("job", text, "`dlg tasks list` lists all")
