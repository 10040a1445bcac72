"""What all answers have in common: their headers, who may ask, and how an error is told."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, RequestHandler, stream_request_body

from dlg.exceptions import DaliugeException
from dlg.http.answers import HTML, JSON
from dlg.http.errors import (
    INTERNAL,
    BadRequestError,
    ForbiddenError,
    MethodError,
    MisdirectedError,
    NotFoundError,
    SlowError,
    UnauthorizedError,
)
from dlg.http.pace import Pace
from dlg.http.routes import METHODS, Route
from dlg.http.site import LOOPBACK, Options, Site
from dlg.http.traffic import Traffic
from dlg.http.workers import Workers

logger = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DROPPED_BYTES = 1 << 20
"""How big a body may be that is let in only to be dropped."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "dlg",
}


@dataclass(slots=True)
class Shared:
    """What all handlers of a server share."""

    service: Any
    options: Options
    site: Site
    workers: Workers
    streams: int = 0
    """How many clients listen to events."""
    traffic: Traffic = field(default_factory=Traffic)


@stream_request_body
class BaseHandler(RequestHandler):
    """The headers of all answers, who may ask, and how an error is told."""

    shared: Shared
    route: Route[Any] | None = None
    turned_away: DaliugeException | None = None
    """Why the request is refused once its body has been dropped."""
    pace: Pace | None = None
    received = sent = 0
    """Bytes of bodies."""

    def set_default_headers(self) -> None:
        """Set what every answer has."""
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def check_host(self) -> None:
        """Refuse a request that names a host which a server on loopback cannot be.

        A page can change the address of its own name to that of this machine; it would count as
        one of our pages, but its requests still name its own host.
        """
        options = self.shared.options
        name = _host_name(self.request.host)
        known = {urlsplit(origin).hostname for origin in options.origins} | LOOPBACK
        if options.host in LOOPBACK and name not in known:
            raise MisdirectedError(f"this server is not {name!r}; it listens on loopback only")

    def check_origin(self, route: Route[Any] | None) -> None:
        """Let pages of allowed origins read answers; refuse what others may not ask for."""
        origin = self.request.headers.get("Origin")
        self.set_header("Vary", "Origin")
        if origin is None or origin.partition("://")[2] == self.request.host:
            return
        if origin in self.shared.options.origins:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
            return
        harmless = route is not None and (route.method == "GET" or route.from_anywhere)
        if not harmless:
            allowing = self.shared.site.allowing
            how = f"; whoever runs the service can allow it: {allowing} {origin}"
            raise ForbiddenError(f"pages of {origin} may not do this{how if allowing else ''}")

    def check_token(self) -> None:
        """Refuse a request without the token of the service, where it has one."""
        if not self.shared.options.is_open(self.request.path):
            self.check_bearer()

    def check_bearer(self) -> None:
        """Refuse a request that does not show the token, whatever it asks for."""
        kind, _, shown = self.request.headers.get("Authorization", "").strip().partition(" ")
        expected = self.shared.options.token.encode()
        # Headers are Latin-1 here, whatever was meant by them.
        right = hmac.compare_digest(shown.strip().encode("utf-8", "replace"), expected)
        if kind.lower() != "bearer" or not right:
            found = "is not the right one" if shown else "is missing"
            raise UnauthorizedError(f"the token {found}: send it as Authorization: Bearer TOKEN")

    @property
    def length(self) -> int:
        """How many bytes the body is said to have, 0 where nothing is said."""
        size = self.request.headers.get("Content-Length", "")
        return int(size) if size.isdecimal() else 0

    def turn_away(self, error: DaliugeException) -> None:
        """Refuse a request whose body has not been read.

        A small body is dropped before the answer: a client that finds the connection closed while
        it is still sending never looks for an answer.
        """
        if 0 < self.length <= DROPPED_BYTES:
            self.turned_away = error
            self.watch_body()
        else:
            self.refuse(error)

    def watch_body(self) -> None:
        """Refuse the request if its body does not come; does nothing where none is said to."""
        if self.length or "Transfer-Encoding" in self.request.headers:
            self.pace = self.pace or Pace(self.shared.options.stalled_s, self._too_slow)

    def _too_slow(self, error: SlowError) -> None:
        if not self._finished:
            self.refuse(error)

    def on_finish(self) -> None:
        """Look no more whether a body comes."""
        if self.pace is not None:
            self.pace.end()

    def on_connection_close(self) -> None:
        """Do likewise: the client has gone."""
        super().on_connection_close()
        self.on_finish()

    async def data_received(self, chunk: bytes) -> None:
        """Drop a piece of a body: nothing is kept of what nobody asks for."""
        self.received += len(chunk)
        if self.pace is not None:
            self.pace.came(len(chunk))

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Write, and count how much."""
        self.sent += len(chunk)
        super().write(chunk)

    def hang_up(self) -> None:
        """End the connection as it is, so that nobody takes what was sent for a whole answer."""
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.close()

    def refuse(self, error: BaseException, *, html: bool = False) -> None:
        """Answer with an error."""
        site = self.shared.site
        status = site.status_of(error, site.statuses)
        if status == INTERNAL:
            logger.error(
                "%s %s failed", self.request.method, self.request.path, exc_info=error,
                extra={"action": "request_failed"},
            )  # fmt: skip
        if isinstance(error, MethodError):
            self.set_header("Allow", ", ".join(error.allowed))
        if isinstance(error, UnauthorizedError):
            self.set_header("WWW-Authenticate", f'Bearer realm="{site.name}"')
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        told = site.describe(error, status)
        if html and site.page is not None:
            self.set_header("Content-Type", HTML)
            self.finish(site.page(told))
        else:
            self.set_header("Content-Type", JSON)
            self.finish(json.dumps(told))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error that tornado found, in the same form as ours."""
        found = kwargs.get("exc_info")
        if found is not None and isinstance(found[1], DaliugeException):
            self.refuse(found[1])
            return
        self.set_header("Content-Type", JSON)
        error = BadRequestError(self._reason)
        self.finish(json.dumps(self.shared.site.describe(error, status_code)))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Write down what nobody expected; without the query, where secrets may stand."""
        if isinstance(value, HTTPError) or typ is None or value is None:
            return  # the log of requests has it
        logger.error(
            "%s %s broke off", self.request.method, self.request.path,
            exc_info=(typ, value, tb), extra={"action": "request_failed"},
        )  # fmt: skip


class Static(BaseHandler):
    """The files of the page."""

    def initialize(self, shared: Shared) -> None:
        """Take what the server shares."""
        self.shared = shared

    def get(self, name: str) -> None:
        """Answer with the file `name`."""
        try:
            self.check_token()
            asset = self.shared.site.assets().get(name)
            if asset is None:
                raise NotFoundError(f"there is no file {name!r}")
        except DaliugeException as error:
            self.refuse(error)
            return
        self.set_header("Content-Type", asset.kind)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Etag", asset.etag)
        self.write(asset.content)

    head = get


class Nowhere(BaseHandler):
    """All other addresses."""

    def initialize(self, shared: Shared) -> None:
        """Take what the server shares."""
        self.shared = shared

    def prepare(self) -> None:
        """Answer that there is nothing."""
        try:
            self.check_token()
            directory = self.shared.site.directory
            raise NotFoundError(f"there is nothing at {self.request.path}; {directory}")
        except DaliugeException as error:
            self.turn_away(error)

    def get(self) -> None:
        """Answer, once the body is dropped."""
        if self.turned_away is not None:
            self.refuse(self.turned_away)

    head = post = put = delete = options = patch = get


def log_request(handler: RequestHandler) -> None:
    """Write down that a request was answered: what, how and in which time; never its secrets.

    The query is left out, as are all headers and bodies.
    """
    request, status = handler.request, handler.get_status()
    spent_ms = 1000.0 * request.request_time()
    route = getattr(handler, "route", None)
    if isinstance(handler, BaseHandler):
        path = route.path if isinstance(route, Route) else ""
        method = str(request.method) if request.method in METHODS else "other"
        handler.shared.traffic.count(
            (method, path, status), request.request_time(),
            received=handler.received, sent=handler.sent,
        )  # fmt: skip
    facts: Mapping[str, object] = {
        "action": "request",
        "route": route.do.__name__ if isinstance(route, Route) else "",
        "method": request.method,
        "path": request.path,
        "status": status,
        "duration_ms": spent_ms,
        "remote": request.remote_ip,
    }
    level = logging.INFO if status < 400 else logging.WARNING  # noqa: PLR2004  what HTTP says
    shown = "".join(c if c.isprintable() else "?" for c in request.path)
    logger.log(
        level if status < INTERNAL else logging.ERROR, "%d %s %s (%s) %.1f ms",
        status, request.method, shown, request.remote_ip, spent_ms, extra=facts,
    )  # fmt: skip


def _host_name(host: str) -> str:
    """Return the name in a `Host` header, "" for one that is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
