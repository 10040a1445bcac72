"""The proxy's side: it goes out to the monitor, and hands what comes from there to its manager."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from dlg.exceptions import RunError
from dlg.http.onward import Headers, OnwardError, Place, Request, Taker, hand_on
from dlg_engine.proxy.frames import AnswerHead, LinkError
from dlg_engine.proxy.greeting import (
    VERSION,
    Hello,
    Join,
    RefusedError,
    Welcome,
    is_proof,
    link_key,
    new_nonce,
    proof,
)
from dlg_engine.proxy.hub import GREETING_S, LEAVING, REPLACED, hear, say
from dlg_engine.proxy.link import BrokenExchangeError, Exchange, Link, keep_alive

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
SETTLED_S = 30.0
"""A connection that lasted so long was a good one: the next pause is a short one again."""

SILENCE = "nothing came back in time; is it the port for proxies, and does it speak TLS?"


class ReplacedError(RunError):
    """Another proxy has come to the monitor with the same id."""


@dataclass(frozen=True, kw_only=True)
class ProxyOptions:
    """How a proxy is run."""

    id: str
    monitor: Place
    token: str = field(default="", repr=False)
    """What the monitor and this proxy both know."""
    manager: Place
    manager_token: str = field(default="", repr=False)
    """What the manager is shown, for clients that have shown the monitor its token."""


def run_proxy(options: ProxyOptions, announce: Callable[[str], None]) -> None:
    """Run a proxy until it is told to end, or cannot go on."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            if task is not None:
                loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await Agent(options, announce).run()

    asyncio.run(run())


class Agent:
    """A proxy: one link at a time, and the requests that come over it."""

    def __init__(self, options: ProxyOptions, announce: Callable[[str], None]) -> None:
        """`announce` is told, at each connection, where the manager is found now."""
        self._options, self._announce = options, announce
        self._key = link_key(options.token)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Be connected, again and again; raise what cannot be mended by trying again."""
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        while True:
            begun = loop.time()
            try:
                await self._connected()
            except ssl.SSLCertVerificationError as error:
                raise RefusedError(
                    f"what answers at {self._options.monitor} has another certificate than "
                    "the one that is trusted here: is the same file at both ends?"
                ) from error
            except (OSError, EOFError, TimeoutError, LinkError) as error:
                place = self._options.monitor
                logger.warning(
                    "no connection to the monitor at %s:%d: %s; trying again within %.0f s",
                    place.host, place.port, str(error) or SILENCE, pause_s,
                    extra={"action": "link_lost"},
                )  # fmt: skip
            if loop.time() - begun > SETTLED_S:
                pause_s = FIRST_PAUSE_S
            # Not all at once, where many proxies have lost the same monitor.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  no secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _connected(self) -> None:
        """Connect, and serve until that has ended."""
        place = self._options.monitor
        async with asyncio.timeout(GREETING_S):
            reader, writer = await asyncio.open_connection(
                place.host, place.port, ssl=place.tls,
                server_hostname=place.host if place.tls else None,
            )  # fmt: skip
        try:
            async with asyncio.timeout(GREETING_S):
                url = await self._greet(reader, writer)
            keep_alive(writer)
            self._announce(url)
            link = Link(reader, writer, self._begin)
            await link.run()
            if link.goodbye == REPLACED:
                raise ReplacedError(
                    f"{REPLACED}, {self._options.id!r}: give one of them another by --id"
                )
            logger.info("the link ended: %s", link.goodbye or LEAVING)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Return where the monitor serves this proxy; raise RefusedError if it does not."""
        hello = await hear(reader, Hello)
        if hello.monitor != VERSION:
            raise RefusedError(
                f"the monitor speaks version {hello.monitor}, this proxy {VERSION}: install the "
                "same release at both ends"
            )
        name, mine = self._options.id, new_nonce()
        shown = proof(self._key, "proxy", hello.nonce, mine, name)
        await say(writer, Join(name, mine, shown))
        welcome = await hear(reader, Welcome)
        if welcome.refused:
            raise RefusedError(f"the monitor does not take this proxy: {welcome.refused}")
        expected = proof(self._key, "monitor", hello.nonce, mine, name)
        if not is_proof(welcome.proof, expected):
            raise RefusedError("what answers does not know the token: it is not our monitor")
        return welcome.url

    def _begin(self, exchange: Exchange) -> None:
        task = asyncio.ensure_future(self._hand_on(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.on_broken = task.cancel

    async def _hand_on(self, exchange: Exchange) -> None:
        async def begin(status: int, headers: Headers) -> None:
            await exchange.answer(AnswerHead(status, list(headers)))

        head = exchange.head
        body = exchange.body() if head.has_body else None
        request = Request(head.method, head.target, self._headers(exchange), body)
        try:
            await hand_on(self._options.manager, request, Taker(begin, exchange.send))
            await exchange.end()
        except (OnwardError, LinkError, BrokenExchangeError, ssl.SSLError) as error:
            exchange.on_broken = None  # this task may end as it likes
            exchange.close(str(error))

    def _headers(self, exchange: Exchange) -> Headers:
        """Return what the manager is told: its own name, and its own token where it is due."""
        options, head = self._options, exchange.head
        place = options.manager
        host = f"[{place.host}]" if ":" in place.host else place.host
        found = [("Host", f"{host}:{place.port}"), ("Connection", "close"), *head.headers]
        if head.trusted and options.manager_token:
            found.append(("Authorization", f"Bearer {options.manager_token}"))
        return found
