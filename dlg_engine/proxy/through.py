"""What clients of a monitor ask, on its way to the manager behind a proxy, and back.

The token that a client shows is the monitor's and ends here; the proxy shows the manager that of
the cluster, which never leaves it. Pages are given to anybody, as by the manager itself: they have
no secrets and ask for the token.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from dlg.exceptions import DaliugeException
from dlg.http.errors import BadRequestError, MethodError
from dlg.http.handlers import HEADERS, BaseHandler, Shared
from dlg.http.routes import METHODS
from dlg_engine import web
from dlg_engine.proxy.frames import AnswerHead, RequestHead
from dlg_engine.proxy.hub import Hub
from dlg_engine.proxy.link import BrokenExchangeError, Exchange

HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade", "expect",
})  # fmt: skip
"""What is meant for the next server only."""
MINE = HOP | {"host", "authorization", "origin", "cookie"}
"""What is not handed on as it came."""
NOT_BACK = HOP | {"set-cookie"}
STATIC = re.compile(r"/static/[A-Za-z0-9_.\-]+")
OPEN = frozenset({"/health"}) | {path for path in web.OPEN_PATHS if not path.endswith("*")}


@dataclass(frozen=True)
class Front:
    """What clients meet at one port: all proxies by their ids, or one of them."""

    hub: Hub
    only: str = ""

    def split(self, uri: str) -> tuple[str, str]:
        """Return which proxy an address is of, and what its manager is asked."""
        return (self.only, uri) if self.only else split_path(uri)


class Through(BaseHandler):
    """Everything that is not the monitor's own."""

    exchange: Exchange | None = None

    def initialize(self, shared: Shared) -> None:
        """Take what the server shares."""
        self.shared = shared

    async def prepare(self) -> None:
        """Begin to ask the manager, unless the request is to be refused."""
        front: Front = self.shared.service
        try:
            self.check_host()
            if self.request.method not in METHODS:
                raise MethodError(f"{self.request.method} is not handed on", METHODS)
            name, target = front.split(self.request.uri or "/")
            trusted = self._is_trusted(target.partition("?")[0])
            self.exchange = await front.hub.open(name, self._head(target, trusted))
            self.watch_body()
        except DaliugeException as error:
            if self._has_body:
                self.turn_away(error)
            else:  # an answer before the end of a request would end the connection
                self.turned_away = error

    @property
    def _has_body(self) -> bool:
        return bool(self.length) or "Transfer-Encoding" in self.request.headers

    def _is_trusted(self, path: str) -> bool:
        """Return whether the token was shown; raise UnauthorizedError where it has to be."""
        if not self.shared.options.token:
            return False
        request = self.request
        asks_first = (
            request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        )
        page = request.method in {"GET", "HEAD"} and (path in OPEN or STATIC.fullmatch(path))
        if asks_first or (page and "Authorization" not in request.headers):
            return False
        self.check_bearer()
        return True

    def _head(self, target: str, trusted: bool) -> RequestHead:
        given = self.request.headers
        headers = [(n, v) for n, v in given.get_all() if n.lower() not in MINE]
        origin = given.get("Origin", "")
        if origin.partition("://")[2] != self.request.host:
            # A page of our own would be one of another host to the manager.
            headers += [("Origin", origin)] if origin else []
        shown = given.get("Authorization", "")
        if shown and not self.shared.options.token:  # then it is for the manager
            headers.append(("Authorization", shown))
        method = str(self.request.method)
        return RequestHead(method, target, headers, trusted, self._has_body)

    async def data_received(self, chunk: bytes) -> None:
        """Hand a piece of the body on, as fast as it is taken there."""
        await super().data_received(chunk)
        if self.exchange is None or self._finished or self.turned_away is not None:
            return
        if self.exchange.answered.done():  # it does not want to hear the rest
            await self._give_back(self.exchange)
            return
        try:
            await self.exchange.send(chunk)
        except BrokenExchangeError as error:
            self.refuse(error)

    async def get(self, *_place: str) -> None:
        """Answer what the manager answers."""
        if self.pace is not None:
            self.pace.end()
        if self.turned_away is not None:
            self.refuse(self.turned_away)
        if self._finished or self.exchange is None:
            return
        try:
            await self.exchange.end()
        except BrokenExchangeError as error:
            self.refuse(error)
            return
        await self._give_back(self.exchange)

    head = post = put = delete = patch = options = get

    async def _give_back(self, exchange: Exchange) -> None:
        try:
            self._begin(await exchange.answered)
            await self.flush()
            async for piece in exchange.body():
                self.write(piece)
                await self.flush()
            self.finish()
        except BrokenExchangeError as error:
            if self._headers_written:
                self.hang_up()  # so that nobody takes it for a whole answer
            elif not self._finished:
                self.refuse(error)
        except (OSError, asyncio.InvalidStateError):
            return  # whoever asked has gone
        finally:
            exchange.close()

    def _begin(self, head: AnswerHead) -> None:
        for name in (*HEADERS, "Content-Type", "Date"):
            self.clear_header(name)
        self.set_status(head.status)
        for name, value in head.headers:
            if name.lower() not in NOT_BACK:
                self.add_header(name, value)

    def on_finish(self) -> None:
        """Let go of the exchange."""
        super().on_finish()
        if self.exchange is not None:
            self.exchange.close()


def split_path(uri: str) -> tuple[str, str]:
    """Return the id of a proxy that an address begins with, and what its manager is asked.

    Raises BadRequestError for an address of nothing.
    """
    path, mark, query = uri.partition("?")
    _, name, *rest = path.split("/", 2)
    if not rest:
        raise BadRequestError(f"write /{name}/ with a slash: addresses in pages begin there")
    return name, "/" + rest[0] + mark + query
