"""A data island manager of the existing system, as it is, drives our nodes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlg_engine.testing.processes import Cluster

PEER = Path(os.environ.get("DLG_PEER", "build/peer/bin/python"))
DRIVER = Path(__file__).with_name("drive.py")
PATIENCE_S = 100
FINISHED = 4

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.exists(), reason=f"the existing system is not there: {PEER}"),
]


@contextmanager
def existing_island(nodes: list[str], workdir: Path, env: dict[str, str]) -> Iterator[int]:
    """Run such an island over `nodes`; yield its port once it listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [str(PEER.absolute().with_name("dlg")), "dim", "-H", "127.0.0.1", "-P", str(port)]
    with (workdir / "island.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-N", ",".join(nodes)], cwd=workdir, env=env, stdout=log, stderr=log
        )
    try:
        Cluster.wait_until(lambda: _listens(port), bool)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_an_existing_island_runs_a_graph_over_our_nodes(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with Cluster(2, tmp_path / "cluster") as cluster:
        nodes = [node.name for node in cluster.nodes]
        with existing_island(nodes, tmp_path, env) as port:
            done = subprocess.run(
                [str(PEER.absolute()), str(DRIVER), "island", "127.0.0.1", str(port), "night",
                 *nodes],
                cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
                timeout=PATIENCE_S,
            )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    drops = ["a0", "a1", "a2", "a3", "d0", "d1", "d2", "d3", "d4"]
    assert (said["size"], said["drops"], said["graph"]) == (9, drops, drops)
    assert said["status"] == [FINISHED, FINISHED]
    assert said["listed"] is True
