"""The routes of a scheduler of experiments: queues, workers and experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.http.answers import EVENTS, Answer, as_events, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.openapi import Document, Told
from dlg.http.routes import Route
from dlg_engine.rest.beat_service import BeatService
from dlg_engine.rest.errors import STATUSES as OF_MANAGERS
from dlg_engine.rest.schemas import OBJECT, TEXT, WHOLE, listing, mapping, record, refer
from dlg_engine.rest.session_routes import DONE, health
from dlg_engine.scheduling.overview import NoExperimentError

STATUSES = {**OF_MANAGERS, NoExperimentError: 404}
TAGS = {
    "experiments": "Experiments, from their submission to their results.",
    "queues": "Where blocks wait for workers.",
    "watching": "What pages and programs follow them by.",
    "manager": "The scheduler itself.",
}
BASE = "/api/v1/beat"
MOST = (1 << 31) - 1
"""The largest number that an experiment may have."""
NUMBER = Param("id", Kind.WHOLE, "The number of an experiment.", required=True, least=0, most=MOST)
LIMIT = Param("limit", Kind.WHOLE, "How many at most.", default=100, least=1, most=1000)
BEFORE = Param("before", Kind.WHOLE, "Only older ones than this.", least=0, most=MOST)
NAME = Param(
    "name", help="The experiment in the prefix: user/user/toolchain/1/label.", required=True
)


def info(service: BeatService, _asked: Asked) -> Answer:
    """Tell where workers connect, and on which prefix it works."""
    return as_json(service.info())


def queues(service: BeatService, _asked: Asked) -> Answer:
    """List the queues, with what waits and runs."""
    return as_json({"queues": service.queues()})


def workers(service: BeatService, _asked: Asked) -> Answer:
    """List the workers, with what they have."""
    return as_json({"workers": service.workers()})


def experiments(service: BeatService, asked: Asked) -> Answer:
    """List experiments, the newest first."""
    return as_json(service.experiments(asked.whole("limit"), asked.number("before")))


def experiment(service: BeatService, asked: Asked) -> Answer:
    """Tell how an experiment stands, block by block."""
    return as_json(service.experiment(asked.whole("id")))


def results(service: BeatService, asked: Asked) -> Answer:
    """Tell what the analyzers of an experiment have found."""
    return as_json({"results": service.results(asked.whole("id"))})


def submit(service: BeatService, asked: Asked) -> Answer:
    """Schedule an experiment of the prefix."""
    return as_json(service.submit(asked.text("name")))


def cancel(service: BeatService, asked: Asked) -> Answer:
    """Cancel an experiment; what others wait for goes on."""
    service.cancel(asked.whole("id"))
    return as_json(DONE)


def schedule(service: BeatService, asked: Asked) -> Answer:
    """Schedule an experiment again that was cancelled, has failed, or is done."""
    service.schedule(asked.whole("id"))
    return as_json(DONE)


def delete(service: BeatService, asked: Asked) -> Answer:
    """Forget an experiment; its results stay in the cache."""
    service.delete(asked.whole("id"))
    return as_json(DONE)


def events(service: BeatService, _asked: Asked) -> Answer:
    """Tell, as server-sent events, each time that something has changed."""
    return as_events(service.changes.follow())


ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/health", health, tag="manager"),
    Route("GET", BASE, info, tag="manager"),
    Route("GET", f"{BASE}/queues", queues, tag="queues"),
    Route("GET", f"{BASE}/workers", workers, tag="queues"),
    Route("GET", f"{BASE}/experiments", experiments, (LIMIT, BEFORE), tag="experiments"),
    Route("POST", f"{BASE}/experiments", submit, (NAME,), tag="experiments"),
    Route("GET", f"{BASE}/experiments/{{id}}", experiment, (NUMBER,), tag="experiments"),
    Route("DELETE", f"{BASE}/experiments/{{id}}", delete, (NUMBER,), tag="experiments"),
    Route("GET", f"{BASE}/experiments/{{id}}/results", results, (NUMBER,), tag="experiments"),
    Route("POST", f"{BASE}/experiments/{{id}}/cancel", cancel, (NUMBER,), tag="experiments"),
    Route("POST", f"{BASE}/experiments/{{id}}/schedule", schedule, (NUMBER,), tag="experiments"),
    Route("GET", f"{BASE}/events", events, tag="watching", kind=EVENTS),
)
"""What a scheduler of experiments answers."""

_NUMBER: Mapping[str, Any] = {"type": "number"}
_FLAG: Mapping[str, Any] = {"type": "boolean"}
_WHEN: Mapping[str, Any] = {"type": ["number", "null"]}
_DONE = Told(answer=record(Status={"const": "Success"}))
_QUEUE = record(
    name=TEXT, cores=WHOLE, memory_mb=WHOLE, time_limit_min=_NUMBER, max_slots_per_user=WHOLE,
    waiting=WHOLE, running=WHOLE, workers=listing(TEXT),
)  # fmt: skip
_WORKER = record(
    name=TEXT, active=_FLAG, beats=_FLAG, cores=WHOLE, cores_used=WHOLE, memory_mb=WHOLE,
    memory_used_mb=WHOLE, running=WHOLE, since=_WHEN, scheduler=TEXT, info=TEXT,
    queues=listing(TEXT),
)  # fmt: skip
_STATES = ["pending", "scheduled", "running", "done", "failed", "cancelling"]
SCHEMAS: Mapping[str, Any] = {
    "Experiment": record(
        "details",
        id=WHOLE, name=TEXT, author=TEXT, status={"enum": _STATES}, failure=TEXT,
        created=_NUMBER, started=_WHEN, ended=_WHEN, blocks=mapping(WHOLE),
        details=listing(OBJECT),
    ),
}  # fmt: skip
_ONE = Told(answer=refer("Experiment"))
_ID = f"{BASE}/experiments/{{id}}"
TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/health"): Told(answer=record(status={"const": "ok"})),
    ("GET", "/api/openapi.json"): Told(answer=record(openapi=TEXT, paths=OBJECT)),
    ("GET", BASE): Told(answer=record(name=TEXT, workers=TEXT, prefix=TEXT)),
    ("GET", f"{BASE}/queues"): Told(answer=record(queues=listing(_QUEUE))),
    ("GET", f"{BASE}/workers"): Told(answer=record(workers=listing(_WORKER))),
    ("GET", f"{BASE}/experiments"): Told(
        answer=record(experiments=listing(refer("Experiment")), next={"type": ["integer", "null"]})
    ),
    ("POST", f"{BASE}/experiments"): _ONE,
    ("GET", _ID): _ONE,
    ("DELETE", _ID): _DONE,
    ("GET", f"{_ID}/results"): Told(answer=record(results=mapping(OBJECT))),
    ("POST", f"{_ID}/cancel"): _DONE,
    ("POST", f"{_ID}/schedule"): _DONE,
}  # fmt: skip


def document(*, secured: bool = False) -> Document:
    """Return what the document says besides the routes."""
    return Document(
        title="dlg scheduler of experiments",
        description="Gives the blocks of experiments to workers: see the manual.",
        tags=TAGS,
        statuses=STATUSES,
        words={},
        error={"type": TEXT, "args": {"type": "array"}},
        secured=secured,
        told=TOLD,
        schemas=SCHEMAS,
    )
