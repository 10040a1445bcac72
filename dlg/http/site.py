"""How a service is set up, and what it tells its server about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from dlg.exceptions import UsageError
from dlg.http.errors import STATUS, Describe, Statuses, StatusOf, describe, status_of

MEGABYTE = 1 << 20
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a service is set up by whoever runs it."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any that is free."""
    origins: frozenset[str] = frozenset()
    """Whose pages, besides our own, may use all routes: `https://eagle.example.org`."""
    token: str = field(default="", repr=False)
    """What every request has to show as its bearer; "" for none."""
    open_paths: frozenset[str] = frozenset({"/health"})
    """What is answered without a token; `*` in the end stands for anything."""
    certificate: Path | None = None
    """The file with the chain of certificates; None for no TLS."""
    key: Path | None = None
    """The file with the private key; None if it stands in that of the certificate."""
    most_bytes: int = 256 * MEGABYTE
    """How big a request may be, packed and unpacked."""
    workers: int = 4
    """How many requests are worked on at once."""
    most_waiting: int = 32
    """How many more may wait."""
    most_streams: int = 100
    """How many clients may listen to events at once."""
    keep_alive_s: float = 15.0
    """After how long a silence a stream of events says that it is still there."""
    idle_s: float = 75.0
    """How long a connection may be open without the head of a request."""
    stalled_s: float = 30.0
    """How long nothing of a body may come, or less than a slow line carries."""
    patience_s: float = 60.0
    """How long a client of events may leave one unread before it is cut off."""

    def __post_init__(self) -> None:
        if not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise UsageError("a token is one word of letters, digits and signs")

    @property
    def scheme(self) -> str:
        """What its addresses begin with."""
        return "http" if self.certificate is None else "https"

    def is_open(self, path: str) -> bool:
        """Return whether `path` is answered without a token."""
        if not self.token or path in self.open_paths:
            return True
        starts = (name[:-1] for name in self.open_paths if name.endswith("*"))
        return any(path.startswith(start) for start in starts)


class Asset(Protocol):
    """A file that a page loads."""

    @property
    def content(self) -> bytes:
        """What is in it."""
        ...

    @property
    def kind(self) -> str:
        """Its media type."""
        ...

    @property
    def etag(self) -> str:
        """What changes with the content, in quotes."""
        ...


def no_assets() -> Mapping[str, Asset]:
    """Return no files: for services without a page."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a service tells its server about itself."""

    name: str = "dlg"
    """What its threads are called after."""
    statuses: Statuses = field(default_factory=lambda: STATUS)
    """The status of each error: `{**STATUS, SubManagerException: 555}`."""
    status_of: StatusOf = status_of
    """Which of them one has, where its class alone does not tell."""
    describe: Describe = describe
    """How an error is told, as a JSON object."""
    page: Callable[[Mapping[str, Any]], str] | None = None
    """The page that shows an error to a browser, where a page was asked for."""
    assets: Callable[[], Mapping[str, Asset]] = no_assets
    """The files under `/static/`."""
    directory: str = "GET /api lists all"
    """What is told to those who ask for what is not there."""
    allowing: str = ""
    """How whoever runs it allows another origin: `dlg tm --origin`."""


def read_origin(text: str) -> str:
    """Return an origin as browsers write it; refuse what is none."""
    parts = urlsplit(text.strip().rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
        raise UsageError(f"{text!r} is no origin; one looks like https://eagle.example.org")
    return f"{parts.scheme}://{parts.netloc}".lower()
