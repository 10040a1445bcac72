"""The stream of one client, without a server: when it tells what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import numpy as np

from dlg.states.journal import pack
from dlg_engine.managers.boards import PACKED
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.rest.streams import MOST_CHANGES, REST_S, Stream
from dlg_engine.sessions.states import SessionStates
from tests.dlg_engine.managers.conftest import data

PATIENCE_S = 30.0


def deployed(drops: int = 10) -> CompositeSession:
    session = CompositeSession("night")
    session.specs = [data(f"d{i}", "n") for i in range(drops)]
    session.nodes = ["n"]
    session.expect()
    session.become(SessionStates.RUNNING)
    return session


def change(session: CompositeSession, rows: list[int]) -> None:
    board = session.board
    assert board is not None
    board.take("n", np.array([pack(row, 2) for row in rows], dtype=PACKED), np.zeros(len(rows)))
    session.bell.ring()


def end(session: CompositeSession) -> None:
    session.feeds["n"].settled = True
    session.become(SessionStates.FINISHED)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await work

    asyncio.run(bounded())


def test_a_change_is_told_at_once_when_little_happens() -> None:
    async def work() -> None:
        session = deployed()
        async with aclosing(Stream(session, 0, rows=True).events()) as events:
            assert (await anext(events)).name == "session"
            waiting = asyncio.ensure_future(anext(events))
            while not session.bell.waiting:
                await asyncio.sleep(0)
            thread = threading.Thread(target=change, args=(session, [3]))
            thread.start()
            event = await waiting
            thread.join()
            assert (event.name, event.id) == ("changes", "1")
            assert event.data == {"version": 1, "changes": [[3, 2, None, 0.0]]}

    run(work())


def test_changes_that_follow_each_other_quickly_are_told_together() -> None:
    async def work() -> None:
        session = deployed()
        loop = asyncio.get_running_loop()
        async with aclosing(Stream(session, 0, rows=True).events()) as events:
            await anext(events)
            change(session, [0])
            await anext(events)
            told_s = loop.time()
            waiting = asyncio.ensure_future(anext(events))
            for row in range(1, 6):
                await asyncio.sleep(0)
                change(session, [row])
            event = await waiting
            assert [row for row, *_ in event.data["changes"]] == [1, 2, 3, 4, 5]
            assert loop.time() - told_s > 0.9 * REST_S

    run(work())


def test_the_end_is_told_last_with_no_rest_before_it() -> None:
    async def work() -> None:
        session = deployed()
        stream = Stream(session, 0, rows=True)
        events = stream.events()
        async with aclosing(events):
            await anext(events)
            change(session, [0])
            await anext(events)
            change(session, [1])
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            end(session)
            rest = [await waiting]
            rest += [event async for event in events]
        assert [event.name for event in rest] == ["changes", "session"]
        assert rest[-1].data["state"] == "FINISHED"
        assert rest[-1].data["ended"] is not None

    run(work())


def test_a_session_that_is_over_is_told_whole_in_pieces() -> None:
    async def work() -> None:
        session = deployed(3)
        change(session, [0, 1, 2] * MOST_CHANGES)
        end(session)
        told = [event async for event in Stream(session, 0, rows=True).events()]
        sizes = [len(event.data["changes"]) for event in told if event.name == "changes"]
        assert sizes == [MOST_CHANGES] * 3
        assert [told[0].data["ended"], told[-1].data["state"]] == [None, "FINISHED"]
        again = [event async for event in Stream(session, 3 * MOST_CHANGES, rows=True).events()]
        assert [event.name for event in again] == ["session", "session"]

    run(work())


def test_nobody_is_woken_for_a_client_that_has_gone() -> None:
    async def work() -> None:
        session = deployed()
        events = Stream(session, 0, rows=True).events()
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        while not session.bell.waiting:
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await events.aclose()
        assert not session.bell.waiting
        assert not session.bell.for_steps
        change(session, [0])

    run(work())
