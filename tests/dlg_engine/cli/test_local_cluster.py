from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import MasterManagerClient
from dlg.support.processes import ExistingProcess
from dlg_engine.cli.local_cluster import claimed
from dlg_engine.daemon.local_cluster import is_free, port_of
from tests.dlg_engine.cli.conftest import Shell

PATIENCE_S = 60


class Started:
    """A cluster that a command line runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.told: dict[str, Any] = json.loads(process.stdout.readline())
        self.managers = [self.told["master"], *self.told["islands"], *self.told["nodes"]]
        self.pids = [ExistingProcess(one["pid"]) for one in self.managers]

    @property
    def port(self) -> int:
        return port_of(self.told["master"]["url"])

    def wait_for_all(self) -> None:
        for pid in self.pids:
            pid.wait(PATIENCE_S)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    command = ["local-cluster", "-n", "2", "--port", "0", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "dlg_engine.cli", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        yield Started(process)
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_clusters_that_run_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("mine", "mine-2", "mine-3")]
    with ExitStack() as running:
        claims = [running.enter_context(closing(claimed(tmp_path / "mine"))) for _ in places]
        assert [claim.path.parent for claim in claims] == places
        claims[1].close()
        again = running.enter_context(closing(claimed(tmp_path / "mine")))
        assert again.path.parent == places[1]


def test_a_folder_that_cannot_be_made_is_not_taken_for_one_in_use(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        claimed(tmp_path / "file")


def test_a_master_an_island_and_nodes_know_each_other(started: Started) -> None:
    client = MasterManagerClient("127.0.0.1", started.port)
    assert client.nodes() == [node["name"] for node in started.told["nodes"]]
    assert client.islands() == [started.told["islands"][0]["name"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_process_ends_with_the_cluster(started: Started, number: signal.Signals) -> None:
    os.kill(started.process.pid, number)
    assert started.process.wait(PATIENCE_S) == 0
    started.wait_for_all()


def test_no_process_is_left_of_a_cluster_that_is_killed(started: Started) -> None:
    started.process.kill()
    started.wait_for_all()


def test_a_node_that_dies_is_told_with_what_brings_it_back(started: Started) -> None:
    dead = started.told["nodes"][1]
    os.kill(dead["pid"], signal.SIGKILL)
    assert started.process.stderr is not None
    said = started.process.stderr.readline()
    assert f"the node2 {dead['name']} was killed by signal 9" in said
    started.process.stderr.readline()
    cure = started.process.stderr.readline().split()
    assert cure[:4] == ["dlg", "nm", "-P", str(port_of(dead["url"]))]


def test_a_cluster_whose_managers_have_all_died_has_failed(started: Started) -> None:
    for one in started.managers:
        os.kill(one["pid"], signal.SIGKILL)
    assert started.process.wait(PATIENCE_S) == 1


def test_a_port_that_is_taken_is_refused(shell: Shell) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = shell("local-cluster", "--port", str(port))
    assert result.returncode == 2
    assert f"port {port} is taken" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_is_free_until_somebody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert not is_free(taken.getsockname()[1])
