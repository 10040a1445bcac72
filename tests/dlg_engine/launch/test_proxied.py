"""The pages of a job, shown outside of its batch system by a proxy that goes to a monitor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.support.cluster_file import read_cluster_file
from dlg.testing import graphs
from tests.dlg_engine.cli.conftest import function_app
from tests.dlg_engine.launch.slurm import end, until

CLI = (sys.executable, "-m", "dlg_engine.cli")


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[dict[str, Any]]:
    env = {**os.environ, "DLG_CONFIG_DIR": str(tmp_path / "config")}
    words = [*CLI, "monitor", "-o", "0", "-c", "0", "--no-publication", "--json"]
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


def asked(url: str, cluster: Path) -> dict[str, Any]:
    """Return what the manager of a cluster answers, or nothing where none is there yet."""
    try:
        token = read_cluster_file(cluster).token
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, UsageError):
        return {}
    return found


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_session_of_a_job_is_seen_at_the_monitor_while_it_runs(
    monitor: dict[str, Any], tmp_path: Path
) -> None:
    go_on = tmp_path / "go_on"
    function = (
        "def f():\n    import pathlib, time\n"
        f"    while not pathlib.Path({str(go_on)!r}).exists():\n        time.sleep(0.1)\n"
    )
    graph = tmp_path / "g.json"
    graph.write_text(json.dumps([function_app("a", function, ["d"]), graphs.data("d")]))
    env = {**os.environ, "DLG_CONFIG_DIR": str(tmp_path / "config")}
    words = [*CLI, "create-job", str(graph), "-f", "local", "--submit", "--name", "seen_there",
             "-p", "-m", "localhost", "-o", str(monitor["proxy_port"])]  # fmt: skip
    job = subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL)
    directory = tmp_path / "dlg-jobs" / "seen_there"
    try:
        url = f"{str(monitor['url']).rstrip('/')}/seen-there/api/v1/sessions/seen_there"
        told = until(
            lambda: asked(url, directory / "cluster.toml"), "the session is not seen", 120
        )
        assert told["sessionId"] == "seen_there"
        go_on.touch()
        assert job.wait(120) == 0
    finally:
        go_on.touch()
        end(job)
    assert json.loads((directory / "report.json").read_text())["state"] == "FINISHED"
