"""What the answers to those who watch look like, for the document that describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.graph.drawing import Kind
from dlg.http.openapi import Told
from dlg_engine.rest.schemas import TEXT, TEXTS, WHOLE, Schema, listing, mapping, record, refer
from dlg_engine.sessions.states import SessionStates

FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "number", "description": "Seconds since 1970-01-01 UTC."}
EXEC: Schema = {"type": ["integer", "null"], "description": "Of an app; null for data."}


def or_null(schema: Schema) -> Schema:
    """Return the schema of what may be missing."""
    return {"anyOf": [schema, {"type": "null"}]}


_HEADING: dict[str, Any] = {
    "sessionId": TEXT, "status": refer("SessionState"),
    "state": {"enum": [state.name for state in SessionStates]},
    "drops": WHOLE, "done": WHOLE, "counts": mapping(WHOLE), "reused": WHOLE,
    "reason": TEXT, "nodes": TEXTS,
    "created": TIME, "started": or_null(TIME), "ended": or_null(TIME), "version": WHOLE,
}  # fmt: skip
_LISTED: dict[str, Any] = {
    "row": WHOLE, "oid": TEXT, "name": TEXT, "kind": {"enum": ["data", "app"]}, "category": TEXT,
    "node": TEXT, "status": {"enum": [int(state) for state in DROPStates]}, "execStatus": EXEC,
}  # fmt: skip
_FAILURE = record("elsewhere", uid=TEXT, name=TEXT, node=TEXT, exception=TEXT, stopped=WHOLE,
                  elsewhere=FLAG)  # fmt: skip
_LINE: dict[str, Any] = {
    "time": TIME, "level": TEXT, "module": TEXT, "function": or_null(TEXT), "line": WHOLE,
    "message": TEXT,
}  # fmt: skip

_PLACE: Schema = {"type": "number"}
_GROUP: dict[str, Any] = {
    "id": WHOLE, "name": TEXT, "kind": {"enum": [str(kind) for kind in Kind]}, "category": TEXT,
    "size": WHOLE,
}  # fmt: skip
_VIEW: dict[str, Any] = {
    "by": {"enum": ["groups", "drops"]}, "drops": WHOLE, "groups": listing(record(**_GROUP)),
    "group_of": listing(WHOLE), "labels": TEXTS, "x": listing(_PLACE), "y": listing(_PLACE),
    "rows": {
        "type": "array", "items": {"type": "integer"},
        "description": "The row of each drop that is drawn; of group g it is -1 - g.",
    },
    "edges": {
        "type": "array", "items": listing(WHOLE),
        "description": "Two places in these columns; of groups also how many links there are.",
    },
    "room": listing(_PLACE), "opened": WHOLE, "frame": listing(_PLACE),
}  # fmt: skip

SCHEMAS: Mapping[str, Schema] = {
    "View": record("opened", "frame", **_VIEW),
    "SessionHeading": record(**_HEADING),
    "SessionSummary": record(**_HEADING, errors=listing(_FAILURE)),
    "DropError": record(**{"class": TEXT, "module": TEXT, "message": TEXT, "traceback": TEXT}),
    "ListedDrop": record(**_LISTED),
    "DropDetail": record(
        **_LISTED, uid=TEXT, phase=WHOLE, spec=refer("DropSpec"), stopped_by=TEXT, reused=FLAG,
        error=or_null(refer("DropError")),
        began=or_null(TIME), ended=or_null(TIME), size={"type": ["integer", "null"]},
        dataURL={"type": ["string", "null"]}, links=mapping(TEXTS),
    ),
    "Preview": record(
        kind={"enum": ["text", "json", "image", "binary", "none"]}, type=TEXT, text=TEXT,
        base64=TEXT, size={"type": ["integer", "null"]}, whole=FLAG,
    ),
    "Drop": record(
        session=TEXT, oid=TEXT, status=WHOLE, error=TEXT, stopped_by=TEXT, phase=WHOLE,
        logs=listing({"type": "object"}),
    ),
}  # fmt: skip

_V1 = "/api/v1/sessions"
TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", _V1): Told(
        answer=record(sessions=listing(refer("SessionHeading")), next=or_null(TEXT))
    ),
    ("GET", f"{_V1}/{{s}}/status"): Told(
        answer=record(version=WHOLE, drops=mapping(refer("DropStatus")))
    ),
    ("GET", f"{_V1}/{{s}}/drops"): Told(
        answer=record(total=WHOLE, drops=listing(refer("ListedDrop")), next=or_null(WHOLE))
    ),
    ("GET", f"{_V1}/{{s}}/view"): Told(answer=refer("View")),
    ("GET", f"{_V1}/{{s}}/timeline"): Told(
        answer=record(nodes=TEXTS, spans=listing({"type": "array"}), dropped=WHOLE)
    ),
    ("GET", f"{_V1}/{{s}}/drops/{{oid}}"): Told(answer=refer("DropDetail")),
    ("GET", f"{_V1}/{{s}}/drops/{{oid}}/logs"): Told(answer=record(logs=listing(record(**_LINE)))),
    ("GET", f"{_V1}/{{s}}/drops/{{oid}}/preview"): Told(answer=refer("Preview")),
    ("GET", f"{_V1}/{{s}}/logs"): Told(answer=TEXT),
    ("GET", "/api/sessions/{s}/logs"): Told(answer=TEXT),
}
