"""A cluster on a host that nobody can connect to: its proxy goes out, and so it is used."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from dlg.clients import NodeManagerClient
from dlg.clients.events import follow
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import write_cluster_file
from dlg_engine.testing.hosts import Host, Hosts
from dlg_engine.testing.processes import Process
from tests.dlg_engine.managers.conftest import data


def lets_nobody_in(host: Host) -> None:
    """Have a host drop whatever would begin a connection to it."""
    if shutil.which("iptables") is None:
        pytest.skip("there is no iptables to make a firewall of")
    command = ["ip", "netns", "exec", host.space, "iptables", "-A", "INPUT", "-i", "eth0", "-p",
               "tcp", "--syn", "-j", "DROP"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no firewall can be made: {done.stderr.strip()}")


def test_a_manager_is_used_over_a_connection_that_its_proxy_has_made(
    hosts: Hosts, tmp_path: Path
) -> None:
    inside, outside, _ = hosts.hosts
    cluster, gateway = (
        write_cluster_file(tmp_path / f"{name}.toml", name, new_pair(), new_certificate(name)).path
        for name in ("inside", "gateway")
    )
    node = inside.start("nm", "-P", "8000", workdir=tmp_path / "nm", cluster=cluster)
    lets_nobody_in(inside)
    with pytest.raises(TimeoutError):
        socket.create_connection((inside.address, 8000), timeout=2)
    monitor = outside.start("monitor", workdir=tmp_path / "monitor", cluster=gateway)
    proxy = Process(
        "proxy", "-m", outside.address, "-d", inside.address, "-f", "8000", "-i", "inside",
        "--cluster", str(cluster), "--monitor-cluster", str(gateway),
        workdir=tmp_path / "proxy", on=("ip", "netns", "exec", inside.space),
    )  # fmt: skip
    inside.processes.append(proxy)
    assert monitor.url == f"https://{outside.address}:30001"
    assert proxy.url == f"https://{outside.address}:20000/"
    client = proxy.client(NodeManagerClient, gateway)
    client.create_session("night")
    client.append_graph("night", [data("a", node.name, pydata=1)])
    client.deploy_session("night")
    *_, last = follow(client.link, "night")
    assert last.data["state"] == "FINISHED"
