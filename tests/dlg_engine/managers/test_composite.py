from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import (
    InvalidGraphException,
    InvalidSessionState,
    NoSessionException,
    SessionAlreadyExistsException,
    SubManagerException,
    UsageError,
)
from dlg_engine.embedded import run_graph
from dlg_engine.managers.addresses import read_address
from dlg_engine.sessions.states import SessionStates
from tests.dlg_engine.managers.conftest import Island, Master, Specs, app, data

ADD = "def add(x):\n    return x + 1"
_numbers = itertools.count()


def chain(names: list[str], length: int) -> Specs:
    """A chain of apps that changes nodes at every step."""
    node = itertools.cycle(names)
    specs = [data("d0", next(node), pydata=0)]
    for i in range(length):
        specs.append(app(f"a{i}", ADD, next(node), inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", next(node)))
    return specs


def start(island: Island, specs: Specs, session: str = "night") -> None:
    island.manager.create_session(session)
    island.manager.add_graph(session, specs)
    island.manager.deploy_session(session)


@pytest.mark.parametrize(
    "name", ["", "\x12", "a b", "a/b", "é", "[::1", "[fe80::1%e/0]", "host:0"]
)
def test_a_text_that_names_no_node_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="names no node"):
        read_address(name)


@pytest.mark.parametrize("host", ["a-b.example", "10.0.0.1", "::1", "fe80::1%eth0", "my_host"])
def test_hosts_have_names_and_addresses_of_either_version(host: str) -> None:
    text = f"[{host}]" if ":" in host else host
    assert read_address(text).host == host


def test_a_graph_runs_over_the_nodes(island: Island) -> None:
    start(island, chain(island.names, 10))
    island.wait("night")
    assert island.manager.session_state("night") is SessionStates.FINISHED
    states = island.manager.graph_status("night")
    assert len(states) == 21
    last = island.manager.graph("night")["d10"]["node"]
    assert island.nodes[last].manager.drop("night", "d10").value() == 10


def test_a_graph_may_come_in_parts_and_start_where_it_is_said(island: Island) -> None:
    specs = chain(island.names, 3)
    island.manager.create_session("night")
    island.manager.add_graph("night", specs[:4])
    island.manager.add_graph("night", specs[4:])
    island.manager.deploy_session("night", ["d0"])
    island.wait("night")
    assert island.manager.session_state("night") is SessionStates.FINISHED


def test_a_failure_on_a_node_fails_the_session(island: Island) -> None:
    specs = chain(island.names, 6)
    specs[5]["func_code"] = "def f(x):\n    raise ValueError('cloudy')"
    start(island, specs)
    island.wait("night")
    assert island.manager.session_state("night") is SessionStates.FAILED
    assert island.manager.graph_status("night")["d6"]["status"] == S.ERROR


def test_a_session_that_a_node_refuses_is_nowhere(island: Island) -> None:
    taken = island.names[1]
    island.nodes[taken].manager.create_session("night")
    with pytest.raises(SubManagerException, match="exists already") as caught:
        island.manager.create_session("night")
    assert list(caught.value.reasons) == [taken]
    assert island.manager.session_ids == []
    others = [node.manager.session_ids for name, node in island.nodes.items() if name != taken]
    assert others == [[], []]


def test_a_graph_with_a_mistake_starts_nowhere(island: Island) -> None:
    specs = chain(island.names, 2)
    specs[1]["inputs"] = ["nobody"]
    island.manager.create_session("night")
    island.manager.add_graph("night", specs)
    with pytest.raises(InvalidGraphException, match="nobody"):
        island.manager.deploy_session("night")


def test_a_node_that_is_not_there_is_told_with_those_that_are(island: Island) -> None:
    specs = chain(["elsewhere", *island.names], 3)
    island.manager.create_session("night")
    island.manager.add_graph("night", specs)
    with pytest.raises(UsageError, match="wants node 'elsewhere'.*there are 127.0.0.1:8001"):
        island.manager.deploy_session("night")


def test_a_session_is_cancelled_on_all_nodes(island: Island) -> None:
    specs = chain(island.names, 2)
    specs[1] |= {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
    start(island, specs)
    island.manager.cancel_session("night")
    assert island.manager.session_state("night") is SessionStates.CANCELLED
    assert set(island.manager.session_status("night").values()) == {SessionStates.CANCELLED}
    with pytest.raises(InvalidSessionState, match="cannot be cancelled while CANCELLED"):
        island.manager.cancel_session("night")


def test_a_deleted_session_is_nowhere(island: Island) -> None:
    start(island, chain(island.names, 2))
    island.wait("night")
    island.manager.destroy_session("night")
    assert [node.manager.session_ids for node in island.nodes.values()] == [[], [], []]
    with pytest.raises(NoSessionException):
        island.manager.session_status("night")


def test_an_id_is_given_once(island: Island) -> None:
    island.manager.create_session("night")
    with pytest.raises(SessionAlreadyExistsException):
        island.manager.create_session("night")


def test_a_deployed_session_takes_no_more_drops(island: Island) -> None:
    start(island, chain(island.names, 2))
    with pytest.raises(InvalidSessionState, match="takes no more drops"):
        island.manager.add_graph("night", [data("late")])


def test_a_lost_node_fails_its_sessions_and_no_others(island: Island) -> None:
    first, second, third = island.names
    waiting = {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
    start(island, [
        data("a", first, pydata=1), app("f", "", second, inputs=["a"], outputs=["b"]) | waiting,
        data("b", third),
    ])  # fmt: skip
    start(island, chain([first], 2), "other")
    island.manager.losses.lose([second], "does not answer")
    session = island.manager.session("night")
    assert island.manager.session_state("night") is SessionStates.FAILED
    assert session.reason == f"node {second} does not answer; lost with it: 1 drops (f)"
    island.nodes[first].manager.wait("night", 20)
    assert island.nodes[third].manager.session("night").reason == session.reason
    assert island.manager.wait("other", 20)
    assert island.manager.session_state("other") is SessionStates.FINISHED
    assert second not in island.manager.roster.nodes


def test_a_master_runs_a_graph_over_the_nodes_of_all_its_islands(master: Master) -> None:
    manager = master.manager
    manager.create_session("night")
    manager.add_graph("night", chain(manager.roster.nodes, 9))
    manager.deploy_session("night")
    for node in master.nodes.values():
        assert node.manager.wait("night", 30)
    assert manager.wait("night", 30)
    assert manager.session_state("night") is SessionStates.FINISHED
    assert len(manager.graph_status("night")) == 19
    assert set(manager.session_status("night")) == set(master.nodes)
    last = manager.graph("night")["d9"]["node"]
    assert master.nodes[last].manager.drop("night", "d9").value() == 9
    manager.destroy_session("night")
    assert [node.manager.session_ids for node in master.nodes.values()] == [[]] * 4


def test_what_a_node_below_an_island_refuses_is_undone_in_all_islands(master: Master) -> None:
    node = list(master.nodes.values())[-1]
    node.manager.create_session("night")
    with pytest.raises(SubManagerException, match=f"{node.name}.*exists already"):
        master.manager.create_session("night")
    assert [one.manager.session_ids for one in master.nodes.values()] == [[], [], [], ["night"]]


@pytest.mark.parametrize("session", ["", "..", "a/b", "x" * 300, "a\nb", "a\0b", " . "])
def test_an_id_that_could_leave_the_work_directory_is_refused(
    island: Island, session: str
) -> None:
    with pytest.raises(DaliugeError, match="cannot be the id of a session"):
        island.manager.create_session(session)
    assert island.manager.session_ids == []


DaliugeError = (UsageError, SubManagerException)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Specs]:
    count = draw(st.sampled_from([1, 2, 4]))
    place = st.integers(0, count - 1)
    specs: Specs = [data("d0", str(draw(place)), pydata=1, persist=True)]
    for i in range(1, draw(st.integers(2, 8))):
        known = [f"d{k}" for k in range(i)]
        inputs = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=3))
        body = "raise ValueError(xs)" if draw(st.integers(0, 9)) == 0 else "return sum(xs) + 1"
        code = f"def f{i}(*xs):\n    {body}"
        specs.append(app(f"a{i}", code, str(draw(place)), inputs=inputs, outputs=[f"d{i}"]))
        specs.append(data(f"d{i}", str(draw(place)), persist=True))
    return count, specs


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(graphs())
def test_a_graph_ends_over_sockets_as_it_ends_in_one_process(
    island: Island, tmp_path: Path, drawn: tuple[int, Specs]
) -> None:
    count, specs = drawn
    while len(island.nodes) < count:
        island.add()
    placed = [{**spec, "node": island.names[int(spec["node"])]} for spec in specs]
    session = f"s{next(_numbers)}"
    start(island, placed, session)
    island.wait(session)
    report = run_graph(specs, workdir=tmp_path)
    expected: dict[str, Any] = {uid: int(drop.status) for uid, drop in report.drops.items()}
    states = island.manager.graph_status(session)
    assert {oid: state["status"] for oid, state in states.items()} == expected
    for spec in placed:
        oid = spec["oid"]
        if spec["categoryType"] == "Data" and expected[oid] == S.COMPLETED:
            drop = island.nodes[spec["node"]].manager.drop(session, oid)
            assert drop.value() == report.result(oid)
    island.manager.destroy_session(session)
