"""Watching sessions within one process: calls that wait, what is put together, what is freed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates
from dlg.states.journal import Bell, pack
from dlg_engine.managers.boards import PACKED, TIMES, WholeBoard
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.following import Following
from dlg_engine.managers.told import all_states, heading, timeline
from dlg_engine.managers.waiting import (
    MOST_WAITING,
    News,
    Source,
    TooManyFollowersError,
    Waiting,
    Wanted,
)
from dlg_engine.sessions.states import SessionStates
from dlg_engine.testing.nodes import Nodes
from tests.dlg_engine.managers.conftest import Island, Master, Specs, app, data

ADD = "def add(x):\n    return x + 1"
PATIENCE_S = 30.0


def chain(names: list[str], length: int) -> Specs:
    specs = [data("d0", names[0], pydata=0)]
    for i in range(length):
        name = names[i % len(names)]
        specs.append(app(f"a{i}", ADD, name, inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", name))
    return specs


class Counted:
    """A session of which only the number of changes is known."""

    def __init__(self) -> None:
        self.bell, self.changes = Bell(), 0

    def mark(self) -> tuple[int, int]:
        return self.changes, self.bell.steps

    def change(self) -> None:
        self.changes += 1
        self.bell.ring()


def waiting_for(session: Counted) -> Waiting:
    def look(wanted: Wanted) -> News:
        known, steps, _ = wanted.get("s", {"n": [0, 0, 0]})["n"]
        new = "s" in wanted and session.mark() != (known, steps)
        told = {"changes": session.changes, "steps": session.bell.steps}
        return {"s": {"n": told}} if new else {}

    def sources(ids: Iterable[str]) -> list[Source]:
        return [session for one in ids if one == "s"]

    return Waiting(look, sources)


def asked(known: int = 0, steps: int = 0) -> Wanted:
    return {"s": {"n": [known, steps, 0]}}


def test_a_call_is_answered_as_soon_as_there_is_more() -> None:
    session = Counted()
    waiting = waiting_for(session)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(waiting.changes, "me", 1, asked(), PATIENCE_S)
        while not session.bell.waiting:
            assert not call.done()
        session.change()
        assert call.result(PATIENCE_S)["s"]["n"]["changes"] == 1


def test_a_call_is_answered_at_once_if_there_is_more_already() -> None:
    session = Counted()
    session.change()
    assert waiting_for(session).changes("me", 1, asked(), 0.0)["s"]["n"]["changes"] == 1


def test_a_call_with_nothing_new_is_answered_in_the_end() -> None:
    assert waiting_for(Counted()).changes("me", 1, asked(), 0.01) == {}


def test_who_asks_again_releases_his_call_that_waits() -> None:
    session = Counted()
    waiting = waiting_for(session)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(waiting.changes, "me", 1, asked(), PATIENCE_S)
        while not session.bell.waiting:
            assert not call.done()
        assert waiting.changes("me", 2, {}, 0.0) == {}
        assert call.result(PATIENCE_S) == {}
    assert waiting.changes("me", 1, asked(), PATIENCE_S) == {}  # came late


def test_more_calls_than_there_are_threads_for_do_not_wait() -> None:
    session = Counted()
    waiting = waiting_for(session)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        calls = [
            pool.submit(waiting.changes, f"f{i}", 1, asked(), PATIENCE_S)
            for i in range(MOST_WAITING)
        ]
        while len(session.bell.waiting) < MOST_WAITING:
            assert not any(call.done() for call in calls)
        with pytest.raises(TooManyFollowersError):
            waiting.changes("late", 1, asked(), PATIENCE_S)
        waiting.close()
        assert [call.result(PATIENCE_S) for call in calls] == [{}] * MOST_WAITING


def told(since: int, rows: list[int], *, settled: bool = False, steps: int = 1) -> dict[str, Any]:
    done = int(DROPStates.COMPLETED)
    return {
        "since": since, "more": False, "steps": steps, "failures": 0, "errors": None, "reused": 0,
        "changes": np.array([pack(row, done) for row in rows], dtype=PACKED).tobytes(),
        "times": np.array([float(row) for row in rows], dtype=TIMES).tobytes(),
        "state": int(SessionStates.FINISHED if settled else SessionStates.RUNNING),
        "reason": "", "started": 1.0, "ended": 2.0 if settled else None, "settled": settled,
        "rest": None,
    }  # fmt: skip


def composite(nodes: list[str], each: int) -> CompositeSession:
    session = CompositeSession("night")
    session.specs = [data(f"{node}-{i}", node) for i in range(each) for node in nodes]
    session.nodes = nodes
    session.expect()
    session.become(SessionStates.RUNNING)
    return session


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12))
def test_answers_that_overlap_count_once(spans: list[tuple[int, int]]) -> None:
    session = composite(["n"], 10)
    for start, length in spans:
        since = min(start, session.feeds["n"].known)  # nobody is told what he has not asked for
        session.take("n", told(since, list(range(since, min(10, since + length)))))
    board = session.board
    assert board is not None
    rows = [change.row for change in board.journal.since(0)]
    assert rows == list(range(len(rows)))


def test_a_session_is_over_once_all_its_nodes_have_settled() -> None:
    session = composite(["n", "m"], 2)
    session.take("n", told(0, [0, 1], settled=True, steps=2))
    assert (session.state, session.settled) == (SessionStates.RUNNING, False)
    session.take("m", told(0, [0, 1], settled=True, steps=2))
    assert (session.state, session.settled) == (SessionStates.FINISHED, True)
    found = heading(session)
    assert (found["done"], found["version"], found["ended"]) == (4, 4, 2.0)


def test_a_node_that_is_lost_does_not_keep_a_session_from_its_end() -> None:
    session = composite(["n", "m"], 1)
    session.take("n", told(0, [0], settled=True, steps=2))
    session.lose("m", "node m is gone")
    assert (session.state, session.settled) == (SessionStates.FAILED, True)
    assert session.told_reason() == "node m is gone"
    session.take("m", told(0, [0], settled=True, steps=2))  # what comes too late
    assert heading(session)["version"] == 2


def test_drops_that_were_open_on_a_lost_node_have_failed() -> None:
    board = WholeBoard(
        [data("a", "n"), app("f", "", "n"), data("b", "n"), data("c", "m")], ["n", "m"], Bell()
    )
    board.take("n", np.array([pack(0, 2), pack(1, 0, 1)], dtype=PACKED), np.array([1.0, 2.0]))
    board.take("n", board.lost_with("n"), np.array([3.0, 3.0]))
    assert all_states(board) == {
        "a": {"status": 2}, "f": {"status": 3, "execStatus": 3}, "b": {"status": 3},
        "c": {"status": 0},
    }  # fmt: skip
    assert len(board.lost_with("n")) == 0


def test_rows_of_a_node_are_rows_of_the_whole_graph() -> None:
    board = WholeBoard([data("a", "n"), data("b", "m"), data("c", "n")], ["n", "m"], Bell())
    packed = np.array([pack(1, 2), pack(0, 1), pack(0, 2)], dtype=PACKED)
    board.take("n", packed, np.array([1.0, 2.0, 3.0]))
    assert [change.row for change in board.journal.since(0)] == [2, 0, 0]
    assert all_states(board) == {"a": {"status": 2}, "b": {"status": 0}, "c": {"status": 2}}


def test_of_too_many_apps_a_timeline_has_those_that_took_longest() -> None:
    board = WholeBoard([app(f"a{i}", "", "n") for i in range(4)], ["n"], Bell())
    changes = [(0, 1, 0.0), (0, 2, 1.0), (1, 1, 1.0), (1, 2, 9.0), (2, 1, 5.0), (3, 4, 6.0)]
    board.take(
        "n",
        np.array([pack(row, 2 if ran == 2 else 0, ran) for row, ran, _ in changes], dtype=PACKED),
        np.array([at for *_, at in changes]),
    )
    assert timeline(board, 10, 10.0)["spans"] == [
        [0, 0, 0.0, 1.0, 2], [1, 0, 1.0, 9.0, 2], [2, 0, 5.0, None, 0]
    ]  # fmt: skip
    few = timeline(board, 2, 10.0)
    assert ([span[0] for span in few["spans"]], few["dropped"]) == ([1, 2], 1)


def test_a_manager_below_that_does_not_answer_holds_up_nobody_else() -> None:
    answers: dict[str, Future[Any]] = {"slow": Future()}
    fine: Future[Any] = Future()
    fine.set_result({"night": {"m": told(0, [0], settled=True, steps=2)}})

    def call(child: str, *_args: Any, timeout_s: float) -> Future[Any]:
        del timeout_s
        return answers.get(child, fine)

    session = composite(["n", "m"], 1)
    done = threading.Event()
    session.bell.when(done.set, lambda: session.feeds["m"].settled)
    following = Following(call)
    following.follow(session, {"n": "slow", "m": "quick"}.__getitem__)
    assert done.wait(PATIENCE_S)
    assert not session.settled
    following.close()
    answers["slow"].set_result({})


def run_and_delete(manager: Any, nodes: list[str]) -> list[weakref.ref[Any]]:
    manager.create_session("night")
    manager.add_graph("night", chain(nodes, 10))
    manager.deploy_session("night")
    assert manager.wait("night", PATIENCE_S)
    session = manager.session("night")
    found = [weakref.ref(session), weakref.ref(session.board)]
    manager.destroy_session("night")
    return found


def test_nothing_of_a_session_remains_once_it_is_deleted(island: Island) -> None:
    above = run_and_delete(island.manager, island.names)
    first = island.nodes[island.names[0]].manager
    below = run_and_delete(first, ["n0"])
    _collect_until_gone([*above, *below])
    assert island.manager.session_ids == first.session_ids == []


def _collect_until_gone(refs: list[weakref.ref[Any]]) -> None:
    """Collect until nothing is left; threads that are ending may hold something a moment."""
    patience = threading.Event()
    for _ in range(100):
        gc.collect()
        if all(ref() is None for ref in refs):
            return
        patience.wait(0.05)
    assert [ref() for ref in refs] == [None] * len(refs)


def test_a_master_and_its_islands_know_the_same(master: Master) -> None:
    manager = master.manager
    manager.create_session("night")
    manager.add_graph("night", chain(manager.roster.nodes, 9))
    manager.deploy_session("night")
    assert manager.wait("night", PATIENCE_S)
    whole = manager.graph_status("night")
    merged: dict[str, Any] = {}
    for island in master.islands:
        assert island.manager.wait("night", PATIENCE_S)
        merged |= island.manager.graph_status("night")
    assert merged == whole
    versions = [heading(island.manager.session("night"))["version"] for island in master.islands]
    assert heading(manager.session("night"))["version"] == sum(versions)


def test_drops_that_stand_in_for_those_of_other_nodes_are_not_told(tmp_path: Path) -> None:
    nodes = Nodes(["n0", "n1"], tmp_path)
    try:
        nodes.run("night", chain(["n0", "n1"], 4), lambda spec: str(spec["node"]))
        for name, manager in nodes.managers.items():
            board = manager.session("night").board
            assert board is not None
            oids = {board.oids[change.row] for change in board.journal.since(0)}
            assert oids == set(board.oids) == set(manager.graph("night"))
            assert name in board.nodes
    finally:
        nodes.close()
