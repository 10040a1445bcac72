"""A request that is handed on to another server, and its answer, both piece by piece.

Nothing is kept: a piece is read when the one before has been taken.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient

from dlg.exceptions import RunError

CONNECT_S = 10.0
BODY_BYTES = 1 << 50
"""How much is passed on is for the servers at both ends to say."""
FIRST_GOOD = 200

Headers = Sequence[tuple[str, str]]


class OnwardError(RunError):
    """The other server cannot be reached, or broke off."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the other server is."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        """Return its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """What it is asked."""

    method: str
    target: str
    headers: Headers = ()
    body: AsyncIterable[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes the answer."""

    head: Callable[[int, Headers], Awaitable[None]]
    piece: Callable[[bytes], Awaitable[None]]


async def hand_on(place: Place, request: Request, taker: Taker) -> None:
    """Ask, and give the answer to `taker` until it is whole; raise OnwardError if it is not."""
    try:
        stream = await TCPClient().connect(
            place.host, place.port, ssl_options=place.tls, timeout=CONNECT_S
        )
    except (OSError, TimeoutError, StreamClosedError) as error:
        raise OnwardError(
            f"nobody answers at {place}: {error}; does the manager run there?"
        ) from error
    parameters = HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=BODY_BYTES)
    connection = HTTP1Connection(stream, True, parameters)
    answer = _Answer(taker)
    sending = asyncio.ensure_future(_send(connection, request))
    reading = asyncio.ensure_future(connection.read_response(answer))
    try:
        await asyncio.wait((answer.ended, reading), return_when=asyncio.FIRST_COMPLETED)
        if not answer.ended.done():
            raise OnwardError(f"{place} broke off")
        answer.ended.result()
    finally:
        connection.close()
        for task in (sending, reading):
            task.cancel()
        await asyncio.gather(sending, reading, return_exceptions=True)


async def _send(connection: HTTP1Connection, request: Request) -> None:
    headers = HTTPHeaders()
    for name, value in request.headers:
        headers.add(name, value)
    start = RequestStartLine(request.method, request.target, "")
    await connection.write_headers(start, headers)
    if request.body is not None:
        async for piece in request.body:
            await connection.write(piece)
    connection.finish()


class _Answer(HTTPMessageDelegate):
    """What tornado tells of an answer, on its way to who takes it."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        if not isinstance(start_line, ResponseStartLine):
            raise HTTPInputError("this is no answer")
        if start_line.code >= FIRST_GOOD:  # others come before the answer
            await self._taker.head(start_line.code, list(headers.get_all()))

    async def data_received(self, chunk: bytes) -> None:
        await self._taker.piece(chunk)

    def finish(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def on_connection_close(self) -> None:
        if not self.ended.done():
            self.ended.set_exception(OnwardError("the manager broke off its answer"))
