"""What a handler returns: a status, headers, and a body that may come piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from dlg.http.errors import NotFoundError
from dlg.http.events import Event

JSON, HTML, SVG = "application/json", "text/html; charset=utf-8", "image/svg+xml"
TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
EVENTS = "text/event-stream"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to whoever asked.

    Pieces are made in a thread, one after the other, as the client takes them. Events are waited
    for in the event loop, until they end or the client goes away.
    """

    body: bytes | Iterable[bytes] | AsyncIterable[Event] = b""
    kind: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Answer:
    """Return a JSON answer."""
    return Answer(msgspec.json.encode(value, enc_hook=_plain), JSON, status)


def as_text(text: str, status: int = 200) -> Answer:
    """Return a text."""
    return Answer(text.encode(), TEXT, status)


def as_pieces(pieces: Iterable[bytes], kind: str = JSON, download: str = "") -> Answer:
    """Return what is made while it is sent; `download` is the name of the file it becomes."""
    return Answer(pieces, kind, headers=attachment(download))


def as_file(path: Path, kind: str = BYTES, download: str = "") -> Answer:
    """Return a file as it is now; raise `NotFoundError` if it cannot be read."""
    try:
        opened = path.open("rb")
    except OSError as error:
        raise NotFoundError(f"{path.name} cannot be read: {error.strerror}") from error
    return Answer(_pieces(opened), kind, headers=attachment(download))


def as_events(events: AsyncIterable[Event]) -> Answer:
    """Return events for as long as there are some and the client listens.

    `events` is an `EventQueue`, which any thread may fill, or an asynchronous generator, which is
    closed in the end.
    """
    return Answer(events, EVENTS)


def attachment(name: str) -> Mapping[str, str]:
    """Return the headers that make a browser keep an answer as a file; none for no name."""
    if not name:
        return {}
    safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._-+")) or "graph"
    return {"Content-Disposition": f'attachment; filename="{safe}"'}


def _pieces(opened: IO[bytes]) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece


def _plain(value: Any) -> Any:
    """Return what JSON can hold instead of a number or array of numpy."""
    try:
        return value.tolist()
    except AttributeError:
        raise NotImplementedError(f"{type(value).__name__} cannot be written as JSON") from None
