"""The clients of the existing system, as they are, drive our managers at all levels."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dlg_engine.testing.processes import Cluster

PEER = Path(os.environ.get("DLG_PEER", "build/peer/bin/python"))
DRIVER = Path(__file__).with_name("drive.py")
FINISHED = 4

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.exists(), reason=f"the existing system is not there: {PEER}"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.mark.parametrize("level", ["node", "island", "master"])
def test_an_existing_client_takes_a_session_through_its_life(
    cluster: Cluster, level: str, tmp_path: Path
) -> None:
    names = [node.name for node in cluster.nodes]
    process = {"node": cluster.nodes[0], "island": cluster.island, "master": cluster.master}[level]
    where = urlsplit(process.url)
    nodes = names[:1] if level == "node" else names
    command = [str(PEER.absolute()), str(DRIVER), level, str(where.hostname), str(where.port)]
    done = subprocess.run(
        [*command, f"night-{level}", *nodes],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    drops = ["a0", "a1", "a2", "a3", "d0", "d1", "d2", "d3", "d4"]
    assert (said["size"], said["drops"], said["graph"]) == (9, drops, drops)
    assert set(said["status"]) == {FINISHED}
    assert said["listed"] is True
    assert said["again"] == "SessionAlreadyExistsException"
    assert said["cancel"] == "InvalidSessionState"
    assert said["gone"] == "NoSessionException"
    expected = {"node": None, "island": names, "master": {"nodes": names}}
    assert said["nodes"] == expected[level]
