"""The client of the existing system's master, as it is, has our daemons make islands."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.dlg_engine.daemon.conftest import Daemon

PEER = Path(os.environ.get("DLG_PEER", "build/peer/bin/python"))
DRIVER = Path(__file__).with_name("hosts.py")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.exists(), reason=f"the existing system is not there: {PEER}"),
]


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Daemon]:
    found = Daemon("--no-zeroconf", "--mm", workdir=tmp_path / "head")
    yield found
    found.end()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Daemon]:
    found = Daemon("--no-zeroconf", "--nm", workdir=tmp_path / "worker")
    yield found
    found.end()


def test_an_existing_client_makes_an_island_on_a_host_and_gives_it_a_node(
    head: Daemon, worker: Daemon, tmp_path: Path
) -> None:
    port = urlsplit(head.rest.about("master")["url"]).port
    node = worker.rest.about("node")["name"]
    command = [str(PEER.absolute()), str(DRIVER), str(port), urlsplit(worker.url).netloc]
    done = subprocess.run(
        [*command, "127.0.0.1", node],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    island = worker.rest.about("island")["name"]
    assert json.loads(done.stdout) == {
        "none": {"islands": []},
        "made": {"islands": [island]},
        "nodes": {"nodes": [node]},
        "gone": {"islands": []},
    }
