"""What the answers about a database of tasks look like, for the document that describes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from dlg.http.openapi import Document, Told
from dlg_engine.rest.schemas import OBJECT, TEXT, WHOLE, Schema, listing, mapping, record, refer
from dlg_engine.rest.task_routes import BASE, STATUSES
from dlg_engine.tasks.pages import axes, logs, looking, maps, progress, timeline
from dlg_engine.tasks.pages import listing as lists

TAGS = {
    "tasks": "Jobs and their tasks, with all attempts and products.",
    "progress": "How far tasks are: now, by type, over time, over what they differ in.",
    "logs": "What attempts have said.",
    "files": "What attempts have made.",
    "service": "The service itself.",
}
_WORDS = {
    409: "A file in the store is not what was registered.",
    503: "Too much work is waiting, or the broker of the queues cannot be reached.",
}
_PLAIN: Mapping[Any, Schema] = {
    str: TEXT, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    NoneType: {"type": "null"}, Any: {},
}  # fmt: skip
RECORDS: tuple[type, ...] = (
    lists.Job, lists.JobPage, lists.TaskRow, lists.TaskPage, looking.Attempt, looking.Version,
    looking.Product, looking.Neighbour, looking.TaskDetail, progress.TypeProgress,
    progress.Underway, progress.Now, timeline.Span, timeline.Timeline, maps.Keyword, axes.Axis,
    maps.Cell, maps.VerdictMap, maps.Tile, maps.Tiles, logs.Message, logs.LogPage,
)  # fmt: skip
"""What answers are made of; each has a schema by its name."""


def schema_of(kind: Any) -> Schema:
    """Return the schema of a type: of those above, or made of them."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        return refer(str(getattr(kind, "__name__", kind)))
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Sequence:
        return listing(schema_of(inside[0]))
    if origin is Mapping:
        return mapping(schema_of(inside[1]))
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(one) for one in inside]}
    raise TypeError(f"{kind} has no schema")


def _record(kind: type) -> Schema:
    return record(**{name: schema_of(hint) for name, hint in get_type_hints(kind).items()})


SCHEMAS: Mapping[str, Schema] = {kind.__name__: _record(kind) for kind in RECORDS}
_FLAG, _NUMBER = _PLAIN[bool], _PLAIN[float]
TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/health"): Told(answer=record(status={"const": "ok"})),
    ("GET", "/api/openapi.json"): Told(answer=record(openapi=TEXT, paths=OBJECT)),
    ("GET", f"{BASE}/database"): Told(
        answer=record(database=TEXT, store=TEXT, now=_NUMBER, tasks=mapping(WHOLE))
    ),
    ("GET", f"{BASE}/jobs"): Told(answer=refer("JobPage")),
    ("GET", f"{BASE}/tasks"): Told(answer=refer("TaskPage")),
    ("GET", f"{BASE}/tasks/{{id}}"): Told(answer=refer("TaskDetail")),
    ("POST", f"{BASE}/tasks/{{id}}/retry"): Told(answer=record(Status={"const": "Success"})),
    ("POST", f"{BASE}/retry"): Told(answer=record(tasks=WHOLE)),
    ("GET", f"{BASE}/now"): Told(answer=refer("Now")),
    ("GET", f"{BASE}/progress"): Told(answer=record(types=listing(refer("TypeProgress")))),
    ("GET", f"{BASE}/timeline"): Told(answer=refer("Timeline")),
    ("GET", f"{BASE}/map"): Told(answer=refer("VerdictMap")),
    ("GET", f"{BASE}/map/keywords"): Told(answer=record(keywords=listing(refer("Keyword")))),
    ("GET", f"{BASE}/map/tiles"): Told(answer=refer("Tiles")),
    ("GET", f"{BASE}/logs"): Told(answer=refer("LogPage")),
    ("GET", f"{BASE}/versions/{{id}}/preview"): Told(
        answer=record(
            kind={"enum": ["none", "text", "json", "image", "binary"]}, type=TEXT, text=TEXT,
            base64=TEXT, size=WHOLE, whole=_FLAG, packed=_FLAG,
        )
    ),
}  # fmt: skip


def document(*, secured: bool = False) -> Document:
    """Return what the document says besides the routes."""
    return Document(
        title="dlg database of tasks",
        description="Tasks, attempts, products and messages: see the manual.",
        tags=TAGS,
        statuses=STATUSES,
        words=_WORDS,
        error={"type": TEXT, "args": {"type": "array"}},
        secured=secured,
        told=TOLD,
        schemas=SCHEMAS,
    )
