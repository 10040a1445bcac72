"""A master that has the daemons of hosts start and end managers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from dlg.clients import DataIslandManagerClient, ManagerRefusedError
from tests.dlg_engine.daemon.conftest import Daemon, Daemons

ALONE = "--no-zeroconf"


@pytest.fixture
def head(daemons: Daemons) -> Daemon:
    return daemons(ALONE, "--mm")


@pytest.fixture
def worker(daemons: Daemons) -> Daemon:
    return daemons(ALONE)


def host_of(daemon: Daemon) -> str:
    return urlsplit(daemon.url).netloc


def test_a_master_starts_nodes_and_an_island_on_another_host(head: Daemon, worker: Daemon) -> None:
    link, host = head.master.link, host_of(worker)
    assert link.get("managers", host, "node") == {"pid": None}
    link.post("managers", host, "node", "start")
    assert link.get("managers", host, "node")["pid"] == worker.rest.about("node")["pid"]
    node = worker.rest.about("node")["name"]
    found = link.post("managers", host, "island", body={"nodes": [node]})
    island = worker.rest.about("island")["name"]
    assert found == {"islands": [island]}
    assert head.master.islands() == [island]
    assert head.master.nodes() == [node]
    assert link.get("managers", host, "island")["pid"] == worker.rest.about("island")["pid"]
    assert link.get("managers", host, "master") == {"pid": None}
    assert link.post("managers", host, "node", "stop") == {"Status": "Success"}
    assert worker.rest.managers()["node"] is None


def test_a_master_gives_nodes_to_the_island_of_a_host_and_takes_them_away(
    head: Daemon, worker: Daemon
) -> None:
    link, host = head.master.link, host_of(worker)
    link.post("managers", host, "island", body={"nodes": []})
    link.post("managers", host, "node", "start")
    node = worker.rest.about("node")["name"]
    where = urlsplit(worker.url).hostname or ""
    assert link.post("managers", where, "node", node) == {"Status": "Success"}
    assert [one["name"] for one in _island(worker).cluster()["nodes"]] == [node]
    assert link.delete("managers", where, "node", node) == {"Status": "Success"}
    assert _island(worker).nodes() == []


def _island(worker: Daemon) -> DataIslandManagerClient:
    port = urlsplit(worker.rest.about("island")["url"]).port
    return DataIslandManagerClient("127.0.0.1", port, token="")


def test_what_a_daemon_refuses_is_told(head: Daemon, worker: Daemon) -> None:
    link, host = head.master.link, host_of(worker)
    with pytest.raises(ManagerRefusedError, match="no node manager runs on this host"):
        link.post("managers", host, "node", "stop")
    with pytest.raises(ManagerRefusedError, match=r"no daemon: .*http://127\.0\.0\.1:1"):
        link.get("managers", "127.0.0.1:1", "node")
    with pytest.raises(ManagerRefusedError, match="there is no island on host 'elsewhere'"):
        link.post("managers", "elsewhere", "node", "a:1:2:3")
