"""The routes of a database of tasks: jobs, tasks, attempts, products, messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from dlg.exceptions import MissingExtraError
from dlg.http.answers import BYTES, EVENTS, Answer, as_events, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.errors import STATUS, BadRequestError, NotFoundError
from dlg.http.routes import Route
from dlg_engine.rest import task_files
from dlg_engine.rest.session_routes import DONE
from dlg_engine.rest.task_service import TaskService
from dlg_engine.tasks.errors import (
    DamagedFileError,
    NoSuchEntryError,
    QueueUnavailableError,
)
from dlg_engine.tasks.pages import listing, logs, looking, maps, progress, timeline
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.states import TaskState

STATUSES = {
    **STATUS,
    NoSuchEntryError: 404,
    NotFoundError: 404,
    DamagedFileError: 409,
    MissingExtraError: 501,
    QueueUnavailableError: 503,
}
BASE = "/api/v1"
Handler = Callable[[TaskService, Asked], Answer]
MOST = (1 << 31) - 1
"""The largest number that an entry may have."""
MOST_LOGS = (1 << 63) - 1
"""The same of messages, of which there are more."""
LIMIT = Param("limit", Kind.WHOLE, "How many at most.", default=100, least=1, most=1000)
SPANS = Param("limit", Kind.WHOLE, "How many at most.", default=1000, least=1, most=5000)
BEFORE = Param("before", Kind.WHOLE, "Only those with lower numbers.", least=0, most=MOST)
OLDER = Param("before", Kind.WHOLE, "Only those with lower numbers.", least=0, most=MOST_LOGS)
AFTER = Param("after", Kind.WHOLE, "Only those with higher numbers.", 0, least=0, most=MOST)
JOB = Param("job", help='Only tasks of jobs of this name; "" for those that belong to none.')
NAMESPACE = Param("namespace", help="Only tasks in this namespace.")
SCOPE = (JOB, NAMESPACE)
TYPE = Param("type", help="Only tasks of this type.")
TASK = Param("id", Kind.WHOLE, "The number of a task.", required=True, least=0, most=MOST)
VERSION = Param("id", Kind.WHOLE, "The number of a version.", required=True, least=0, most=MOST)
WANTED = (
    *SCOPE,
    Param("parent", Kind.WHOLE, "Only those right below this task; 0: below none.", least=0,
          most=MOST),
    Param("state", help=f"Only those in this state: {', '.join(TaskState)}."),
    TYPE,
    Param("text", help="Only those with this in their names, or with this number."),
)  # fmt: skip
SOUGHT = (
    Param("level", Kind.WHOLE, "The lowest level: 10 debug, 20 info, 30 warning, 40 error.",
          default=0, least=0, most=100),
    Param("task", Kind.WHOLE, "Only those of this task.", least=0, most=MOST),
    Param("attempt", Kind.WHOLE, "Only those of this attempt.", least=0, most=MOST),
    Param("text", help="Only those with this in them."),
)  # fmt: skip
BYTES_SHOWN = Param(
    "most", Kind.WHOLE, "How many bytes of what is no picture.", default=16_384, least=1,
    most=1 << 20,
)  # fmt: skip


def scope_of(asked: Asked) -> Scope:
    """Return which tasks are meant."""
    return Scope(asked.values.get("job"), asked.values.get("namespace"))


def checked(do: Handler) -> Handler:
    """Return a handler that refuses a text with a NUL in it: PostgreSQL fails on it."""

    @functools.wraps(do)
    def call(service: TaskService, asked: Asked) -> Answer:
        for name, value in asked.values.items():
            if isinstance(value, str) and "\0" in value:
                raise BadRequestError(f"{name}: a text has no NUL in it")
        return do(service, asked)

    return call


def health(_service: TaskService, _asked: Asked) -> Answer:
    """Tell that the service answers."""
    return as_json({"status": "ok"})


def info(service: TaskService, _asked: Asked) -> Answer:
    """Tell which database it is, and all its tasks by state."""
    return as_json(service.info())


def jobs(service: TaskService, asked: Asked) -> Answer:
    """List jobs, the newest first, with their tasks by state."""
    return as_json(service.read(listing.jobs, asked.whole("limit"), asked.number("before")))


def tasks(service: TaskService, asked: Asked) -> Answer:
    """List tasks, the oldest first: of a job, below a task, or those one looks for."""
    wanted = listing.Wanted(
        scope=scope_of(asked), parent=asked.number("parent"), state=asked.text("state"),
        type=asked.text("type"), text=asked.text("text"),
    )  # fmt: skip
    found = service.read(listing.tasks, wanted, asked.whole("limit"), asked.whole("after"))
    return as_json(found)


def task(service: TaskService, asked: Asked) -> Answer:
    """Tell all of a task: its attempts, products with their versions, what it needs."""
    return as_json(service.read(looking.look, asked.whole("id")))


def retry(service: TaskService, asked: Asked) -> Answer:
    """Give a failed task another attempt, and let those behind it wait again."""
    service.retry(asked.whole("id"))
    return as_json(DONE)


def retry_all(service: TaskService, asked: Asked) -> Answer:
    """Give failed tasks another attempt, those of a job or all: up to 1,000 at once."""
    return as_json({"tasks": service.retry_all(scope_of(asked))})


def now(service: TaskService, asked: Asked) -> Answer:
    """Tell which attempts run, how many wait in queues, and which ended last."""
    return as_json(service.read(progress.now, scope_of(asked), asked.whole("limit")))


def by_type(service: TaskService, asked: Asked) -> Answer:
    """Tell how far the tasks of each type are."""
    return as_json({"types": service.read(progress.by_type, scope_of(asked))})


def spans(service: TaskService, asked: Asked) -> Answer:
    """Tell when attempts ran, worker by worker, the newest first."""
    limit, before = asked.whole("limit"), asked.number("before")
    return as_json(service.read(timeline.timeline, scope_of(asked), limit, before))


def keywords(service: TaskService, asked: Asked) -> Answer:
    """List the metadata that a map can be drawn over."""
    found = service.read(maps.keywords, scope_of(asked), asked.text("type"))
    return as_json({"keywords": found})


def verdict_map(service: TaskService, asked: Asked) -> Answer:
    """Tell who passed and who failed over one or two values of metadata."""
    over = maps.Over(asked.text("x"), asked.text("y"), asked.text("by"))
    found = service.read(maps.verdict_map, scope_of(asked), asked.text("type"), over)
    return as_json(found)


def tiles(service: TaskService, asked: Asked) -> Answer:
    """List tasks in their order with no more than who passed and who failed."""
    limit, after = asked.whole("limit"), asked.whole("after")
    found = service.read(maps.tiles, scope_of(asked), asked.text("type"), limit, after)
    return as_json(found)


def messages(service: TaskService, asked: Asked) -> Answer:
    """List messages of attempts, the newest first."""
    sought = logs.Sought(
        level=asked.whole("level"), task=asked.number("task"), attempt=asked.number("attempt"),
        text=asked.text("text"),
    )  # fmt: skip
    limit, before = asked.whole("limit"), asked.number("before")
    return as_json(service.read(logs.messages, sought, limit, before))


def preview(service: TaskService, asked: Asked) -> Answer:
    """Show the beginning of a version of a product: a picture, JSON, text."""
    found = service.file_of(asked.whole("id"))
    return as_json(task_files.preview(service.store, found, asked.whole("most")))


def download(service: TaskService, asked: Asked) -> Answer:
    """Give the file of a version of a product, to be kept."""
    return task_files.download(service.store, service.file_of(asked.whole("id")))


def events(service: TaskService, _asked: Asked) -> Answer:
    """Tell, as server-sent events, each time that something has changed."""
    return as_events(service.changes.follow())


X = Param("x", help="The metadata from left to right: task:NAME or attempt:NAME.", required=True)
Y = Param("y", help="The metadata from bottom to top.")
BY = Param("by", help="The metadata that says whether a task that is done has found something.")

_ROUTES: tuple[Route[TaskService], ...] = (
    Route("GET", "/health", health, tag="service"),
    Route("GET", f"{BASE}/database", info, tag="service"),
    Route("GET", f"{BASE}/jobs", jobs, (LIMIT, BEFORE), tag="tasks"),
    Route("GET", f"{BASE}/tasks", tasks, (*WANTED, LIMIT, AFTER), tag="tasks"),
    Route("GET", f"{BASE}/tasks/{{id}}", task, (TASK,), tag="tasks"),
    Route("POST", f"{BASE}/tasks/{{id}}/retry", retry, (TASK,), tag="tasks"),
    Route("POST", f"{BASE}/retry", retry_all, SCOPE, tag="tasks"),
    Route("GET", f"{BASE}/now", now, (*SCOPE, LIMIT), tag="progress"),
    Route("GET", f"{BASE}/progress", by_type, SCOPE, tag="progress"),
    Route("GET", f"{BASE}/timeline", spans, (*SCOPE, SPANS, BEFORE), tag="progress"),
    Route("GET", f"{BASE}/map", verdict_map, (*SCOPE, TYPE, X, Y, BY), tag="progress"),
    Route("GET", f"{BASE}/map/keywords", keywords, (*SCOPE, TYPE), tag="progress"),
    Route("GET", f"{BASE}/map/tiles", tiles, (*SCOPE, TYPE, SPANS, AFTER), tag="progress"),
    Route("GET", f"{BASE}/logs", messages, (*SOUGHT, LIMIT, OLDER), tag="logs"),
    Route("GET", f"{BASE}/versions/{{id}}/preview", preview, (VERSION, BYTES_SHOWN), tag="files"),
    Route("GET", f"{BASE}/versions/{{id}}/file", download, (VERSION,), tag="files", kind=BYTES),
    Route("GET", f"{BASE}/events", events, tag="service", kind=EVENTS),
)
ROUTES = tuple(replace(route, do=checked(route.do)) for route in _ROUTES)
"""What is answered about a database of tasks."""
