"""Queues as an administrator writes them down: a TOML file with a table for each.

[queues.long]
cores = 2
memory_mb = 4096
time_limit_min = 600
max_slots_per_user = 8
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg.exceptions import UsageError
from dlg_engine.scheduling.models import ANY, Queue, Slot, Worker

FIELDS: Mapping[str, tuple[type, ...]] = {
    "cores": (int,),
    "memory_mb": (int,),
    "time_limit_min": (int, float),
    "max_slots_per_user": (int,),
}


class QueuesFileError(UsageError):
    """A file of queues holds something that is not one."""


def read_queues(path: Path) -> dict[str, dict[str, Any]]:
    """Return the queues in a file; raise QueuesFileError with what is wrong in it."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise QueuesFileError(f"{path}: {error}") from error
    queues = table.get("queues")
    if set(table) != {"queues"} or not isinstance(queues, dict) or not queues:
        raise QueuesFileError(f"{path}: a table [queues.NAME] for each queue is expected")
    for name, fields in queues.items():
        _check(f"{path}: queues.{name}", fields)
    return queues


def _check(where: str, fields: Any) -> None:
    if not isinstance(fields, dict):
        raise QueuesFileError(f"{where}: a table is expected, not {fields!r}")
    for key, value in fields.items():
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(FIELDS)}"
            raise QueuesFileError(f"{where}: there is no {key!r}; {cure}")
        least = 1 if key == "cores" else 0
        if type(value) not in FIELDS[key] or value < least:
            raise QueuesFileError(f"{where}.{key}: a number from {least} is expected")


def set_queues(session: Session, queues: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the queues, or change those that are there; others stay as they are."""
    for name, fields in queues.items():
        queue = session.scalar(select(Queue).where(Queue.name == name)) or new_queue(session, name)
        for key in FIELDS:
            setattr(queue, key, fields.get(key, 1 if key == "cores" else 0))


def new_queue(session: Session, name: str) -> Queue:
    """Make a queue, which is served by all workers that serve any."""
    queue = Queue(name=name)
    session.add(queue)
    for worker in session.scalars(select(Worker).where(Worker.serves_all)):
        queue.slots.append(Slot(worker_id=worker.id, quantity=ANY))
    return queue
