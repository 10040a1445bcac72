"""The images of all roles, and the cluster of the compose file, on a Docker engine."""

from __future__ import annotations

import json
import os
import re
import sys
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from dlg.clients import Access, MasterManagerClient, find_access
from tests.deploy.conftest import Site, commands

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

FINISHED = 4
SERVICES = ("node1", "node2", "island", "master")


FOUND = "for i in $(seq 100); do dlg cluster | grep ' alive ' && exit; done; dlg cluster; exit 1"
"""A script that waits until the master of this host has a node."""


def until_well(place: str) -> str:
    """Return a script that asks whether somebody is well until he is, or gives up."""
    return f"for i in $(seq 100); do dlg health {place} 2>/tmp/why && exit; done; cat /tmp/why"


@pytest.fixture(scope="module")
def cluster(site: Site) -> Site:
    """Start the cluster with the first of the three commands, and submit with the second."""
    up, submit, look = commands()
    site.type(up)
    site.said["submit"] = site.type(submit)
    site.said["look"] = site.type(look)
    return site


@pytest.fixture(scope="module")
def keys(cluster: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the cluster, taken out of a container."""
    file = tmp_path_factory.mktemp("keys") / "cluster.toml"
    file.touch(0o600)
    file.write_text(cluster.docker("exec", cluster.container("master"), "cat",
                                   "/etc/dlg/cluster.toml"))  # fmt: skip
    return file


@pytest.fixture(scope="module")
def access(cluster: Site, keys: Path) -> Access:
    """Return what that file lets somebody on this machine do."""
    return find_access("localhost", cluster.port, cluster=keys)


def test_three_commands_start_a_cluster_run_a_graph_and_show_it(
    cluster: Site, access: Access
) -> None:
    assert re.search(r"^FINISHED: 39 drops, 2 nodes", cluster.said["submit"], re.MULTILINE)
    shown = re.fullmatch(r'token = "(\S+)"\s*', cluster.said["look"])
    assert shown
    assert shown[1] == access.token
    page = HTTPSConnection("localhost", cluster.port, context=access.tls, timeout=60)
    page.request("GET", "/")
    answer = page.getresponse()
    assert answer.status == 200
    assert b"static/cluster" in answer.read()
    page.request("GET", "/api/v1/sessions", headers={"Authorization": f"Bearer {shown[1]}"})
    (session,) = json.loads(page.getresponse().read())["sessions"]
    page.close()
    assert session["sessionId"].startswith("tutorial-")
    assert session["status"] == FINISHED


def test_nobody_without_the_token_is_let_in(cluster: Site, access: Access) -> None:
    page = HTTPSConnection("localhost", cluster.port, context=access.tls, timeout=60)
    page.request("GET", "/api/sessions")
    assert page.getresponse().status == 401
    page.close()


def test_nodes_are_known_by_the_names_of_their_services(cluster: Site, access: Access) -> None:
    master = MasterManagerClient(
        "localhost", cluster.port, token=access.token, tls=access.tls, timeout=60
    )
    names = {node["name"]: node["alive"] for node in master.cluster()["nodes"]}
    assert names == {f"{name}:8000:5555:6666": True for name in ("node1", "node2")}


def test_with_the_file_graphs_are_submitted_from_outside_too(cluster: Site, keys: Path) -> None:
    graph = str(cluster.folder / "graphs" / "tutorial" / "tutorial.graph")
    told = cluster.call(
        sys.executable, "-m", "dlg_engine.cli", "submit", "-H", "localhost",
        "-P", str(cluster.port), "--cluster", str(keys), graph,
    )  # fmt: skip
    assert "FINISHED: 39 drops, 2 nodes" in told.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_well_and_have_no_more_rights_than_they_need(
    cluster: Site, service: str
) -> None:
    one = cluster.container(service)
    (about,) = json.loads(cluster.docker("inspect", one))
    assert about["State"]["Health"]["Status"] == "healthy"
    assert about["Config"]["User"] == "10001:10001"
    assert about["HostConfig"]["ReadonlyRootfs"]
    assert about["HostConfig"]["CapDrop"] == ["ALL"]
    refused = cluster.call("docker", "exec", one, "touch", "/opt/dlg/x", check=False)
    assert refused.returncode != 0
    published = [p for ports in about["HostConfig"]["PortBindings"].values() for p in ports]
    assert {p["HostIp"] for p in published} == ({"127.0.0.1"} if service == "master" else set())


def test_what_apps_leave_behind_is_reaped(cluster: Site) -> None:
    """A child that nobody waits for becomes one of the first process, which is no manager."""
    node = cluster.container("node1")
    cluster.docker("exec", node, "sh", "-c", "(true & exec true) & wait")
    processes = cluster.docker("top", node, "-o", "pid,stat,comm").splitlines()[1:]
    assert len(processes) == 2
    assert not [one for one in processes if one.split()[1].startswith("Z")]


def test_a_secret_is_read_as_kubernetes_mounts_it(cluster: Site, keys: Path) -> None:
    """It is root's, and the group of the pod may read it; what all may read is no secret."""
    os.chown(keys, 0, 10001)
    mount = f"{keys}:/etc/dlg/cluster.toml:ro"
    show = ["docker", "run", "--rm", "-v", mount, f"{cluster.project}-node", "keys", "show"]
    keys.chmod(0o440)
    assert cluster.call(*show).stdout.startswith("cluster      compose\n")
    keys.chmod(0o444)
    refused = cluster.call(*show, check=False)
    keys.chmod(0o600)
    assert refused.returncode == 2
    assert "others can read this file" in refused.stderr


def test_a_node_without_the_file_of_a_cluster_does_not_begin(cluster: Site) -> None:
    done = cluster.call("docker", "run", "--rm", f"{cluster.project}-node", check=False)
    assert done.returncode == 2
    assert "dlg keys new" in done.stderr


def test_the_other_images_begin_and_are_well(cluster: Site) -> None:
    """Each is asked as its own health check asks."""
    keys = f"{cluster.project}_keys:/etc/dlg:ro"
    prefix = f"{cluster.folder}/graphs/beat/prefix:/prefix:ro"
    roles = {
        "daemon": ("localhost:9000", ["-v", keys]),
        "translator": ("http://localhost:8084", []),
        "scheduler": ("localhost:8600", ["-v", keys, "-v", prefix, "--tmpfs=/cache:uid=10001"]),
    }
    for role, (place, more) in roles.items():
        image = cluster.build(role)
        started = cluster.docker("run", "-d", "--read-only", "--tmpfs=/tmp",
                                 "--tmpfs=/var/lib/dlg:uid=10001", *more, image)  # fmt: skip
        try:
            said = cluster.docker("exec", started, "sh", "-c", until_well(place))
            assert said.endswith("answers")
            if role == "daemon":
                cluster.docker("exec", started, "sh", "-c", FOUND)
        finally:
            cluster.docker("stop", "--time=30", started)
            code = cluster.docker("inspect", "-f", "{{.State.ExitCode}}", started)
            cluster.docker("rm", "-f", "-v", started)
        assert code == "0"
    assert "SCHEDULER" in cluster.docker("run", "--rm", cluster.build("worker"), "beat", "worker",
                                         "--help")  # fmt: skip


def test_a_manager_that_is_told_to_stop_ends_by_itself_and_well(cluster: Site) -> None:
    """The signal reaches it though it is not the first process."""
    node = cluster.container("node2")
    cluster.docker("stop", "--time=60", node)
    assert cluster.docker("inspect", "-f", "{{.State.ExitCode}}", node) == "0"
