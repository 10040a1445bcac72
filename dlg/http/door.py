"""The door of every route: what a request passes on its way to a handler, and an answer back.

Requests are refused here if they come from a page that may not ask, are too big, or use a method
or a type that the route does not take. Handlers run in threads, so the server answers meanwhile;
long answers are written piece by piece, events as they come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tornado.iostream import StreamClosedError

from dlg.exceptions import DaliugeException
from dlg.http.answers import HTML, Answer
from dlg.http.asking import Asked
from dlg.http.bodies import PIECE_BYTES, PLAIN, Body, check_coding, check_size, unpack
from dlg.http.errors import BusyError, MethodError, TooLargeError
from dlg.http.events import KEEP_ALIVE, Event
from dlg.http.handlers import BaseHandler, Shared
from dlg.http.reading import check_media, read_request, text_of
from dlg.http.routes import Route

logger = logging.getLogger(__name__)

_LAST: Any = object()
_ASKING = "Access-Control-Request-Method"
_MAY_SEND = "Authorization, Content-Encoding, Content-Type, Last-Event-ID"


class Door(BaseHandler):
    """Every route but the files of the page."""

    def initialize(self, shared: Shared, routes: Mapping[str, Route[Any]]) -> None:
        """Take what the server shares."""
        self.shared, self.routes = shared, routes
        self._body = Body()
        self._arrived = bytearray()
        self._at_work = False
        self._gone = asyncio.Event()

    def prepare(self) -> None:
        """Refuse what need not be read at all."""
        method = str(self.request.method)
        asked_for = self.request.headers.get(_ASKING, "") if method == "OPTIONS" else ""
        is_get = method == "HEAD" and "HEAD" not in self.routes
        self.route = None if asked_for else self.routes.get("GET" if is_get else method)
        try:
            self.check_host()
            self.check_origin(self.routes.get(asked_for) if asked_for else self.route)
            if not asked_for:  # browsers ask without a token whether they may send one
                self.check_token()
            if self.route is None and method != "OPTIONS":
                raise self._no_such_method()
            self._check_body()
            self.watch_body()
        except DaliugeException as error:
            self.turn_away(error)

    async def data_received(self, chunk: bytes) -> None:
        """Put a piece of the body away, unless there is too much of it."""
        if self.pace is not None:
            self.pace.came(len(chunk))
        if self._finished or self.turned_away is not None:
            return
        self.received += len(chunk)
        try:
            check_size(self.received, self.shared.options.most_bytes)
        except TooLargeError as error:
            self._body.close()
            self.refuse(error)
            return
        self._arrived += chunk
        if len(self._arrived) >= PIECE_BYTES:
            piece, self._arrived = bytes(self._arrived), bytearray()
            await self.shared.workers.write(self._body.add, piece)

    def on_connection_close(self) -> None:
        """Let go of what was sent, and end what is being sent: the client has gone."""
        super().on_connection_close()
        self._gone.set()
        if not self._at_work:
            self._body.close()

    def _check_body(self) -> None:
        headers = self.request.headers
        check_size(self.length, self.shared.options.most_bytes)
        if self.length or "Transfer-Encoding" in headers or "Content-Type" in headers:
            check_coding(self._coding())
            if self.route is not None:
                check_media(self.route, headers.get("Content-Type", ""))

    def _coding(self) -> str:
        return str(self.request.headers.get("Content-Encoding", "")).strip().lower()

    def _no_such_method(self) -> MethodError:
        allowed = sorted(self.routes)
        names = " or ".join(allowed)
        hint = "" if "GET" in allowed else ", as it computes or changes something"
        return MethodError(f"{self.request.path} answers to {names}{hint}", allowed)

    async def get(self, **place: str) -> None:
        """Answer; one for all methods, as the table of routes says what they do."""
        await self._answer(place)

    head = post = put = delete = patch = get

    async def options(self, **place: str) -> None:
        """Answer a browser that asks whether a page of another origin may ask."""
        if self.route is not None or self.turned_away is not None:
            await self._answer(place)
            return
        self.set_header("Access-Control-Allow-Methods", ", ".join(sorted(self.routes)))
        self.set_header("Access-Control-Allow-Headers", _MAY_SEND)
        self.set_status(204)

    async def _answer(self, place: Mapping[str, str]) -> None:
        if self.pace is not None:
            self.pace.end()  # all has come
        if self.turned_away is not None:
            self.refuse(self.turned_away)
        route = self.route
        if self._finished or route is None:
            return
        wants = "text/html" in self.request.headers.get("Accept", "") and route.kind == HTML
        self._at_work = True
        try:
            answer = await self.shared.workers.run(self._work, route, place, wants)
            await self._send(answer)
        except StreamClosedError:
            return  # whoever asked has gone
        except Exception as error:  # noqa: BLE001  the last place that can tell of it
            if self._headers_written:
                self._cut(error)  # too late to say so
            else:
                self.refuse(error, html=wants)
        finally:
            self._body.close()

    def _work(self, route: Route[Any], place: Mapping[str, str], wants: bool) -> Answer:
        asked = replace(
            self._read(route, place),
            html=wants,
            last_event=self.request.headers.get("Last-Event-ID", ""),
            remote=str(self.request.remote_ip),
        )
        return route.do(self.shared.service, asked)

    def _read(self, route: Route[Any], place: Mapping[str, str]) -> Asked:
        """Return what was asked; the body is let go of."""
        self._body.add(bytes(self._arrived))
        self._arrived.clear()
        body = self._body
        try:
            if self._coding() not in PLAIN:
                body = unpack(self._body, self.shared.options.most_bytes)
            query = {n: text_of(v[-1]) for n, v in self.request.query_arguments.items()}
            kind = self.request.headers.get("Content-Type", "")
            return read_request(route, query, place, kind, body)
        finally:
            body.close()
            self._body.close()

    async def _send(self, answer: Answer) -> None:
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.kind)
        self.set_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.set_header(name, value)
        body = answer.body
        if isinstance(body, bytes):
            self.finish(body)
        elif isinstance(body, AsyncIterable):
            await self._stream(body)
        else:
            await self._send_pieces(body)

    async def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        rest: Iterator[bytes] = iter(pieces)
        run = self.shared.workers.run
        try:
            if self.request.method != "HEAD":
                while (piece := await run(next, rest, _LAST)) is not _LAST:
                    self.write(piece)
                    await self.flush()
            self.finish()
        finally:
            close = getattr(rest, "close", None)  # generators hold files open
            if close is not None:
                close()

    async def _stream(self, events: AsyncIterable[Event]) -> None:
        """Send events until they end or the client goes away."""
        shared = self.shared
        try:
            if shared.streams >= shared.options.most_streams:
                raise BusyError("too many clients listen to events: try again in a while")
            if self.request.method != "HEAD":
                await self._send_events(aiter(events))
            self.finish()
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def _send_events(self, events: AsyncIterator[Event]) -> None:
        self.shared.streams += 1
        self.set_header("X-Accel-Buffering", "no")
        gone = asyncio.ensure_future(self._gone.wait())
        upcoming: asyncio.Future[Event | None] | None = None
        try:
            await self._send_now(KEEP_ALIVE)  # so that the client knows it is connected
            while not gone.done():
                upcoming = upcoming or asyncio.ensure_future(_following(events))
                waited: list[asyncio.Future[Any]] = [upcoming, gone]
                await asyncio.wait(
                    waited,
                    timeout=self.shared.options.keep_alive_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if upcoming.done():
                    event, upcoming = upcoming.result(), None
                    if event is None:
                        return
                    await self._send_now(event.encoded())
                elif not gone.done():
                    await self._send_now(KEEP_ALIVE)
        finally:
            self.shared.streams -= 1
            await _give_up(gone, upcoming)

    async def _send_now(self, text: bytes) -> None:
        """Send `text`; a client that reads nothing for long is cut off."""
        self.write(text)
        try:
            async with asyncio.timeout(self.shared.options.patience_s):
                await self.flush()
        except TimeoutError:
            logger.info("a client left its events unread", extra={"action": "events_cut"})
            self.hang_up()
            raise StreamClosedError from None

    def _cut(self, error: BaseException) -> None:
        """Break off an answer that has begun, so that nobody takes it for a whole one."""
        self.log_exception(type(error), error, error.__traceback__)
        self.hang_up()


async def _following(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


async def _give_up(*futures: asyncio.Future[Any] | None) -> None:
    """Cancel what is no longer waited for, and let it end."""
    waited = [future for future in futures if future is not None]
    for future in waited:
        future.cancel()
    await asyncio.gather(*waited, return_exceptions=True)
