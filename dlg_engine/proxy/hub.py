"""The monitor's side of the links: who is let in, and which proxy has which id.

A proxy that comes with an id that is in use takes its place: the one before may have died without
a word. That one is told, and does not come back.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from dlg.exceptions import DaliugeException, RunError, UsageError
from dlg.http.errors import NotFoundError
from dlg.support import clock
from dlg_engine.proxy.frames import (
    GREETING_BYTES,
    Frame,
    Kind,
    LinkError,
    RequestHead,
    head_frame,
    read_head,
)
from dlg_engine.proxy.greeting import (
    VERSION,
    Hello,
    Join,
    RefusedError,
    Welcome,
    check_id,
    is_proof,
    new_nonce,
    proof,
)
from dlg_engine.proxy.link import Exchange, Link, keep_alive, read_frame

logger = logging.getLogger(__name__)

GREETING_S = 10.0
MOST_GREETINGS = 32
"""How many may be at the door at once."""
MOST_PROXIES = 100
REPLACED = "another proxy has come with this id"
LEAVING = "the monitor ends"

T = TypeVar("T", bound=msgspec.Struct)


class AwayError(RunError):
    """A proxy is known, and not connected, or could not hand a request on."""


@dataclass
class Known:
    """A proxy that has been here."""

    id: str
    url: str = ""
    since: float = 0.0
    """When it came, or when it left."""
    address: str = ""
    link: Link | None = None

    def told(self) -> dict[str, object]:
        """Return it as it is listed."""
        return {
            "id": self.id,
            "connected": self.link is not None,
            "since": self.since,
            "address": self.address,
            "url": self.url,
            "requests": len(self.link) if self.link is not None else 0,
        }


@dataclass
class Hub:
    """All proxies of a monitor."""

    key: bytes = field(repr=False)
    publish: Callable[[str], str]
    """Is told the id of a new proxy, returns the address at which it is published."""
    tell: Callable[[str], None]
    """Is told who comes and goes."""
    tls: ssl.SSLContext | None = None
    _known: dict[str, Known] = field(default_factory=dict)
    _greeting: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, listening: socket.socket) -> None:
        """Let proxies come from now on."""
        self._server = await asyncio.start_server(
            self._come, sock=listening, ssl=self.tls,
            ssl_handshake_timeout=GREETING_S if self.tls else None,
        )  # fmt: skip

    async def close(self) -> None:
        """Let nobody come any more, and end all links."""
        if self._server is not None:
            self._server.close()
        for known in self._known.values():
            if known.link is not None:
                known.link.close(LEAVING)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def told(self) -> list[dict[str, object]]:
        """Return all proxies that were ever here, as they are listed."""
        return [self._known[name].told() for name in sorted(self._known)]

    async def open(self, name: str, head: RequestHead) -> Exchange:
        """Begin to ask the manager behind a proxy.

        Raises NotFoundError for an id that nobody has, and AwayError for a proxy that is away.
        """
        known = self._known.get(name)
        if known is None:
            raise NotFoundError(
                f"no proxy with the id {name!r} has come here; GET /api/proxies lists all"
            )
        if known.link is None:
            raise AwayError(
                f"the proxy {name!r} is not connected: look whether  dlg proxy  runs there; it "
                "comes back by itself when it can reach this monitor"
            )
        return await known.link.open(head)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let somebody in, in a task of ours: that of a server complains when it is cancelled."""
        task = asyncio.ensure_future(self._let_in(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._greeting < MOST_GREETINGS:
                await self._admit(reader, writer)
        except (DaliugeException, OSError, EOFError, TimeoutError) as error:
            address = writer.get_extra_info("peername")
            logger.warning(
                "%s was not let in, or broke off: %s", address, str(error) or "too slow",
                extra={"action": "proxy_refused"},
            )  # fmt: skip
        finally:
            writer.close()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._greeting += 1
        try:
            async with asyncio.timeout(GREETING_S):
                known = await self._greet(reader, writer)
        finally:
            self._greeting -= 1
        keep_alive(writer)
        link = Link(reader, writer)
        if known.link is not None:
            known.link.close(REPLACED)
        known.link, known.since = link, clock.now()
        known.address = str((writer.get_extra_info("peername") or ("",))[0])
        self.tell(f"proxy {known.id} has come: {known.url}")
        try:
            await link.run()
        finally:
            if known.link is link:
                known.link, known.since = None, clock.now()
                self.tell(f"proxy {known.id} has gone")

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Known:
        """Return who has come and proved that he may; raise what he is refused for."""
        hello = Hello(VERSION, new_nonce())
        await say(writer, hello)
        join = await hear(reader, Join)
        expected = proof(self.key, "proxy", hello.nonce, join.nonce, join.id)
        try:
            if not is_proof(join.proof, expected):
                raise RefusedError("it has another token")
            known = self._enter(join.id)
        except UsageError as error:
            await say(writer, Welcome(refused=str(error)))
            raise
        mine = proof(self.key, "monitor", hello.nonce, join.nonce, join.id)
        await say(writer, Welcome(proof=mine, url=known.url))
        return known

    def _enter(self, name: str) -> Known:
        """Return what is known of a proxy, from now on; raise UsageError for what cannot be."""
        check_id(name)
        if name not in self._known:
            if len(self._known) >= MOST_PROXIES:
                raise RefusedError(f"there are {MOST_PROXIES} proxies already")
            self._known[name] = Known(name, self.publish(name))
        return self._known[name]


async def say(writer: asyncio.StreamWriter, said: msgspec.Struct) -> None:
    """Send something of the greeting."""
    writer.write(head_frame(Kind.GREET, 0, said).packed())
    await writer.drain()


async def hear(reader: asyncio.StreamReader, form: type[T]) -> T:
    """Return what the other side says in the greeting; raise LinkError for anything else."""
    frame: Frame = await read_frame(reader, GREETING_BYTES)
    if frame.kind is not Kind.GREET:
        raise LinkError("what came is no greeting")
    return read_head(frame.content, form)
