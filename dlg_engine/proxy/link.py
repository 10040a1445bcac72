"""The connection of a proxy and its monitor: many exchanges at once over one socket.

What comes is read by one task, which never waits for whoever takes it: it is kept, and there is
never more of it than was allowed to come. Who sends waits for credit, and for the socket.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable

from dlg.exceptions import RunError
from dlg_engine.proxy.frames import (
    PIECE_BYTES,
    PREFIX,
    WINDOW_BYTES,
    AnswerHead,
    Frame,
    Kind,
    LinkError,
    RequestHead,
    credit_frame,
    head_frame,
    read_credit,
    read_head,
    unpack_prefix,
)

logger = logging.getLogger(__name__)

MOST_EXCHANGES = 200
"""How many requests one proxy may have at once."""
REASON_BYTES = 2000
SILENT_S, PROBE_S, PROBES = 15, 5, 3
"""After so long a silence the kernel asks whether the other end is there, how often, how long."""


class BrokenExchangeError(RunError):
    """A request or its answer broke off on the way; the text says where and why."""


class Exchange:
    """One request with its answer, at either end."""

    def __init__(self, link: Link, number: int, head: RequestHead) -> None:
        self.number, self.head = number, head
        self._link = link
        self._credit = self._window = WINDOW_BYTES
        self._more = asyncio.Event()
        self._arrived: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._sent_all = self._got_all = False
        self.broken = ""
        """Why it is over before its end."""
        self.answered: asyncio.Future[AnswerHead] = link.loop.create_future()
        self.on_broken: Callable[[], object] | None = None

    async def answer(self, head: AnswerHead) -> None:
        """Send the head of the answer."""
        await self._link.send(head_frame(Kind.ANSWER, self.number, head))

    async def send(self, data: bytes) -> None:
        """Send a piece of a body, as the other side takes it; raise BrokenExchangeError."""
        rest = memoryview(data)
        while rest:
            while not self._credit and not self.broken:
                self._more.clear()
                await self._more.wait()
            self._check()
            size = min(len(rest), self._credit, PIECE_BYTES)
            self._credit -= size
            await self._link.send(Frame(Kind.DATA, self.number, bytes(rest[:size])))
            rest = rest[size:]

    async def end(self) -> None:
        """Say that the body is whole."""
        self._check()
        self._sent_all = True
        await self._link.send(Frame(Kind.END, self.number))
        self._forget_if_over()

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body of the other side as it comes; raise BrokenExchangeError."""
        while True:
            while self._arrived:
                piece = self._arrived.popleft()
                yield piece
                self._window += len(piece)
                if not (self._got_all or self.broken):
                    await self._link.send(credit_frame(self.number, len(piece)))
            self._check()
            if self._got_all:
                return
            self._came.clear()
            await self._came.wait()

    def close(self, why: str = "nobody waits for it any more") -> None:
        """Be over, also before the end; the other side is told then."""
        if not (self._sent_all and self._got_all) and not self.broken:
            self.break_off(why)
            self._link.post(Frame(Kind.RESET, self.number, why.encode()[:REASON_BYTES]))

    def break_off(self, why: str) -> None:
        """Be over before the end: everybody who waits here is told."""
        self._link.forget(self.number)
        if self.broken:
            return
        self.broken = why
        if not self.answered.done():
            self.answered.set_exception(BrokenExchangeError(why))
            self.answered.exception()  # nobody may be waiting
        self._more.set()
        self._came.set()
        if self.on_broken is not None:
            self.on_broken()

    def take(self, frame: Frame) -> None:
        """Take a frame of the other side; raise LinkError if it may not be sent."""
        if frame.kind is Kind.DATA:
            self._window -= len(frame.content)
            if self._window < 0 or self._got_all:
                raise LinkError("more of a body came than was allowed to")
            self._arrived.append(frame.content)
            self._came.set()
        elif frame.kind is Kind.CREDIT:
            self._credit += read_credit(frame.content)
            if self._credit > WINDOW_BYTES:
                raise LinkError("more was taken than was sent")
            self._more.set()
        elif frame.kind is Kind.END:
            self._got_all = True
            self._came.set()
            self._forget_if_over()
        elif frame.kind is Kind.ANSWER and not self.answered.done():
            self.answered.set_result(read_head(frame.content, AnswerHead))
        elif frame.kind is Kind.RESET:
            self.break_off(frame.content.decode(errors="replace"))

    def _forget_if_over(self) -> None:
        if self._sent_all and self._got_all:
            self._link.forget(self.number)

    def _check(self) -> None:
        if self.broken:
            raise BrokenExchangeError(self.broken)


class Link:
    """The connection; `run` reads it until it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_open: Callable[[Exchange], object] | None = None,
    ) -> None:
        """`on_open` gets the exchanges that the other side begins; without it none may be."""
        self.loop = asyncio.get_running_loop()
        self._reader, self._writer, self._on_open = reader, writer, on_open
        self._exchanges: dict[int, Exchange] = {}
        self._last = 0
        self.goodbye = ""
        """Why the other side has ended it, if it has said so."""
        self.closed = False

    def __len__(self) -> int:
        """Return how many exchanges there are."""
        return len(self._exchanges)

    async def open(self, head: RequestHead) -> Exchange:
        """Begin an exchange; raise BrokenExchangeError if that cannot be."""
        if self.closed:
            raise BrokenExchangeError("the connection has ended")
        self._last += 1
        frame = head_frame(Kind.OPEN, self._last, head)
        found = self._exchanges[self._last] = Exchange(self, self._last, head)
        await self.send(frame)
        return found

    async def run(self) -> None:
        """Read until the connection ends; all exchanges are over then. Raises LinkError."""
        why = "the connection was lost"
        try:
            while not self.goodbye:
                self._take(await read_frame(self._reader))
        except LinkError as error:
            why = str(error)
            raise
        except (OSError, EOFError) as error:
            logger.info("%s: %s", why, error, extra={"action": "link_lost"})
        finally:
            self._end(self.goodbye or why)

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.GOODBYE:
            self.goodbye = frame.content.decode(errors="replace") or "it has ended"
        elif frame.kind is Kind.OPEN:
            self._begin(frame)
        elif frame.kind is Kind.GREET:
            raise LinkError("a greeting came twice")
        elif frame.exchange in self._exchanges:  # else it is over here, as the other will hear
            self._exchanges[frame.exchange].take(frame)

    def _begin(self, frame: Frame) -> None:
        if self._on_open is None or frame.exchange <= self._last:
            raise LinkError("a request came that could not be one")
        self._last = frame.exchange
        head = read_head(frame.content, RequestHead)
        found = Exchange(self, frame.exchange, head)
        if len(self._exchanges) >= MOST_EXCHANGES:
            found.close("too many requests at once")
            return
        self._exchanges[frame.exchange] = found
        self._on_open(found)

    async def send(self, frame: Frame) -> None:
        """Send a frame, and wait while too much is on its way; raise BrokenExchangeError."""
        self.post(frame)
        try:
            await self._writer.drain()
        except OSError as error:
            raise BrokenExchangeError("the connection was lost") from error

    def post(self, frame: Frame) -> None:
        """Send a small frame without waiting."""
        if not self.closed:
            self._writer.write(frame.packed())

    def forget(self, number: int) -> None:
        """Know no more of an exchange that is over."""
        self._exchanges.pop(number, None)

    def close(self, why: str = "") -> None:
        """End the connection; the other side is told why."""
        if not self.closed:
            self.post(Frame(Kind.GOODBYE, content=(why or "it has ended").encode()))
            self._end(why or "the connection was ended")

    def _end(self, why: str) -> None:
        self.closed = True
        for exchange in list(self._exchanges.values()):
            exchange.break_off(why)
        self._writer.close()


async def read_frame(reader: asyncio.StreamReader, most: int | None = None) -> Frame:
    """Return the next frame; raise LinkError, and EOFError or OSError if there is none."""
    prefix = await reader.readexactly(PREFIX.size)
    kind, exchange, size = unpack_prefix(prefix) if most is None else unpack_prefix(prefix, most)
    return Frame(kind, exchange, await reader.readexactly(size))


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel find out when the other end has gone without a word.

    That also keeps what is between them (firewalls, translators of addresses) from forgetting a
    connection over which nothing is said.
    """
    link = writer.get_extra_info("socket")
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", SILENT_S), ("TCP_KEEPINTVL", PROBE_S),
                        ("TCP_KEEPCNT", PROBES),
                        ("TCP_USER_TIMEOUT", 1000 * (SILENT_S + PROBE_S * PROBES))):  # fmt: skip
        option = getattr(socket, name, None)  # not every system has all of them
        if option is not None:
            link.setsockopt(socket.IPPROTO_TCP, option, value)
