"""What the tests of the command line share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlg.clients import MasterManagerClient
from dlg.testing import graphs
from dlg_engine.cli.main import cli
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of
from dlg_engine.testing.processes import Cluster

Dlg = Callable[..., Result]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[[str, Any], str]
Start = Callable[..., "subprocess.Popen[str]"]
PATIENCE_S = 60


@pytest.fixture
def dlg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dlg:
    """Run a command line in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*args: str, stdin: bytes | str | None = None, color: bool = False) -> Result:
        return CliRunner().invoke(cli, list(args), input=stdin, prog_name="dlg", color=color)

    return call


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a command line as a process of its own, in an empty directory."""

    def call(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dlg_engine.cli", *args]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False,
            timeout=60,
        )  # fmt: skip

    return call


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a graph as JSON, and return where."""

    def call(name: str, graph: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(graph))
        return str(path)

    return call


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A master, an island and three nodes, each a process; tests share it."""
    place = tmp_path_factory.mktemp("cluster")
    options = ClusterOptions(nodes=3, workdir=place, port=0, cwd=place, store=place / "store")
    with LocalCluster(options) as found:
        yield found


@pytest.fixture
def master(cluster: LocalCluster) -> MasterManagerClient:
    """A client of its master."""
    return MasterManagerClient("127.0.0.1", port_of(cluster.master.url))


@pytest.fixture
def at(cluster: LocalCluster) -> tuple[str, ...]:
    """The options that lead a command there."""
    return ("-H", "127.0.0.1", "-P", str(port_of(cluster.master.url)))


def function_app(oid: str, function: str, outputs: Sequence[str] = ()) -> dict[str, Any]:
    """Return the spec of an app that calls a function given by its source."""
    return {
        "oid": oid,
        "name": oid,
        "categoryType": "Application",
        "dropclass": "dlg.apps.python_function.PyFuncApp",
        "func_code": function,
        "outputs": list(outputs),
    }


def failing() -> list[dict[str, Any]]:
    return [
        function_app("bad", "def f():\n    raise ValueError('no such star')", ["d1"]),
        graphs.data("d1", ["after"]),
        graphs.app("after", ["d2"]),
        graphs.data("d2"),
    ]


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """What a waiting graph waits for: somebody who opens it to write."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture
def waiting(gate: Path, write: Write) -> str:
    """A graph that waits at the gate."""
    wait = {"oid": "wait", "categoryType": "Application", "command": f"cat {gate} > %o0",
            "dropclass": "dlg.apps.bash_shell_app.BashShellApp", "outputs": ["end"]}  # fmt: skip
    file = {"oid": "end", "categoryType": "Data", "filepath": "end.txt",
            "dropclass": "dlg.data.drops.file.FileDROP"}  # fmt: skip
    return write("waiting.json", [wait, file])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command line as a process, which is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def call(*args: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "dlg_engine.cli", *args], cwd=tmp_path, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


def until_it_runs(master: MasterManagerClient, session_id: str) -> None:
    """Return when the app of a waiting graph runs."""
    Cluster.wait_until(
        lambda: [one["sessionId"] for one in master.sessions()], lambda ids: session_id in ids
    )
    Cluster.wait_until(lambda: master.session_summary(session_id), lambda s: s["status"] >= 3)
    Cluster.wait_until(
        lambda: master.graph_status(session_id)["wait"], lambda app: app.get("execStatus") == 1
    )
