"""Tasks by the thousand: what they need and make, in one transaction.

Tasks of one batch may name each other by their place in it, so that a whole job is registered at
once, or not at all.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import exc, select
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import EntryExistsError, NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.records import metadata_rows
from dlg_engine.tasks.statements import chunks, ids_of, insert_numbered, insert_rows
from dlg_engine.tasks.states import TaskState

_TASK = (
    "parent_id", "created", "configured", "type_id", "job_name", "task_name",
    "working_directory", "namespace", "state", "missing", "tries", "pause_s",
)  # fmt: skip
_PRODUCT = (
    "task_id", "planned", "namespace", "directory", "filename", "place", "semantic_type_id",
    "mime_type", "passed",
)  # fmt: skip
METADATA_COLUMNS = ("owner_id", "key_id", "set_at", "value", "number")


@dataclass(frozen=True, slots=True)
class Ref:
    """A task of the same batch, by its place in it."""

    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be registered."""

    task_type: str
    job_name: str | None = None
    task_name: str | None = None
    working_directory: str = ""
    namespace: str | None = None
    """Names of products are unique in it; None is that of the parent."""
    parent: int | Ref | None = None
    """A parent in the batch stands before its children."""
    inputs: Mapping[str, int | tuple[Ref, str]] = field(default_factory=dict)
    """By semantic type a product: its number, or that of an output of a task in the batch."""
    input_metadata: Sequence[int | Ref] = ()
    """Tasks whose metadata it wants to see."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """By semantic type the files it will make, from its working directory."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    configured: bool = True
    created: float | None = None
    tries: int = 1
    """How many attempts it may have."""
    pause_s: float = 0.0
    """How long to wait before the second; before each later one twice as long."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is in the database of what the batch names."""

    passed: Mapping[int, bool]
    """Of products."""
    makers: Mapping[int, str]
    """Of products the state of the task that makes it."""
    states: Mapping[int, str]
    """Of tasks."""
    namespaces: Mapping[int, str]
    """Of tasks."""


def register_tasks(session: Session, tasks: Sequence[NewTask]) -> list[int]:
    """Register tasks and return their numbers in the same order.

    Raises NoSuchEntryError for a type of tasks, product or task that is not there,
    EntryExistsError if a file would be made by two tasks.
    """
    _check_places(tasks)
    types = _types(session, tasks)
    known = _known(session, tasks)
    numbers = _insert_tasks(session, tasks, types, known)
    semantics = ids_of(
        session, schema.semantic_type, {s for t in tasks for s in (*t.inputs, *t.outputs)}
    )
    spaces = _namespaces(tasks, known)
    products = _insert_products(session, tasks, numbers, semantics, spaces)
    inputs = [
        (number, semantics[semantic], product if isinstance(product, int) else products[product])
        for number, task in zip(numbers, tasks, strict=True)
        for semantic, product in task.inputs.items()
    ]
    wanted = [
        (number, numbers[other.place] if isinstance(other, Ref) else other)
        for number, task in zip(numbers, tasks, strict=True)
        for other in dict.fromkeys(task.input_metadata)
    ]
    columns = ("task_id", "semantic_type_id", "product_id")
    insert_rows(session, schema.task_input, columns, inputs)
    insert_rows(session, schema.task_metadata_input, ("task_id", "input_id"), wanted)
    owned = [(number, task.metadata) for number, task in zip(numbers, tasks, strict=True)]
    rows = list(metadata_rows(session, owned))
    insert_rows(session, schema.task_metadata, METADATA_COLUMNS, rows)
    return numbers


def _check_places(tasks: Sequence[NewTask]) -> None:
    for place, task in enumerate(tasks):
        refs = [found[0] for found in task.inputs.values() if not isinstance(found, int)]
        refs += [other for other in task.input_metadata if isinstance(other, Ref)]
        for ref in refs:
            if not 0 <= ref.place < len(tasks):
                raise NoSuchEntryError("task in the batch", ref.place)
        if isinstance(task.parent, Ref) and not 0 <= task.parent.place < place:
            raise TaskSystemError(f"task {place} of the batch: its parent must stand before it")
        if task.tries < 1 or task.pause_s < 0:
            raise TaskSystemError(f"task {place}: at least one try, and no negative pause")


def _types(session: Session, tasks: Iterable[NewTask]) -> dict[str, int]:
    query = select(schema.task_type.c.name, schema.task_type.c.id)
    known: dict[str, int] = dict(session.execute(query).all())
    for task in tasks:
        if task.task_type not in known:
            near = difflib.get_close_matches(task.task_type, known, 1)
            cure = f"did you mean {near[0]!r}?" if near else "register the types of tasks first"
            raise NoSuchEntryError("type of tasks", task.task_type, cure)
    return known


def _known(session: Session, tasks: Iterable[NewTask]) -> _Known:
    products: set[int] = set()
    others: set[int] = set()
    for task in tasks:
        products |= {found for found in task.inputs.values() if isinstance(found, int)}
        others |= {other for other in task.input_metadata if isinstance(other, int)}
        others |= {task.parent} if isinstance(task.parent, int) else set()
    passed, makers = _products(session, products)
    states: dict[int, str] = {}
    spaces: dict[int, str] = {}
    table = schema.task
    for chunk in chunks(sorted(others)):
        query = select(table.c.id, table.c.state, table.c.namespace).where(table.c.id.in_(chunk))
        # Who passes a task waits until we are done, and then counts down what we registered.
        for number, state, space in session.execute(query.with_for_update(read=True)):
            states[number], spaces[number] = state, space
    for kind, wanted, found in (("product", products, passed), ("task", others, states)):
        for number in wanted - found.keys():
            raise NoSuchEntryError(kind, number)
    return _Known(passed, makers, states, spaces)


def _products(session: Session, numbers: Iterable[int]) -> tuple[dict[int, bool], dict[int, str]]:
    passed: dict[int, bool] = {}
    makers: dict[int, str] = {}
    table = schema.product
    for chunk in chunks(sorted(numbers)):
        query = select(table.c.id, table.c.passed, table.c.task_id).where(table.c.id.in_(chunk))
        rows = session.execute(query.with_for_update(read=True)).all()
        of = select(schema.task.c.id, schema.task.c.state).where(
            schema.task.c.id.in_({row.task_id for row in rows})
        )
        state = dict(session.execute(of).all())
        for row in rows:
            passed[row.id], makers[row.id] = row.passed, state[row.task_id]
    return passed, makers


def _namespaces(tasks: Sequence[NewTask], known: _Known) -> list[str]:
    found: list[str] = []
    for task in tasks:
        if task.namespace is not None:
            found.append(task.namespace)
        elif isinstance(task.parent, Ref):
            found.append(found[task.parent.place])
        else:
            found.append("" if task.parent is None else known.namespaces[task.parent])
    return found


def _missing(task: NewTask, known: _Known) -> tuple[int, str]:
    """Return how many inputs are not there yet, and the state that follows."""
    count, lost = 0, False
    for product in task.inputs.values():
        if not isinstance(product, int):
            count += 1
        elif not known.passed[product]:
            count += 1
            lost |= known.makers[product] in (TaskState.FAILED, TaskState.BLOCKED)
    for other in dict.fromkeys(task.input_metadata):
        if isinstance(other, Ref):
            count += 1
        elif known.states[other] != TaskState.DONE:
            count += 1
            lost |= known.states[other] in (TaskState.FAILED, TaskState.BLOCKED)
    return count, TaskState.BLOCKED.value if lost else TaskState.WAITING.value


def _insert_tasks(
    session: Session, tasks: Sequence[NewTask], types: Mapping[str, int], known: _Known
) -> list[int]:
    now, numbers = clock.now(), [0] * len(tasks)
    spaces = _namespaces(tasks, known)
    for wave in _waves(tasks):
        rows = []
        for place in wave:
            task, parent = tasks[place], tasks[place].parent
            missing, state = _missing(task, known)
            rows.append((
                numbers[parent.place] if isinstance(parent, Ref) else parent,
                now if task.created is None else task.created,
                task.configured, types[task.task_type], task.job_name, task.task_name,
                task.working_directory, spaces[place], state, missing, task.tries, task.pause_s,
            ))  # fmt: skip
        made = insert_numbered(session, schema.task, _TASK, rows)
        for place, number in zip(wave, made, strict=True):
            numbers[place] = number
    return numbers


def _waves(tasks: Sequence[NewTask]) -> list[list[int]]:
    """Return places such that parents come in an earlier wave than their children."""
    depths: list[int] = []
    waves: list[list[int]] = []
    for place, task in enumerate(tasks):
        depth = depths[task.parent.place] + 1 if isinstance(task.parent, Ref) else 0
        depths.append(depth)
        if depth == len(waves):
            waves.append([])
        waves[depth].append(place)
    return waves


def _insert_products(
    session: Session,
    tasks: Sequence[NewTask],
    numbers: Sequence[int],
    semantics: Mapping[str, int],
    spaces: Sequence[str],
) -> dict[tuple[Ref, str], int]:
    now, keys, rows = clock.now(), [], []
    for place, task in enumerate(tasks):
        for semantic, filename in task.outputs.items():
            keys.append((Ref(place), semantic))
            directory, name = split_path(task.working_directory, filename)
            rows.append((
                numbers[place], now, spaces[place], directory, name,
                place_of(spaces[place], directory, name), semantics[semantic], None, False,
            ))  # fmt: skip
    try:
        made = insert_numbered(session, schema.product, _PRODUCT, rows)
    except exc.IntegrityError as error:
        raise EntryExistsError(
            "two tasks would make the same file, or another job has it already: use a namespace "
            f"for each job, or other names ({error.orig})"
        ) from error
    products = dict(zip(keys, made, strict=True))
    for task in tasks:
        for found in task.inputs.values():
            if not isinstance(found, int) and found not in products:
                raise NoSuchEntryError(f"output of task {found[0].place} of the batch", found[1])
    return products


def split_path(folder: str, filename: str) -> tuple[str, str]:
    """Return directory and name of a file that may be in a directory below a folder."""
    if "/" not in filename:
        return folder, filename
    directory, _, name = str(PurePosixPath(folder, filename)).rpartition("/")
    return directory, name


def place_of(namespace: str, directory: str, filename: str) -> str:
    """Return the key of a place for a file; raise TaskSystemError if it leaves the store."""
    for part, what in ((namespace, "namespace"), (filename, "file name")):
        if "/" in part or "\0" in part or part in (".", ".."):
            raise TaskSystemError(f"{part!r} is no {what}")
    if not filename:
        raise TaskSystemError("a file needs a name")
    path = PurePosixPath(directory)
    if path.is_absolute() or ".." in path.parts or "\0" in directory:
        raise TaskSystemError(f"{directory!r} is no directory inside the store")
    return hashlib.sha256(f"{namespace}\0{path}\0{filename}".encode()).hexdigest()
