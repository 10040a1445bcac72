"""What a handler returns: a status, headers, and a body that may come piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dlg_translator.formats.specs import pieces

JSON, HTML, SVG = "application/json", "text/html; charset=utf-8", "image/svg+xml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to whoever asked."""

    body: bytes | Iterable[bytes] = b""
    kind: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Answer:
    """Return a JSON answer."""
    return Answer(msgspec.json.encode(value, enc_hook=_plain), JSON, status)


def as_document(document: Mapping[str, Any], download: str = "") -> Answer:
    """Return a logical graph."""
    text = json.dumps(document, ensure_ascii=False)
    return Answer(text.encode(), JSON, headers=_attachment(download))


def as_specs(specs: Iterable[Mapping[str, Any]], download: str = "") -> Answer:
    """Return a list of dropspecs, which is made while it is sent."""
    return Answer(pieces(specs), JSON, headers=_attachment(download))


def _attachment(name: str) -> Mapping[str, str]:
    if not name:
        return {}
    safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._-+")) or "graph"
    return {"Content-Disposition": f'attachment; filename="{safe}"'}


def _plain(value: Any) -> Any:
    """Return what JSON can hold instead of a number or array of numpy."""
    try:
        return value.tolist()
    except AttributeError:
        raise NotImplementedError(f"{type(value).__name__} cannot be written as JSON") from None
