"""Types of tasks and containers in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.statements import ids_of
from dlg_engine.tasks.task_records import TaskRecords
from dlg_engine.tasks.task_types import Resources, TaskTypeList


class TypeRecords(TaskRecords):
    """Types of tasks, containers and their resources."""

    def task_type_list_to_db(self, task_list: TaskTypeList) -> None:
        """Make types and containers that are new, and set what containers ask for and can run.

        What a container has been assigned stays; a new one is assigned what it asks for.
        """
        with self.transaction() as session:
            _write_containers(session, task_list)
            types = ids_of(session, schema.task_type, task_list.task_type_names())
            table = schema.container
            containers = dict(session.execute(select(table.c.name, table.c.id)).all())
            link = schema.task_container
            for name in task_list.task_type_names():
                session.execute(delete(link).where(link.c.type_id == types[name]))
                for container in task_list.containers_for_task(name):
                    row = {"type_id": types[name], "container_id": containers[container]}
                    session.execute(link.insert().values(row))

    def task_type_list_from_db(self) -> TaskTypeList:
        """Return the types of tasks with the containers that can run them."""
        found = TaskTypeList()
        kind, container, link = schema.task_type, schema.container, schema.task_container
        with self._reading() as session:
            for row in session.execute(select(container).order_by(container.c.id)):
                resources = Resources(row.requested_cpus, row.requested_gpus, row.requested_ram)
                found.worker_containers[row.name] = resources
            for name in session.scalars(select(kind.c.name).order_by(kind.c.id)):
                found.task_list[name] = []
            query = (
                select(kind.c.name, container.c.name)
                .join(link, link.c.type_id == kind.c.id)
                .join(container, container.c.id == link.c.container_id)
                .order_by(container.c.id)
            )
            for name, by in session.execute(query):
                found.task_list[name].append(by)
        return found

    def task_type_list_fetch_id(self, task_type_name: str) -> int:
        """Return the number of a type of tasks; raise NoSuchEntryError if it is not known."""
        with self._reading() as session:
            table = schema.task_type
            found = session.scalar(select(table.c.id).where(table.c.name == task_type_name))
        if found is None:
            raise NoSuchEntryError("type of tasks", task_type_name)
        return int(found)

    def container_set_resource_assignment(
        self, container_name: str, cpu: float, gpu: int, memory_gb: float
    ) -> None:
        """Set what each instance of a container is assigned; memory is in GB."""
        values = {"assigned_cpus": cpu, "assigned_gpus": gpu, "assigned_ram": memory_gb}
        table = schema.container
        with self.transaction() as session:
            _container(session, container_name)
            session.execute(update(table).where(table.c.name == container_name).values(values))

    def container_get_resource_assignment(self, container_name: str) -> dict[str, float]:
        """Return what each instance of a container is assigned: `cpu`, `gpu` and `memory_gb`."""
        with self._reading() as session:
            row = _container(session, container_name)
        return {"cpu": row.assigned_cpus, "gpu": row.assigned_gpus, "memory_gb": row.assigned_ram}


def _container(session: Session, name: str) -> Any:
    query = select(schema.container).where(schema.container.c.name == name)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NoSuchEntryError("container", name)
    return row


def _write_containers(session: Session, task_list: TaskTypeList) -> None:
    table = schema.container
    known = set(session.scalars(select(table.c.name)))
    for name, wants in task_list.worker_containers.items():
        amounts = {"cpus": wants.cpu, "gpus": wants.gpu, "ram": wants.memory_gb}
        asked = {f"requested_{what}": amount for what, amount in amounts.items()}
        if name in known:
            session.execute(update(table).where(table.c.name == name).values(asked))
            continue
        assigned = {f"assigned_{what}": amount for what, amount in amounts.items()}
        session.execute(table.insert().values(name=name, **asked, **assigned))
