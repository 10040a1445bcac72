"""The daemon of a host, by its REST and its command line."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dlg.clients import (
    DataIslandManagerClient,
    Link,
    ManagerRefusedError,
    NodeManagerClient,
)
from dlg.exceptions import DaliugeException, InvalidSessionState
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import write_cluster_file
from dlg.support.processes import ExistingProcess
from dlg_engine.daemon.pid_files import read_pid
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.daemon.conftest import Daemons
from tests.dlg_engine.managers.conftest import data

RUNNING = 3
ALONE = "--no-zeroconf"
NOBODY = {"master": None, "island": None, "node": None}

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


def root(daemon_url: str) -> Link:
    parts = urlsplit(daemon_url)
    return Link(str(parts.hostname), int(parts.port or 0), root="")


def test_managers_are_started_looked_at_and_stopped_over_rest(daemons: Daemons) -> None:
    daemon = daemons(ALONE)
    link = root(daemon.url)
    assert link.get("") == link.get("managers") == NOBODY
    assert link.get("managers", "node") == {"pid": None}
    started = link.post("managers", "node", "start")
    assert link.get("managers") == {**NOBODY, "node": started["pid"]}
    assert link.get("managers", "node")["pid"] == started["pid"]
    with pytest.raises(ManagerRefusedError, match="runs already") as refused:
        link.post("managers", "node", "start")
    assert "status 409" in refused.value.__notes__[0]
    assert link.post("managers", "node", "stop") == {"Status": "Success"}
    assert link.get("managers") == NOBODY
    with pytest.raises(ManagerRefusedError, match="no node manager runs") as refused:
        link.post("managers", "node", "stop")
    assert "status 409" in refused.value.__notes__[0]


def test_an_island_is_started_with_its_nodes_also_with_one_that_is_not_there(
    daemons: Daemons,
) -> None:
    daemon = daemons(ALONE, "--nm")
    node = daemon.rest.about("node")["name"]
    gone = "127.0.0.1:1:2:3"
    started = daemon.rest.start("island", [node, gone])
    island = DataIslandManagerClient("127.0.0.1", urlsplit(started["url"]).port)
    assert island.nodes() == [node]
    alive = {one["name"]: one["alive"] for one in island.cluster()["nodes"]}
    assert alive == {node: True, gone: False}


def test_state_is_not_changed_by_get(daemons: Daemons) -> None:
    daemon = daemons(ALONE)
    with pytest.raises(ManagerRefusedError):
        root(daemon.url).get("managers", "node", "start")
    assert daemon.rest.managers() == NOBODY


def test_a_manager_that_is_killed_comes_back(daemons: Daemons) -> None:
    daemon = daemons(ALONE, "--nm")
    before = daemon.rest.about("node")
    os.kill(before["pid"], signal.SIGKILL)
    after = Cluster.wait_until(
        lambda: daemon.rest.about("node"), lambda a: a["pid"] not in {None, before["pid"]}
    )
    assert after["name"] == before["name"]
    assert "is started again" in daemon.log.read_text()


def test_a_daemon_ends_its_managers_with_itself(daemons: Daemons) -> None:
    daemon = daemons(ALONE, "--nm", "--dim", "--mm")
    pids = [pid for pid in daemon.rest.managers().values() if pid is not None]
    assert len(pids) == 3
    watched = [ExistingProcess(pid) for pid in pids]
    daemon.process.terminate()
    assert daemon.process.wait(60) == 0
    for one in watched:
        one.wait(1)
    assert list((daemon.workdir / "root" / "pid").iterdir()) == []


def test_what_cannot_start_is_told_and_nothing_is_left(shell: Shell, tmp_path: Path) -> None:
    done = shell("daemon", "-P", "0", "--any-ports", ALONE, "--nm", "--dim", "-N", "a:b")
    assert done.returncode == 1
    assert "the island ended at once: 'a:b' names no node" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "root" / "pid").iterdir()) == []


def test_a_daemon_of_a_cluster_wants_its_token_and_its_managers_do_too(
    daemons: Daemons, tmp_path: Path
) -> None:
    file = write_cluster_file(
        tmp_path / "night.toml", "night", new_pair(), new_certificate("night")
    )
    daemon = daemons(ALONE, "--nm", "--dim", "--mm", cluster=file.path)
    assert daemon.url.startswith("https://")
    assert daemon.master.islands() == []
    with pytest.raises(DaliugeException):
        root(daemon.url).get("managers")
    told = daemon.rest.link
    with pytest.raises(ManagerRefusedError, match="the token is missing"):
        Link(told.host, told.port, tls=told.tls, root="/managers").get()
    everything = daemon.log.read_text() + daemon.logged("NM") + daemon.logged("MM")
    assert file.token not in everything
    assert file.curve_secret not in everything


def test_it_listens_beyond_its_host_only_if_that_is_meant(shell: Shell) -> None:
    done = shell("daemon", "-H", "0.0.0.0", "-P", "0", ALONE)
    assert done.returncode == 2
    assert "dlg keys new" in done.stderr


@pytest.fixture
def node_options(tmp_path: Path) -> list[str]:
    return ["-P", "0", "--rpc-port", "0", "--event-port", "0", "-w", str(tmp_path / "work")]


def test_a_manager_goes_to_the_background_and_is_stopped_there(
    shell: Shell, tmp_path: Path, node_options: list[str]
) -> None:
    status = shell("nm", "-P", "0", "--status")
    assert (status.returncode, status.stdout) == (1, "it does not run\n")
    begun = shell("nm", *node_options, "--daemon", "-v", "-l", str(tmp_path / "logs"))
    assert begun.returncode == 0, begun.stderr
    pid = read_pid(tmp_path / "root" / "pid" / "dlgNM-0.pid")
    assert pid is not None
    try:
        assert f"as process {pid}" in begun.stdout
        assert shell("nm", "-P", "0", "--status").stdout == f"it runs as process {pid}\n"
        second = shell("nm", *node_options, "--daemon")
        assert second.returncode == 2
        assert f"it runs already, as process {pid}" in second.stderr
        url = begun.stdout.split()[3]
        client = NodeManagerClient("127.0.0.1", urlsplit(url).port, token="")
        assert client.sessions() == []
        stopped = shell("nm", "-P", "0", "--stop", "-T", "30")
        assert stopped.returncode == 0, stopped.stderr
        assert read_pid(tmp_path / "root" / "pid" / "dlgNM-0.pid") is None
        (log,) = (tmp_path / "logs").iterdir()
        assert log.name.startswith("dlgNM-0.")
        assert "200 GET /api/sessions" in log.read_text()
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_stopping_what_does_not_run_is_told(shell: Shell) -> None:
    done = shell("dim", "--stop")
    assert done.returncode == 1
    assert "it does not run in the background" in done.stderr


def test_what_does_not_start_in_the_background_is_told(shell: Shell, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = shell("nm", "-P", port, "--rpc-port", "0", "--event-port", "0", "--daemon")
    assert done.returncode == 1
    assert "the nm ended at once: cannot listen on 127.0.0.1" in done.stderr
    assert read_pid(tmp_path / "root" / "pid" / f"dlgNM-{port}.pid") is None


def sleeper(seconds: float) -> dict[str, object]:
    return {
        "oid": "s", "categoryType": "Application", "dropclass": "dlg.apps.sleep.SleepApp",
        "sleep_time": seconds, "inputs": ["d"], "outputs": ["e"],
    }  # fmt: skip


def refusal(client: NodeManagerClient, session: str) -> str:
    """Return why a session is not created, "" if it is."""
    try:
        client.create_session(session)
    except InvalidSessionState as error:
        return str(error)
    return ""


def test_a_node_that_is_told_to_end_lets_its_sessions_end_and_takes_no_new_ones(
    tmp_path: Path, node_options: list[str]
) -> None:
    node = Process("nm", *node_options, "--deadline", "60", workdir=tmp_path)
    try:
        client = node.client(NodeManagerClient)
        client.create_session("night")
        client.append_graph("night", [data("d", pydata=1), sleeper(3.0), data("e")])
        client.deploy_session("night")
        node.process.terminate()
        late = (f"late{number}" for number in itertools.count())
        told = Cluster.wait_until(lambda: refusal(client, next(late)), bool)
        assert "shutting down" in told
        assert client.session_status("night") == RUNNING
        assert node.process.wait(60) == 0
        assert "Traceback" not in node.log.read_text()
    finally:
        node.end()


def test_a_session_that_goes_on_beyond_the_deadline_does_not_keep_its_node(
    tmp_path: Path, node_options: list[str]
) -> None:
    node = Process("nm", *node_options, "--deadline", "0.2", workdir=tmp_path)
    try:
        client = node.client(NodeManagerClient)
        client.create_session("night")
        client.append_graph("night", [data("d", pydata=1), sleeper(600), data("e")])
        client.deploy_session("night")
        node.process.terminate()
        assert node.process.wait(20) == 0
    finally:
        node.end()
