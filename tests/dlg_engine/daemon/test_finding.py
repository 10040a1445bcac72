"""Daemons that find each other by zeroconf, here on loopback."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest

from dlg.clients import MasterManagerClient
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.daemon.conftest import Daemon, Daemons
from tests.dlg_engine.managers.conftest import app, data

FINISHED = 4
DOUBLE = "def double(x):\n    return 2 * x"
_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"test{os.getpid()}-{next(_numbers)}"


def alive(master: MasterManagerClient) -> list[str]:
    return sorted(node["name"] for node in master.cluster()["nodes"] if node["alive"])


def node_of(daemon: Daemon) -> str:
    return str(daemon.rest.about("node")["name"])


def wait_for(master: MasterManagerClient, *daemons: Daemon) -> list[str]:
    wanted = sorted(map(node_of, daemons))
    return Cluster.wait_until(lambda: alive(master), lambda found: found == wanted)


def test_nodes_find_the_master_of_their_cluster_and_a_graph_runs_over_them(
    daemons: Daemons, name: str
) -> None:
    worker = daemons("--nm", "--cluster-name", name)
    stranger = daemons("--nm", "--cluster-name", f"{name}-other")
    head = daemons("--nm", "--dim", "--mm", "--cluster-name", name)
    late = daemons("--nm", "--cluster-name", name)
    master = head.master
    nodes = wait_for(master, head, worker, late)
    assert node_of(stranger) not in [node["name"] for node in master.cluster()["nodes"]]
    Cluster.wait_until(lambda: sorted(master.nodes()), lambda found: found == nodes)
    island = head.rest.about("island")["name"]
    assert master.islands() == [island]
    specs = [data("d0", nodes[0], pydata=1)]
    for i, node in enumerate(nodes):
        specs.append(app(f"a{i}", DOUBLE, node, inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", node))
    master.create_session("night")
    master.append_graph("night", specs)
    master.deploy_session("night")
    found: Any = Cluster.wait_until(
        lambda: master.session_summary("night"), lambda s: s["status"] > 3
    )
    assert found["status"] == FINISHED, found


def test_a_node_that_leaves_is_let_go_and_one_that_returns_is_taken_in(
    daemons: Daemons, name: str
) -> None:
    head = daemons("--nm", "--dim", "--mm", "--cluster-name", name)
    worker = daemons("--nm", "--cluster-name", name)
    wait_for(head.master, head, worker)
    worker.rest.stop("node")
    wait_for(head.master, head)
    assert len(head.master.cluster()["nodes"]) == 1  # it has left, and is not missed
    worker.rest.start("node")
    wait_for(head.master, head, worker)


def test_an_island_that_is_stopped_gives_its_nodes_to_another(daemons: Daemons, name: str) -> None:
    head = daemons("--nm", "--dim", "--mm", "--cluster-name", name)
    second = daemons("--dim", "--cluster-name", name)
    master = head.master
    Cluster.wait_until(master.islands, lambda found: len(found) == 2)
    wait_for(master, head)
    home = master.cluster()["nodes"][0]["island"]
    owner, other = (head, second) if home == head.rest.about("island")["name"] else (second, head)
    expected = other.rest.about("island")["name"]
    owner.rest.stop("island")
    Cluster.wait_until(
        lambda: [node["island"] for node in master.cluster()["nodes"]],
        lambda found: found == [expected],
    )
    assert master.islands() == [expected]


def test_a_master_that_was_killed_is_told_of_all_again(daemons: Daemons, name: str) -> None:
    head = daemons("--nm", "--dim", "--mm", "--cluster-name", name)
    wait_for(head.master, head)
    before = head.rest.about("master")
    os.kill(before["pid"], 9)
    Cluster.wait_until(
        lambda: head.rest.about("master")["pid"], lambda pid: pid not in {None, before["pid"]}
    )
    wait_for(head.master, head)
