"""Managers as processes: nodes, an island and a master, spoken to over REST."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import DataIslandManagerClient, MasterManagerClient, NodeManagerClient
from dlg.exceptions import (
    InvalidGraphException,
    InvalidSessionState,
    NoDropException,
    NoSessionException,
    SessionAlreadyExistsException,
    SubManagerException,
    UsageError,
)
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import Specs, app, data

ADD = "def add(x):\n    return x + 1"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture
def session() -> str:
    return f"night {next(_numbers)}/a"


@pytest.fixture
def node(cluster: Cluster) -> NodeManagerClient:
    return cluster.nodes[0].client(NodeManagerClient)


@pytest.fixture
def island(cluster: Cluster) -> DataIslandManagerClient:
    return cluster.island.client(DataIslandManagerClient)


@pytest.fixture
def master(cluster: Cluster) -> MasterManagerClient:
    return cluster.master.client(MasterManagerClient)


def chain(names: list[str], length: int) -> Specs:
    place = itertools.cycle(names)
    specs = [data("d0", next(place), pydata=0)]
    for i in range(length):
        specs.append(app(f"a{i}", ADD, next(place), inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", next(place)))
    return specs


@pytest.mark.parametrize("level", ["node", "island", "master"])
def test_a_session_from_its_creation_to_its_end(
    cluster: Cluster, level: str, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(level)
    session = f"whole-{level}"
    names = [cluster.nodes[0].name] if level == "node" else [n.name for n in cluster.nodes]
    client.create_session(session)
    client.append_graph(session, chain(names, 6)[:5])
    client.append_graph(session, chain(names, 6)[5:])
    assert client.graph_size(session) == 13
    client.deploy_session(session, ["d0"])
    found = cluster.wait_until(lambda: client.session_summary(session), lambda s: s["status"] > 3)
    assert found["status"] == 4
    assert sum(found["counts"].values()) == 13
    assert set(client.graph_status(session)) == set(client.graph(session))
    assert session in [one["sessionId"] for one in client.sessions()]
    client.destroy_session(session)
    with pytest.raises(NoSessionException):
        client.session(session)


def test_a_failure_is_told_with_its_drop_and_node(
    cluster: Cluster, island: DataIslandManagerClient, session: str
) -> None:
    session = session.replace("/", "-")
    specs = chain([n.name for n in cluster.nodes], 4)
    specs[1]["func_code"] = "def f(x):\n    raise ValueError('cloudy')"
    island.create_session(session)
    island.append_graph(session, specs)
    island.deploy_session(session)
    found = cluster.wait_until(lambda: island.session_summary(session), lambda s: s["status"] > 3)
    assert found["status"] == 6
    (error,) = found["errors"]
    assert (error["uid"], error["exception"]) == ("a0", "ValueError: cloudy")
    assert error["node"] == specs[1]["node"]


def test_errors_come_back_as_their_class(node: NodeManagerClient) -> None:
    node.create_session("twice")
    with pytest.raises(SessionAlreadyExistsException, match="'twice' exists already"):
        node.create_session("twice")
    with pytest.raises(NoSessionException, match="no session 'none'"):
        node.graph("none")
    with pytest.raises(InvalidSessionState):
        node.cancel_session("twice")
    with pytest.raises(UsageError, match="cannot be the id of a session"):
        node.create_session("../out")
    node.append_graph("twice", [app("a", ADD, inputs=["nobody"])])
    with pytest.raises(InvalidGraphException, match="nobody"):
        node.deploy_session("twice")
    node.destroy_session("twice")


def test_what_a_node_refuses_is_told_with_its_name(
    cluster: Cluster, node: NodeManagerClient, island: DataIslandManagerClient
) -> None:
    node.create_session("mine")
    with pytest.raises(SubManagerException, match=f"{cluster.nodes[0].name}: .*exists already"):
        island.create_session("mine")
    node.destroy_session("mine")
    assert "mine" not in [one["sessionId"] for one in island.sessions()]


def test_managers_say_who_is_below(
    cluster: Cluster, island: DataIslandManagerClient, master: MasterManagerClient
) -> None:
    names = [n.name for n in cluster.nodes]
    assert island.nodes() == names
    assert master.nodes() == names
    assert master.islands() == [cluster.island.name]


def test_a_node_that_does_not_answer_is_not_taken_in(island: DataIslandManagerClient) -> None:
    with pytest.raises(SubManagerException, match="does not answer"):
        island.add_node("127.0.0.1:1:2:3")
    with pytest.raises(UsageError, match="names no node"):
        island.add_node("a:b")


def test_a_drop_that_is_not_there_is_told(node: NodeManagerClient) -> None:
    node.create_session("empty")
    node.append_graph("empty", [data("d")])
    node.deploy_session("empty")
    with pytest.raises(NoDropException):
        node.link.get("sessions", "empty", "graph", "drop", "gone")
    node.destroy_session("empty")


def test_a_file_outside_the_directory_of_its_session_is_not_given(
    node: NodeManagerClient, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    file = "dlg.data.file.FileDROP"
    node.create_session("files")
    node.append_graph("files", [
        data("in", pydata=1),
        {"oid": "w", "categoryType": "Application", "dropclass": "dlg.apps.bash.BashShellApp",
         "command": "echo hello > %o0", "inputs": ["in"], "outputs": ["1_f/0"]},
        {"oid": "1_f/0", "categoryType": "Data", "dropclass": file, "filepath": "out.txt"},
        {"oid": "s", "categoryType": "Data", "dropclass": file, "filepath": str(secret)},
    ])  # fmt: skip
    node.deploy_session("files")
    Cluster.wait_until(lambda: node.session_summary("files"), lambda s: s["status"] > 3)
    link = http.client.HTTPConnection(node.link.host, node.link.port, timeout=20)
    found = {}
    for name, oid in (("own", "1_f/0"), ("other", "s"), ("up", "..%2F..%2Fsecret")):
        link.request("GET", f"/sessions/files/graph/drop/data/{oid}")
        answer = link.getresponse()
        found[name] = (answer.status, answer.read())
    link.close()
    assert found["own"] == (200, b"hello\n")
    assert (found["other"][0], found["up"][0]) == (404, 404)
    assert b"secret\n" not in found["other"][1]
    node.destroy_session("files")


@pytest.mark.parametrize("body", [b"{}", b"nonsense", b'"text"', b"\x80\x04\x95junk", b"[1,"])
def test_what_is_no_graph_is_refused(node: NodeManagerClient, session: str, body: bytes) -> None:
    session = session.replace("/", "-")
    node.create_session(session)
    with pytest.raises(UsageError):
        node.link.ask("POST", ("sessions", session, "graph", "append"), body)
    assert node.graph_size(session) == 0


def test_a_manager_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with Cluster(1, tmp_path) as cluster:
        client = cluster.nodes[0].client(NodeManagerClient)
        client.stop()
        assert cluster.nodes[0].process.wait(30) == 0


def test_a_manager_does_not_listen_beyond_its_host_unless_told_that_this_is_meant() -> None:
    command = [sys.executable, "-m", "dlg_engine.cli", "nm", "-H", "0.0.0.0", "-P", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "--insecure" in done.stderr


def test_a_node_that_is_killed_fails_its_sessions_in_time_and_is_missed_nowhere(
    tmp_path: Path,
) -> None:
    with Cluster(2, tmp_path) as cluster:
        client = cluster.island.client(DataIslandManagerClient)
        first, second = (n.name for n in cluster.nodes)
        sleep = {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
        client.create_session("night")
        client.append_graph("night", [
            data("a", first, pydata=1), app("f", "", second, inputs=["a"], outputs=["b"]) | sleep,
            data("b", first),
        ])  # fmt: skip
        client.deploy_session("night")
        cluster.nodes[1].process.kill()
        found: Any = Cluster.wait_until(
            lambda: client.session_summary("night"), lambda s: s["status"] > 3
        )
        assert found["status"] == 6
        assert f"node {second} has not answered" in found["reason"]
        assert "1 drops (f)" in found["reason"]
        assert client.nodes() == [first]


def test_what_a_manager_says_as_json_is_for_programs(cluster: Cluster) -> None:
    assert json.loads(cluster.nodes[0].said)["name"] == cluster.nodes[0].name
