"""A manager that is started anew takes over what its nodes hold, and it is as if it had stayed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from dlg.exceptions import NoSessionException, SubManagerException
from dlg.graph.dropspec import entries
from dlg_engine.managers.boards import wait_until_settled
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.split import as_it_was, split
from dlg_engine.sessions.states import SessionStates as S
from tests.dlg_engine.managers.conftest import Island, Master, app, data
from tests.dlg_engine.managers.test_composite import chain, start
from tests.dlg_engine.managers.test_split import Specs, lean, node_of, placed_graphs

PATIENCE_S = 60.0
Anew = Any


@pytest.fixture
def anew(island: Island) -> Iterator[Anew]:
    """Return what starts the manager anew, above the same nodes, and lets it look at some."""
    with ExitStack() as stack:

        def call(*nodes: str) -> CompositeManager:
            island.manager.close()
            found = CompositeManager(island.peer)
            stack.callback(found.close)
            come(found, *(nodes or island.names))
            return found

        yield call


def come(manager: CompositeManager, *nodes: str) -> None:
    """Take nodes in."""
    for node in nodes:
        manager.roster.add(node)
        manager.adoption.look([node])


class Gate:
    """What an app waits at, until it is let go."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDWR)

    def chain(self, names: list[str]) -> Specs:
        """A chain over nodes, behind an app that waits."""
        code = f"def wait(x):\n    with open({str(self.path)!r}) as f:\n        f.readline()\n"
        code += "    return 0"
        waits = app("wait", code, names[0], inputs=["first"], outputs=["d0"])
        first, d0, *others = [data("first", names[0], pydata=0), *chain(names, 9)]
        return [first, {**d0, "pydata": None}, waits, *others]

    def let_go(self) -> None:
        """Let it go on."""
        os.write(self._end, b"\n")

    def close(self) -> None:
        """Let whoever still waits go on."""
        self.let_go()
        os.close(self._end)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    found = Gate(tmp_path / "gate")
    yield found
    found.close()


def test_a_session_that_runs_is_taken_over_and_followed_to_its_end(
    island: Island, gate: Gate, anew: Anew
) -> None:
    specs = gate.chain(island.names)
    start(island, specs)
    before = island.manager.graph("night")
    manager = anew()
    assert manager.session_ids == ["night"]
    assert manager.session_state("night") is S.RUNNING
    assert manager.session("night").created_s > 0
    assert manager.graph("night") == before
    assert set(manager.graph_status("night")) == {spec["oid"] for spec in specs}
    gate.let_go()
    assert manager.wait("night", PATIENCE_S)
    assert manager.session_state("night") is S.FINISHED
    assert {one["status"] for one in manager.graph_status("night").values()} <= {2, 5}
    assert manager.session("night").started_s is not None
    assert set(manager.session_status("night")) == set(island.names)


def test_a_session_that_is_over_is_known_as_it_ended(island: Island, anew: Anew) -> None:
    start(island, chain(island.names, 4))
    island.wait("night")
    old = island.manager.session("night")
    manager = anew()
    assert manager.wait("night", PATIENCE_S)
    session = manager.session("night")
    assert session.state is S.FINISHED
    assert manager.graph_status("night") == island.manager.graph_status("night")
    assert session.ended_s == old.ended_s


def test_it_is_taken_over_when_the_last_of_its_nodes_has_come(
    island: Island, gate: Gate, anew: Anew
) -> None:
    start(island, gate.chain(island.names))
    first, *others, last = island.names
    manager = anew(first, *others)
    with pytest.raises(NoSessionException):
        manager.session("night")
    come(manager, last)
    assert manager.session_state("night") is S.RUNNING


def test_what_was_taken_over_can_be_cancelled_and_deleted(
    island: Island, gate: Gate, anew: Anew
) -> None:
    start(island, gate.chain(island.names))
    manager = anew()
    manager.cancel_session("night")
    assert wait_until_settled(manager.session("night"), PATIENCE_S)
    assert manager.session_state("night") is S.CANCELLED
    manager.destroy_session("night")
    assert manager.session_ids == []
    assert [node.manager.session_ids for node in island.nodes.values()] == [[], [], []]


def test_new_sessions_run_beside_it_and_its_id_is_taken(
    island: Island, gate: Gate, anew: Anew
) -> None:
    start(island, gate.chain(island.names))
    manager = anew()
    with pytest.raises(Exception, match="exists already"):
        manager.create_session("night")
    island.manager = manager
    start(island, chain(island.names, 3), "day")
    island.wait("day")
    assert manager.session_state("day") is S.FINISHED


def test_sessions_that_clients_made_at_a_node_stay_there(island: Island, anew: Anew) -> None:
    node = next(iter(island.nodes.values()))
    node.manager.create_session("own")
    node.manager.add_graph("own", chain([node.name], 1))
    node.manager.deploy_session("own")
    assert anew().session_ids == []


def test_a_session_that_is_known_is_left_as_it_is(island: Island, gate: Gate) -> None:
    start(island, gate.chain(island.names))
    known = island.manager.session("night")
    island.manager.adoption.look(island.names)
    assert island.manager.session("night") is known


def test_a_session_whose_start_was_broken_off_is_given_up(
    island: Island, gate: Gate, anew: Anew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise SubManagerException("killed")

    monkeypatch.setattr(island.manager, "trigger", die)
    with pytest.raises(SubManagerException, match="killed"):
        start(island, gate.chain(island.names))
    manager = anew()
    assert wait_until_settled(manager.session("night"), PATIENCE_S)
    assert manager.session_state("night") is S.FAILED
    assert "that was starting it has ended" in manager.session("night").told_reason()


def test_a_node_that_cannot_be_asked_holds_up_nobody(
    island: Island, gate: Gate, anew: Anew
) -> None:
    start(island, gate.chain(island.names))
    manager = anew()
    manager.roster.add("127.0.0.1:1:1:1")
    manager.adoption.look(["127.0.0.1:1:1:1"])
    assert manager.session_ids == ["night"]


def test_a_master_takes_over_what_runs_below_its_islands(master: Master, gate: Gate) -> None:
    names = list(master.nodes)
    master.manager.create_session("night")
    master.manager.add_graph("night", gate.chain(names))
    master.manager.deploy_session("night")
    master.manager.close()
    again = CompositeManager(lambda name: master.peers[name])
    master.manager = again
    for i, island in enumerate(master.islands):
        for node in island.names:
            again.roster.add(node, f"127.0.0.1:{8100 + i}")
        again.adoption.look(island.names)
    assert again.session_state("night") is S.RUNNING
    gate.let_go()
    assert again.wait("night", PATIENCE_S)
    assert again.session_state("night") is S.FINISHED
    assert {one["status"] for one in again.graph_status("night").values()} <= {2, 5}
    again.destroy_session("night")
    assert [island.manager.session_ids for island in master.islands] == [[], []]


@given(placed_graphs())
def test_the_specs_of_all_parts_are_those_of_the_graph(specs: Specs) -> None:
    listed = lean(specs)
    parts = split(listed, node_of)
    again = as_it_was([s for part in parts.values() for s in part.specs], list(parts))
    assert _plain(again) == _plain(listed)


def _plain(specs: Any) -> dict[str, str]:
    """Return specs as texts by oid, with links in one form of the two that mean the same."""
    return {
        spec["oid"]: json.dumps(
            {**spec, "inputs": [list(one) for one in entries(spec.get("inputs", ()))]},
            sort_keys=True,
        )
        for spec in specs
    }


def test_a_new_manager_of_no_nodes_knows_nothing(tmp_path: Path) -> None:
    island = Island(0, tmp_path)
    island.manager.adoption.look([])
    assert island.manager.session_ids == []
    island.close()
