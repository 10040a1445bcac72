"""Two ends of a link over a real socket: many exchanges at once, and none holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from dlg_engine.proxy import link as link_module
from dlg_engine.proxy.frames import (
    WINDOW_BYTES,
    AnswerHead,
    Frame,
    Kind,
    LinkError,
    RequestHead,
    credit_frame,
)
from dlg_engine.proxy.link import BrokenExchangeError, Exchange, Link

PATIENCE_S = 30.0
HEAD = RequestHead("POST", "/api", [("Host", "x")], trusted=False, has_body=True)
Serve = Callable[[Exchange], Awaitable[None]]


@asynccontextmanager
async def both_ends(serve: Serve) -> AsyncIterator[tuple[Link, Link]]:
    """Yield the end that asks and the end that answers by `serve`, both being read."""
    tasks: set[asyncio.Task[None]] = set()
    came: asyncio.Future[Link] = asyncio.get_running_loop().create_future()

    def keep(work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        tasks.add(task)

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set_result(Link(reader, writer, lambda exchange: keep(serve(exchange))))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    async with asyncio.timeout(PATIENCE_S):
        asking, answering = Link(reader, writer), await came
        keep(asking.run())
        keep(answering.run())
        try:
            yield asking, answering
        finally:
            asking.close()
            answering.close()
            server.close()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, BrokenExchangeError, LinkError):
                    await task


async def echo(exchange: Exchange) -> None:
    await exchange.answer(AnswerHead(200, [("X-Target", exchange.head.target)]))
    async for piece in exchange.body():
        await exchange.send(piece)
    await exchange.end()


async def asked(link: Link, body: bytes) -> bytes:
    exchange = await link.open(HEAD)

    async def send() -> None:
        await exchange.send(body)
        await exchange.end()

    sending = asyncio.ensure_future(send())
    assert (await exchange.answered).status == 200
    got = b"".join([piece async for piece in exchange.body()])
    await sending
    return got


def test_bodies_of_all_sizes_go_both_ways_at_once() -> None:
    bodies = [bytes([i]) * size for i, size in enumerate((0, 1, 9, 32768, 32769, 3 << 20, 7))]

    async def work() -> None:
        async with both_ends(echo) as (asking, answering):
            assert await asyncio.gather(*(asked(asking, body) for body in bodies)) == bodies
            assert len(asking) == len(answering) == 0

    asyncio.run(work())


def test_who_is_not_read_waits_and_others_go_on() -> None:
    async def work() -> None:
        async with both_ends(echo) as (asking, _):
            slow = await asking.open(HEAD)
            sending = asyncio.ensure_future(slow.send(b"x" * (4 * WINDOW_BYTES)))
            for _ in range(3):
                assert await asked(asking, b"y" * 100_000) == b"y" * 100_000
            assert not sending.done()
            kept = sum(map(len, slow._arrived))
            assert kept <= WINDOW_BYTES
            slow.close()
            with pytest.raises(BrokenExchangeError, match="nobody waits"):
                await sending
            assert await asked(asking, b"z") == b"z"

    asyncio.run(work())


def test_an_end_that_gives_an_exchange_up_tells_the_other_why() -> None:
    async def refuse(exchange: Exchange) -> None:
        exchange.close("the manager has gone home")

    async def work() -> None:
        async with both_ends(refuse) as (asking, _):
            exchange = await asking.open(HEAD)
            with pytest.raises(BrokenExchangeError, match="gone home"):
                await exchange.answered
            assert len(asking) == 0

    asyncio.run(work())


def test_all_exchanges_break_off_with_the_connection() -> None:
    async def wait(exchange: Exchange) -> None:
        async for _ in exchange.body():
            pass

    async def work() -> None:
        async with both_ends(wait) as (asking, answering):
            exchanges = [await asking.open(HEAD) for _ in range(3)]
            answering.close("it is late")
            for exchange in exchanges:
                with pytest.raises(BrokenExchangeError, match="it is late"):
                    await exchange.answered
            assert asking.goodbye == "it is late"
            with pytest.raises(BrokenExchangeError, match="has ended"):
                await asking.open(HEAD)

    asyncio.run(work())


def test_too_many_requests_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "MOST_EXCHANGES", 2)

    async def wait(exchange: Exchange) -> None:
        await exchange.answer(AnswerHead(200, []))

    async def work() -> None:
        async with both_ends(wait) as (asking, _):
            first, second, third = [await asking.open(HEAD) for _ in range(3)]
            with pytest.raises(BrokenExchangeError, match="too many requests"):
                await third.answered
            assert (await first.answered).status == (await second.answered).status == 200

    asyncio.run(work())


@pytest.mark.parametrize(
    "frames",
    [
        [Frame(Kind.DATA, 1, b"x" * 30_000)] * 20,
        [credit_frame(1, 1)],
        [Frame(Kind.GREET)],
        [Frame(Kind.OPEN, 2, b"{}")],
        [Frame(Kind.ANSWER, 1, b"what?")],
    ],
    ids=["more than allowed", "credit for nothing", "a greeting", "a request", "no head"],
)
def test_an_end_that_does_not_keep_to_the_rules_is_cut_off(frames: list[Frame]) -> None:
    async def break_rules(exchange: Exchange) -> None:
        for frame in frames:
            exchange._link.post(frame)

    async def work() -> None:
        async with both_ends(break_rules) as (asking, _):
            exchange = await asking.open(HEAD)
            with pytest.raises(BrokenExchangeError):
                await exchange.answered
            assert asking.closed

    asyncio.run(work())
