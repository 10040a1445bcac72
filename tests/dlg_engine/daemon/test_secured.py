"""Managers of one cluster and of another: who is let in, at each of their doors."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import (
    DataIslandManagerClient,
    ManagerRefusedError,
    ManagerUnreachableError,
    NodeManagerClient,
)
from dlg.exceptions import SubManagerException
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import Specs, app, data

FINISHED = 4
OBJECT = "def make(x):\n    return {'an': {x, 2}}"
LENGTH = "def length(x):\n    return len(x['an'])"


def enrol(folder: Path, name: str) -> ClusterFile:
    return write_cluster_file(folder / f"{name}.toml", name, new_pair(), new_certificate(name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secured")


@pytest.fixture(scope="module")
def night(folder: Path) -> ClusterFile:
    return enrol(folder, "night")


@pytest.fixture(scope="module")
def day(folder: Path) -> ClusterFile:
    return enrol(folder, "day")


@pytest.fixture(scope="module")
def cluster(folder: Path, night: ClusterFile) -> Iterator[Cluster]:
    with Cluster(2, folder / "run", file=night.path) as found:
        yield found


@pytest.fixture
def island(cluster: Cluster, night: ClusterFile) -> DataIslandManagerClient:
    return cluster.island.client(DataIslandManagerClient, night.path)


def specs(names: list[str]) -> Specs:
    one, two = names
    return [
        data("x", one, pydata=1),
        app("make", OBJECT, one, inputs=["x"], outputs=["made"]),
        data("made", one),
        app("length", LENGTH, two, inputs=["made"], outputs=["size"]),
        data("size", two),
    ]


def run(client: DataIslandManagerClient, session: str, graph: Specs) -> dict[str, Any]:
    client.create_session(session)
    client.append_graph(session, graph)
    client.deploy_session(session)
    return Cluster.wait_until(lambda: client.session_summary(session), lambda s: s["status"] > 3)


def test_a_session_runs_over_the_nodes_of_a_cluster_and_objects_cross(
    cluster: Cluster, island: DataIslandManagerClient
) -> None:
    assert cluster.island.url.startswith("https://")
    found = run(island, "whole", specs([node.name for node in cluster.nodes]))
    assert found["status"] == FINISHED, found


def asked(cluster: Cluster, night: ClusterFile, **headers: str) -> int:
    link = cluster.island.client(DataIslandManagerClient, night.path).link
    assert link.tls is not None
    open_ = http.client.HTTPSConnection(link.host, link.port, timeout=20, context=link.tls)
    try:
        open_.request("GET", "/api/sessions", headers=headers)
        return open_.getresponse().status
    finally:
        open_.close()


def test_whoever_does_not_show_the_token_is_refused(cluster: Cluster, night: ClusterFile) -> None:
    assert asked(cluster, night) == 401
    assert asked(cluster, night, Authorization="Bearer wrong") == 401
    assert asked(cluster, night, Authorization=f"Basic {night.token}") == 401
    assert asked(cluster, night, Authorization=f"Bearer {night.token}") == 200


def test_a_client_of_another_cluster_does_not_even_show_its_token(
    cluster: Cluster, day: ClusterFile
) -> None:
    with pytest.raises(ManagerUnreachableError, match="it has another certificate; is the same"):
        cluster.island.client(DataIslandManagerClient, day.path).sessions()


def test_a_client_that_speaks_no_tls_is_told_nothing(cluster: Cluster) -> None:
    with pytest.raises(ManagerUnreachableError):
        cluster.island.client(DataIslandManagerClient).sessions()


@pytest.mark.parametrize("which", ["day", "none"])
def test_a_node_of_another_cluster_is_not_taken_in(
    which: str, folder: Path, day: ClusterFile, island: DataIslandManagerClient
) -> None:
    more = ("--cluster", str(day.path)) if which == "day" else ()
    ports = ("-P", "0", "--rpc-port", "0", "--event-port", "0", "--deadline", "0")
    node = Process("nm", *ports, *more, workdir=folder / f"stranger-{which}")
    try:
        told = rf"{node.name} does not answer: .*does not have the same file of the cluster"
        with pytest.raises(SubManagerException, match=told):
            island.add_node(node.name)
    finally:
        node.end()
    assert node.name not in island.nodes()


def test_no_secret_is_in_what_managers_write(
    cluster: Cluster, night: ClusterFile, day: ClusterFile, folder: Path
) -> None:
    asked(cluster, night, Authorization=f"Bearer {day.token}")
    written = Cluster.wait_until(  # a request is logged when it has been answered
        lambda: "".join(log.read_text() for log in (folder / "run").rglob("log")),
        lambda text: "401 GET /api/sessions" in text,
    )
    key = re.sub(r"-----.*?-----|\s", "", night.path.read_text().partition("PRIVATE KEY")[2])
    for secret in (night.token, night.curve_secret, day.token, key[:40]):
        assert secret not in written


def test_a_token_alone_protects_rest_and_calls(folder: Path) -> None:
    token = folder / "token"
    token.write_text("a-token-of-many-letters")
    ports = ("-P", "0", "--rpc-port", "0")
    more = ("--event-port", "0", "--deadline", "0", "--token-file", str(token))
    node = Process("nm", *ports, *more, workdir=folder / "token-node")
    try:
        with pytest.raises(ManagerRefusedError, match="the token is missing"):
            node.client(NodeManagerClient).sessions()
        stranger = subprocess.run(
            [sys.executable, "-m", "dlg_engine.cli", "dim", *ports, "-N", node.name],
            capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip
        assert stranger.returncode == 1
        assert "which is not used here" in stranger.stderr
        member = ("--token-file", str(token), "-N", node.name)
        Process("dim", *ports, *member, workdir=folder / "member").end()
    finally:
        node.end()
