"""Who is there, as managers of all levels tell it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import DataIslandManagerClient, MasterManagerClient, NodeManagerClient
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import data

FACTS = {"cpus", "load", "memory_total", "memory_used", "disk_free", "running", "sessions"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


def names(found: dict[str, Any]) -> list[str]:
    return [node["name"] for node in found["nodes"]]


def test_a_node_tells_of_itself(cluster: Cluster) -> None:
    client = cluster.nodes[0].client(NodeManagerClient)
    client.create_session("night")
    found = client.cluster()
    client.destroy_session("night")
    (node,) = found["nodes"]
    assert (found["level"], found["version"]) == ("node", version("dlg"))
    assert found["name"] == node["name"] == cluster.nodes[0].name
    assert found["url"] == node["url"] == cluster.nodes[0].url
    assert node["alive"] is True
    assert (node["sessions"], node["running"]) == (1, 0)
    assert 0 < node["memory_used"] < node["memory_total"]
    assert node["cpus"] >= 1
    assert node["disk_free"] > 0
    assert abs(node["since"] - time.time()) < 600


@pytest.mark.parametrize("level", ["island", "master"])
def test_managers_above_tell_of_all_nodes_below(cluster: Cluster, level: str) -> None:
    kind = MasterManagerClient if level == "master" else DataIslandManagerClient
    manager = cluster.master if level == "master" else cluster.island
    client = manager.client(kind)
    found = Cluster.wait_until(client.cluster, lambda c: len(c["nodes"]) == 2)
    assert (found["level"], found["name"], found["url"]) == (level, manager.name, manager.url)
    island = {"name": cluster.island.name, "url": cluster.island.url, "alive": True}
    assert found["islands"] == [island]
    assert names(found) == [node.name for node in cluster.nodes]
    for node in found["nodes"]:
        assert set(node) >= FACTS
        assert (node["island"], node["alive"]) == (cluster.island.name, True)


def test_what_a_node_does_is_seen_above_a_moment_later(cluster: Cluster) -> None:
    node = cluster.nodes[1].client(NodeManagerClient)
    master = cluster.master.client(MasterManagerClient)
    node.create_session("seen")
    node.append_graph("seen", [data("d")])
    Cluster.wait_until(master.cluster, lambda c: [n["sessions"] for n in c["nodes"][1:]] == [1])
    node.destroy_session("seen")


def test_asking_calls_no_node_and_one_that_is_lost_is_shown_as_such(tmp_path: Path) -> None:
    with Cluster(2, tmp_path) as cluster:
        client = cluster.island.client(DataIslandManagerClient)
        first, second = cluster.nodes
        second.process.send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            assert names(client.cluster()) == [first.name, second.name]
            assert time.monotonic() - begun < 1.0
            found = Cluster.wait_until(client.cluster, lambda c: not c["nodes"][1]["alive"])
            assert found["nodes"][0]["alive"] is True
            assert client.nodes() == [first.name]
        finally:
            second.process.send_signal(signal.SIGCONT)
        Cluster.wait_until(client.cluster, lambda c: c["nodes"][1]["alive"])
        client.remove_node(second.name)
        assert names(client.cluster()) == [first.name]
