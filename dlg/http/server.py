"""A server of a table of routes: its socket, its TLS, its beginning and its end."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tornado.httpserver import HTTPServer
from tornado.web import Application

from dlg.exceptions import UsageError
from dlg.http.door import Door
from dlg.http.handlers import BaseHandler, Nowhere, Shared, Static, log_request
from dlg.http.routes import Route, by_path, pattern, precedence
from dlg.http.site import Options, Site
from dlg.http.traffic import Traffic
from dlg.http.workers import Workers

S = TypeVar("S")
BODY_BYTES = 1 << 50
"""What tornado itself may read: the limit is ours, which answers instead of hanging up."""
PATIENCE_S = 20.0


class Server:
    """A service that listens from the beginning, and answers from `start` on.

    Raises `UsageError` if the port is taken or a certificate cannot be used.
    """

    def __init__(
        self,
        service: S,
        routes: Sequence[Route[S]],
        options: Options,
        site: Site | None = None,
        more: Sequence[tuple[str, type[BaseHandler]]] = (),
    ) -> None:
        """`more` are handlers of a service's own, behind the routes: expressions of paths first.

        They are given what all handlers share, and whatever their expression names.
        """
        self.options = options
        context = tls_context(options.certificate, options.key) if options.certificate else None
        self._listening = listen(options.host, options.port)
        self.port: int = self._listening.getsockname()[1]
        site = site or Site()
        workers = Workers(options.workers, options.most_waiting, site.name)
        self._workers = workers
        self.traffic = Traffic()
        shared = Shared(service, options, site, workers, traffic=self.traffic)
        self._app = make_app(routes, shared, more)
        self._context = context
        self._server: HTTPServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it is, without a slash in the end."""
        host = self.options.host
        shown = f"[{host}]" if ":" in host else host
        return f"{self.options.scheme}://{shown}:{self.port}"

    async def start(self) -> None:
        """Answer from now on, in the loop that runs this."""
        self._loop = asyncio.get_running_loop()
        self._server = HTTPServer(
            self._app, max_body_size=BODY_BYTES, ssl_options=self._context,
            idle_connection_timeout=self.options.idle_s,
        )  # fmt: skip
        self._server.add_socket(self._listening)

    def end(self) -> None:
        """Let `wait` return; any thread may call this, also a handler."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def wait(self) -> None:
        """Return when the server has been told to end."""
        await self._ended.wait()

    async def close(self) -> None:
        """Stop listening, cut all connections, let go of the threads."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
        self._listening.close()
        self._workers.close()


def make_app(
    routes: Sequence[Route[Any]],
    shared: Shared,
    more: Sequence[tuple[str, type[BaseHandler]]] = (),
) -> Application:
    """Return the application that answers to `routes`, and else by the handlers in `more`."""
    table = by_path(routes)
    handlers: list[Any] = [
        (pattern(path), Door, {"shared": shared, "routes": table[path]})
        for path in sorted(table, key=precedence)
    ]
    handlers += [(expression, handler, {"shared": shared}) for expression, handler in more]
    handlers.append((r"/static/([A-Za-z0-9_.\-]+)", Static, {"shared": shared}))
    return Application(
        handlers,
        default_handler_class=Nowhere,
        default_handler_args={"shared": shared},
        log_function=log_request,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise `UsageError` where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on {host}:{port}: {reason}") from error
    listening.setblocking(False)
    return listening


def tls_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return what makes a server speak TLS; raise `UsageError` for files that do not fit."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password: a key that needs one would else be asked for on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        files = f"{certificate} and {key}" if key else str(certificate)
        raise UsageError(f"{files} cannot be used for TLS: {error}") from error
    return context


async def serve(
    server: Server, announce: Callable[[], None], leave: Callable[[], None] | None = None
) -> None:
    """Serve until the process or the server is told to end; `announce` is called when it is up.

    `leave` is called when the process is told to end, and has to see to it that the server does.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, leave or server.end)
    try:
        await server.start()
        announce()
        await server.wait()
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
        await server.close()


@contextmanager
def in_thread(server: Server) -> Iterator[Server]:
    """Serve in a thread of its own while the context is open."""
    up = threading.Event()

    async def run() -> None:
        await server.start()
        up.set()
        try:
            await server.wait()
        finally:
            await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="dlg-http")
    thread.start()
    try:
        if not up.wait(PATIENCE_S):
            raise TimeoutError("the server has not come up")
        yield server
    finally:
        server.end()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            raise TimeoutError("the server has not ended")
