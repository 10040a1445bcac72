"""What the answers of managers look like, for the document that describes them.

A table by method and path: routes themselves say what they take, this says what they give.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.http.openapi import Told
from dlg_engine.sessions.states import SessionStates

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
OBJECT: Schema = {"type": "object"}


def refer(name: str) -> Schema:
    """Return a reference to the schema `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def listing(of: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": of}


def mapping(of: Schema) -> Schema:
    """Return the schema of an object with any keys."""
    return {"type": "object", "additionalProperties": of}


def record(*optional: str, **fields: Schema) -> Schema:
    """Return the schema of an object with these fields; all but the `optional` are there."""
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": fields, "required": required}


def _numbers(kind: Any, what: str) -> Schema:
    names = ", ".join(f"{int(one)} {one.name}" for one in kind)
    return {"type": "integer", "enum": [int(one) for one in kind], "description": what + names}


SCHEMAS: Mapping[str, Schema] = {
    "Done": record(Status={"const": "Success"}),
    "SessionState": _numbers(SessionStates, "How a session stands: "),
    "SessionStatus": {
        "description": "A number at a node; above, one for each manager below.",
        "anyOf": [refer("SessionState"), mapping(refer("SessionStatus"))],
    },
    "SessionEntry": record(sessionId=TEXT, status=refer("SessionStatus"), size=WHOLE),
    "DropStatus": record(
        "execStatus",
        status=_numbers(DROPStates, "How a drop stands: "),
        execStatus=_numbers(AppDROPStates, "How an app stands: "),
    ),
    "DropSpec": {"type": "object", "description": "A drop as graphs describe it."},
    "Graph": mapping(refer("DropSpec")),
    "Failure": record(
        "node", "stopped", uid=TEXT, name=TEXT, exception=TEXT, node=TEXT, stopped=WHOLE
    ),
    "RunEvidence": {
        "description": "What is known of a run: nothing unless its graph or who deployed it asks "
        "for a level; signatures, by the names of levels, when it has ended.",
        **record(
            "rmode",
            "mode",
            "meta_data",
            "run",
            "missing",
            rmode=TEXT,
            mode={"const": "strict"},
            meta_data=OBJECT,
            run=OBJECT,
            missing={**mapping(TEXT), "description": "Why nodes have no evidence of it."},
        ),
        "additionalProperties": record(signature={"type": ["string", "null"]}),
    },
    "Evidence": record(graph=refer("Graph"), reprodata=refer("RunEvidence")),
    "SessionSummary": record(
        "nodes",
        status=refer("SessionState"),
        counts=mapping(WHOLE),
        errors=listing(refer("Failure")),
        reason=TEXT,
        nodes=TEXTS,
    ),
    "Drop": record(
        session=TEXT, oid=TEXT, status=WHOLE, error=TEXT, stopped_by=TEXT, logs={"type": "array"}
    ),
}

_S = "/api/sessions/{s}"
_DONE = Told(answer=refer("Done"))
_NONE = Told(answer={"type": "object", "maxProperties": 0})
_GRAPH, _STATUS = Told(answer=refer("Graph")), Told(answer=refer("SessionStatus"))
_STATES = Told(answer=mapping(refer("DropStatus")))
_SESSION = Told(
    answer=record(
        status=refer("SessionStatus"), graph=refer("Graph"), dir={"type": ["string", "object"]}
    )
)
_LISTED = Told(answer=listing(refer("SessionEntry")))
_RELATION = {"type": "array", "prefixItems": [TEXT, WHOLE, TEXT], "minItems": 3, "maxItems": 3}

_PID = Told(answer=record(pid={"type": ["integer", "null"]}))
_NUMBER: Schema = {"type": "number"}
_ISLAND = record(name=TEXT, url=TEXT, alive={"type": "boolean"})
_NODE = record(
    "cpus", "load", "memory_total", "memory_used", "disk_free", "running", "sessions",
    name=TEXT, url=TEXT, island=TEXT, alive={"type": "boolean"}, cpus=WHOLE, load=_NUMBER,
    memory_total=WHOLE, memory_used=WHOLE, disk_free=WHOLE, running=WHOLE, sessions=WHOLE,
    since=_NUMBER,
)  # fmt: skip
_CLUSTER = record(
    "python",
    python=TEXT, level={"enum": ["node", "island", "master"]}, name=TEXT, url=TEXT, version=TEXT,
    islands=listing(_ISLAND), nodes=listing(_NODE),
)  # fmt: skip

TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/health"): Told(answer=record(status={"const": "ok"})),
    ("GET", "/metrics"): Told(answer=TEXT),
    ("GET", "/api/openapi.json"): Told(answer=record(openapi=TEXT, paths=OBJECT)),
    ("GET", "/api/submission_method"): Told(answer=record(methods=TEXTS)),
    ("POST", "/api/stop"): _DONE,
    ("GET", "/api/shutdown"): Told(status=405),
    ("GET", "/api/sessions"): _LISTED,
    ("POST", "/api/sessions"): Told(answer=record(sessionId=TEXT)),
    ("OPTIONS", "/api/sessions"): _NONE,
    ("OPTIONS", f"{_S}/graph/append"): _NONE,
    ("GET", _S): _SESSION,
    ("DELETE", _S): _DONE,
    ("GET", f"{_S}/status"): _STATUS,
    ("POST", f"{_S}/graph/append"): Told(answer=refer("Done"), body=listing(refer("DropSpec"))),
    ("POST", f"{_S}/graph/link"): _DONE,
    ("GET", f"{_S}/graph"): _GRAPH,
    ("GET", f"{_S}/graph/size"): Told(answer=WHOLE),
    ("GET", f"{_S}/graph/status"): _STATES,
    ("GET", f"{_S}/graph/drop/data/{{oid*}}"): Told(answer=record(filepath=TEXT)),
    ("GET", f"{_S}/graph/drop/{{oid*}}"): Told(answer=refer("Drop")),
    ("POST", f"{_S}/deploy"): _DONE,
    ("POST", f"{_S}/cancel"): _DONE,
    ("POST", f"{_S}/trigger"): Told(answer=refer("Done"), body=TEXTS),
    ("POST", f"{_S}/subscriptions"): Told(answer=refer("Done"), body=mapping(listing(_RELATION))),
    ("GET", f"{_S}/dir"): Told(answer=mapping(TEXT)),
    ("GET", f"{_S}/repro/data"): Told(answer=refer("Evidence")),
    ("GET", f"{_S}/repro/status"): Told(answer={"type": "boolean"}),
    ("GET", "/api/v1/sessions/{s}"): Told(answer=refer("SessionSummary")),
    ("POST", "/api/managers/{host}/island"): Told(answer=record(islands=TEXTS)),
    ("POST", "/api/managers/{host}/node/start"): Told(answer=record(pid=WHOLE)),
    ("POST", "/api/managers/{host}/node/stop"): _DONE,
    ("POST", "/api/managers/{host}/node/{node}"): _DONE,
    ("DELETE", "/api/managers/{host}/node/{node}"): _DONE,
    ("GET", "/api/managers/{host}/node"): _PID,
    ("GET", "/api/managers/{host}/island"): _PID,
    ("GET", "/api/managers/{host}/master"): _PID,
    ("GET", "/api/v1/cluster"): Told(answer=_CLUSTER),
    ("GET", "/api/past_sessions"): Told(answer=listing(record(sessionId=TEXT))),
    ("GET", "/api/islands"): Told(answer=record(islands=TEXTS)),
    ("POST", "/api/node/{node}"): _DONE,
    ("DELETE", "/api/node/{node}"): _DONE,
    ("POST", "/api/island/{node}"): _DONE,
    ("DELETE", "/api/island/{node}"): _DONE,
    ("GET", "/api/node/{node}/sessions"): _LISTED,
    ("GET", "/api/node/{node}/sessions/{s}"): _SESSION,
    ("GET", "/api/node/{node}/sessions/{s}/status"): _STATUS,
    ("GET", "/api/node/{node}/sessions/{s}/graph"): _GRAPH,
    ("GET", "/api/node/{node}/sessions/{s}/graph/status"): _STATES,
}

LEVELS: Mapping[str, Mapping[tuple[str, str], Told]] = {
    "node": {
        ("GET", "/api"): Told(
            answer=record(node=TEXT, pid=WHOLE, sessions=listing(refer("SessionEntry")))
        ),
    },
    "island": {
        ("GET", "/api"): Told(answer=record(hosts=TEXTS, sessionIds=TEXTS)),
        ("GET", "/api/nodes"): Told(answer=TEXTS),
    },
    "master": {
        ("GET", "/api"): Told(answer=record(hosts=TEXTS, sessionIds=TEXTS)),
        ("GET", "/api/nodes"): Told(answer=record(nodes=TEXTS)),
    },
}
"""What each level tells in its own way."""
