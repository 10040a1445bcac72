"""Daemons on hosts of one network: those of a cluster find each other, and serve nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.clients import DaemonClient, MasterManagerClient, find_access
from dlg.exceptions import DaliugeException
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg_engine.testing.hosts import Hosts
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import Specs, app, data

FINISHED = 4

MAKE = "def make(x):\n    return {'an': {x, 2}}"
COUNT = "def count(x):\n    return len(x['an'])"


def enrol(folder: Path, name: str) -> ClusterFile:
    return write_cluster_file(folder / f"{name}.toml", name, new_pair(), new_certificate(name))


class Network:
    """Three hosts: two belong to one cluster, the third to another."""

    def __init__(self, hosts: Hosts, folder: Path) -> None:
        self.hosts, self.folder = hosts.hosts, folder
        self.night, self.day = enrol(folder, "night"), enrol(folder, "day")
        self.stranger = self.start(2, self.day, "--nm", "--dim", "--mm")
        self.worker = self.start(1, self.night, "--nm")
        self.head = self.start(0, self.night, "--nm", "--dim", "--mm")

    def start(self, number: int, cluster: ClusterFile, *roles: str) -> Process:
        host, place = self.hosts[number], self.folder / f"h{number}"
        process = Process(
            "daemon", "-H", host.address, "--cluster", str(cluster.path), "--deadline", "0", "-v",
            *roles, workdir=place,
            on=("ip", "netns", "exec", host.space, "env", f"DLG_ROOT={place / 'root'}"),
        )  # fmt: skip
        host.processes.append(process)
        return process

    def master(self, number: int, cluster: ClusterFile) -> MasterManagerClient:
        address = self.hosts[number].address
        access = find_access(address, 8002, cluster=cluster.path)
        return MasterManagerClient(address, 8002, token=access.token, tls=access.tls)

    def daemon(self, number: int, cluster: ClusterFile) -> DaemonClient:
        address = self.hosts[number].address
        access = find_access(address, 9000, cluster=cluster.path)
        return DaemonClient(address, token=access.token, tls=access.tls)

    def names(self, *numbers: int) -> list[str]:
        return [f"{self.hosts[number].address}:8000:5555:6666" for number in numbers]


@pytest.fixture
def network(hosts: Hosts, tmp_path: Path) -> Network:
    return Network(hosts, tmp_path)


def alive(master: MasterManagerClient) -> list[str]:
    return sorted(node["name"] for node in master.cluster()["nodes"] if node["alive"])


def graph(one: str, two: str) -> Specs:
    return [
        data("x", one, pydata=1),
        app("make", MAKE, one, inputs=["x"], outputs=["made"]),
        data("made", one),
        app("count", COUNT, two, inputs=["made"], outputs=["size"]),
        data("size", two),
    ]


def run(master: MasterManagerClient, session: str, specs: Specs) -> dict[str, Any]:
    master.create_session(session)
    master.append_graph(session, specs)
    master.deploy_session(session)
    return Cluster.wait_until(lambda: master.session_summary(session), lambda s: s["status"] > 3)


def test_hosts_of_a_cluster_find_each_other_and_those_of_another_stay_apart(
    network: Network,
) -> None:
    master = network.master(0, network.night)
    other = network.master(2, network.day)
    Cluster.wait_until(lambda: sorted(master.nodes()), lambda n: n == network.names(0, 1))
    Cluster.wait_until(other.nodes, lambda n: n == network.names(2))
    found = run(master, "night", graph(*network.names(0, 1)))
    assert found["status"] == FINISHED, found
    assert sorted(master.nodes()) == network.names(0, 1)
    with pytest.raises(DaliugeException, match="does not answer.*same file of the cluster"):
        other.add_island(network.master(0, network.night).islands()[0])
    with pytest.raises(DaliugeException, match="it has another certificate"):
        network.master(0, network.day).nodes()


def test_a_host_that_leaves_is_let_go_and_a_master_starts_it_again(network: Network) -> None:
    master = network.master(0, network.night)
    both, first = network.names(0, 1), network.names(0)
    Cluster.wait_until(lambda: alive(master), lambda n: n == both)
    where = network.hosts[1].address
    master.link.post("managers", where, "node", "stop")
    assert network.daemon(1, network.night).managers()["node"] is None
    Cluster.wait_until(
        lambda: [n["name"] for n in master.cluster()["nodes"]], lambda n: n == first
    )
    master.link.post("managers", where, "node", "start")
    Cluster.wait_until(lambda: alive(master), lambda n: n == both)


def test_a_host_that_is_cut_off_is_missed_though_it_is_still_announced(network: Network) -> None:
    master = network.master(0, network.night)
    both, first = network.names(0, 1), network.names(0)
    Cluster.wait_until(lambda: alive(master), lambda n: n == both)
    network.hosts[1].cut()
    Cluster.wait_until(lambda: alive(master), lambda n: n == first)
    network.hosts[1].heal()
    Cluster.wait_until(lambda: alive(master), lambda n: n == both)
