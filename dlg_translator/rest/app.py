"""The server: what every request passes on its way to a handler, and every answer on its way out.

Requests are read here, and refused if they come from a page that may not ask, are too big, or use
a method the route does not answer to. Handlers run in threads, so the server answers meanwhile;
long answers are written piece by piece.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPFile, parse_body_arguments
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body

from dlg.exceptions import DaliugeException
from dlg_translator import web
from dlg_translator.rest.answers import HTML, JSON, Answer
from dlg_translator.rest.asking import Asked, read_values
from dlg_translator.rest.errors import (
    INTERNAL,
    BadRequestError,
    BusyError,
    ForbiddenError,
    MethodError,
    MisdirectedError,
    NotFoundError,
    TooLargeError,
    describe,
    status_of,
)
from dlg_translator.rest.routes import Route, by_path
from dlg_translator.rest.service import Options, Service, make_service

logger = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "dlg",
}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHUT = re.compile(r"\{(\w+)\}")
_LAST = object()


class Workers:
    """The threads that handlers run in; refuses work when too much is waiting."""

    def __init__(self, workers: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="dlg-tm")
        self._most = workers + most_waiting
        self._busy = 0

    async def run(self, work: Any, *arguments: Any) -> Any:
        """Return what `work` returns in a thread; raise `BusyError` if too much is waiting."""
        if self._busy >= self._most:
            raise BusyError("too much work is waiting: try again in a while")
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._busy -= 1

    def close(self) -> None:
        """Let go of the threads; those at work end when they are done."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class BaseHandler(RequestHandler):
    """The headers of all answers, and how an error is told."""

    service: Service
    workers: Workers

    def set_default_headers(self) -> None:
        """Set what every answer has."""
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def check_host(self) -> None:
        """Refuse a request that names a host which a server on loopback cannot be.

        A page can change the address of its own name to that of this machine; it would count as
        one of our pages, but its requests still name its own host.
        """
        options = self.service.options
        name = _host_name(self.request.host)
        known = {urlsplit(origin).hostname for origin in options.origins} | LOOPBACK
        if options.host in LOOPBACK and name not in known:
            raise MisdirectedError(f"this server is not {name!r}; it listens on loopback only")

    def check_origin(self, route: Route | None) -> None:
        """Let pages of allowed origins read answers; refuse what others may not ask for."""
        origin = self.request.headers.get("Origin")
        self.set_header("Vary", "Origin")
        if origin is None or origin.partition("://")[2] == self.request.host:
            return
        if origin in self.service.options.origins:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
            return
        harmless = route is not None and (route.method == "GET" or route.from_anywhere)
        if not harmless:
            raise ForbiddenError(
                f"pages of {origin} may not do this; whoever runs the service can allow it: "
                f"dlg tm --origin {origin}"
            )

    def refuse(self, error: BaseException, *, html: bool = False) -> None:
        """Answer with an error."""
        status = status_of(error)
        if status == INTERNAL:
            logger.error("%s %s failed", self.request.method, self.request.path, exc_info=error)
        if isinstance(error, MethodError):
            self.set_header("Allow", ", ".join(error.allowed))
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        if html:
            self.set_header("Content-Type", HTML)
            self.finish(web.page(describe(error)))
        else:
            self.set_header("Content-Type", JSON)
            self.finish(json.dumps(describe(error)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error that tornado found, in the same form as ours."""
        found = kwargs.get("exc_info")
        if found is not None and isinstance(found[1], DaliugeException):
            self.refuse(found[1])
            return
        self.set_header("Content-Type", JSON)
        self.finish(json.dumps({"error": self._reason, "problems": []}))


@stream_request_body
class Door(BaseHandler):
    """Every route but the files of the page."""

    def initialize(self, service: Service, workers: Workers, routes: Mapping[str, Route]) -> None:
        """Take what the server shares."""
        self.service, self.workers, self.routes = service, workers, routes
        self._pieces: list[bytes] = []
        self._size = 0

    def prepare(self) -> None:
        """Refuse what need not be read at all."""
        method = "GET" if self.request.method == "HEAD" else str(self.request.method)
        self.route = self.routes.get(method)
        asked_for = self.request.headers.get("Access-Control-Request-Method", "")
        try:
            self.check_host()
            self.check_origin(self.routes.get(asked_for) if method == "OPTIONS" else self.route)
            if self.route is None and method != "OPTIONS":
                raise self._no_such_method()
            size = self.request.headers.get("Content-Length", "")
            self._check_size(int(size) if size.isdecimal() else 0)
        except DaliugeException as error:
            self.refuse(error)

    def data_received(self, chunk: bytes) -> None:
        """Collect the body, unless there is too much of it."""
        if self._finished:
            return
        self._size += len(chunk)
        try:
            self._check_size(self._size)
        except TooLargeError as error:
            self._pieces.clear()
            self.refuse(error)
            return
        self._pieces.append(chunk)

    def _check_size(self, size: int) -> None:
        most = self.service.options.most_bytes
        if size > most:
            raise TooLargeError(f"the request has more than {most:,} bytes")

    def _no_such_method(self) -> MethodError:
        allowed = sorted(self.routes)
        names = " or ".join(allowed)
        hint = "" if "GET" in allowed else ", as it computes or changes something"
        return MethodError(f"{self.request.path} answers to {names}{hint}", allowed)

    async def get(self, **place: str) -> None:
        """Answer."""
        await self._answer(place)

    async def post(self, **place: str) -> None:
        """Answer."""
        await self._answer(place)

    async def head(self, **place: str) -> None:
        """Answer as to GET; tornado leaves the body out."""
        await self._answer(place)

    async def options(self, **_: str) -> None:
        """Answer a browser that asks whether a page of another origin may ask."""
        self.set_header("Access-Control-Allow-Methods", ", ".join(sorted(self.routes)))
        self.set_header("Access-Control-Allow-Headers", "Content-Type")
        self.set_status(204)

    async def _answer(self, place: Mapping[str, str]) -> None:
        route = self.route
        if self._finished or route is None:
            return
        wants = "text/html" in self.request.headers.get("Accept", "") and route.kind == HTML
        try:
            answer = await self.workers.run(self._work, route, place, wants)
            await self._send(answer)
        except StreamClosedError:
            return  # whoever asked has gone
        except Exception as error:  # the last place that can tell of it
            if self._headers_written:
                raise  # too late to say so: the connection is cut
            self.refuse(error, html=wants)

    def _work(self, route: Route, place: Mapping[str, str], wants: bool) -> Answer:
        body, self._pieces = b"".join(self._pieces), []
        given = {
            **self._in_query(),
            **_in_body(self.request.headers.get("Content-Type", ""), body),
        }
        values, others = read_values(route.params, {**given, **place}, more=route.more)
        return route.do(self.service, Asked(values, others, wants))

    def _in_query(self) -> dict[str, str]:
        return {name: _text(values[-1]) for name, values in self.request.query_arguments.items()}

    async def _send(self, answer: Answer) -> None:
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.kind)
        self.set_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if isinstance(answer.body, bytes):
            self.finish(answer.body)
            return
        rest: Iterator[bytes] = iter(answer.body)
        while (piece := await self.workers.run(next, rest, _LAST)) is not _LAST:
            self.write(piece)
            await self.flush()
        self.finish()


class Static(BaseHandler):
    """The files of the page."""

    def initialize(self, service: Service) -> None:
        """Take what the server shares."""
        self.service = service

    def get(self, name: str) -> None:
        """Answer with the file `name`."""
        asset = web.assets().get(name)
        if asset is None:
            self.refuse(NotFoundError(f"there is no file {name!r}"))
            return
        self.set_header("Content-Type", asset.kind)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Etag", asset.etag)
        self.write(asset.content)

    head = get


class Nowhere(BaseHandler):
    """All other addresses."""

    def initialize(self, service: Service) -> None:
        """Take what the server shares."""
        self.service = service

    def prepare(self) -> None:
        """Answer that there is nothing."""
        self.refuse(NotFoundError(f"there is nothing at {self.request.path}; GET /api lists all"))


def make_app(options: Options) -> Application:
    """Return the server of the translator."""
    service = make_service(options)
    workers = Workers(options.workers, options.most_waiting)
    handlers: list[Any] = [
        (pattern(path), Door, {"service": service, "workers": workers, "routes": routes})
        for path, routes in by_path().items()
    ]
    handlers.append((r"/static/([a-z_]+\.[a-z]+)", Static, {"service": service}))
    return Application(
        handlers,
        default_handler_class=Nowhere,
        default_handler_args={"service": service},
        dlg_workers=workers,
    )


def _host_name(host: str) -> str:
    """Return the name in a `Host` header, "" for one that is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def pattern(path: str) -> str:
    """Return the expression that addresses of a route match."""
    return _SHUT.sub(r"(?P<\1>[A-Za-z0-9_.\-]{1,80})", path.replace(".", r"\."))


def _in_body(kind: str, body: bytes) -> dict[str, Any]:
    """Return what stands in a form or a JSON object; raise `BadRequestError` for anything else."""
    if not body:
        return {}
    name = kind.partition(";")[0].strip().lower()
    if name == JSON:
        return _in_json(body)
    if name not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise BadRequestError(f"a form or JSON is expected, not {name or 'a body of no kind'}")
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_body_arguments(kind, body, arguments, files)
    except Exception as error:
        raise BadRequestError(f"the form cannot be read: {error}") from error
    found = {field: _text(values[-1]) for field, values in arguments.items()}
    return {**found, **{field: _text(sent[-1].body) for field, sent in files.items()}}


def _in_json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadRequestError("the body has to be a JSON object")
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequestError("the form is not in UTF-8") from error
