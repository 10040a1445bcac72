"""A disk that is full, and a link that is slow: the one fails what needs it, the other nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg_engine.testing.hosts import Hosts
from dlg_engine.testing.slow_link import TUN, Slowness
from tests.dlg_engine.managers.conftest import data
from tests.netns.network import Network, Session, bash, file

FILL = "def fill(x):\n    return b'x' * (4 << 20)"


@pytest.fixture
def small_disk(hosts: Hosts, tmp_path: Path) -> Iterator[Path]:
    """The place of the third node's sessions, where there is room for a megabyte."""
    place = tmp_path / "h3" / "work"
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", place], check=True)
    yield place
    hosts.hosts[2].end()
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("how", ["an app of python", "a command"])
def test_a_full_disk_fails_the_session_with_the_path_and_the_node_and_nothing_else(
    hosts: Hosts, small_disk: Path, tmp_path: Path, how: str
) -> None:
    network = Network(hosts, tmp_path)
    client, (one, two, three) = network.client, network.names
    other = Session(client, "other", [two, one], tmp_path)
    other.wait_until_it_waits()
    if how == "a command":
        fills = bash("fills", "head -c 4000000 /dev/zero > %o0", three)
    else:
        cls = "dlg.apps.python_function.PyFuncApp"
        fills = bash("fills", "", three) | {"dropclass": cls, "func_code": FILL}
    client.create_session("full")
    client.append_graph("full", [
        data("a", two, pydata=1), fills | {"inputs": ["a"], "outputs": ["big"]},
        file("big", three) | {"filepath": "big.bin"},
        bash("reads", "cat %i0 > %o0", one) | {"inputs": ["big"], "outputs": ["copy"]},
        file("copy", one),
    ])  # fmt: skip
    client.deploy_session("full")
    told = Session.ended_on(client, "full")
    assert told["state"] == "FAILED"
    errors = {error["uid"]: error for error in told["errors"]}
    assert errors["fills"]["node"] == three
    assert "No space left on device" in errors["fills"]["exception"]
    if how != "a command":  # which says what it likes
        assert str(small_disk / "full" / "big.bin") in errors["fills"]["exception"]
    other.let_go()
    assert other.end()["state"] == "FINISHED"
    after = Session(client, "after", [two, three, one], tmp_path)  # that needs no file there
    after.wait_until_it_waits()
    after.let_go()
    assert after.end()["state"] == "FINISHED"
    assert sorted(network.client.nodes()) == sorted(network.names)


@pytest.mark.skipif(not TUN.exists(), reason=f"there is no {TUN} to make a slow link of")
def test_a_link_that_is_slow_and_loses_frames_makes_it_only_slower(tmp_path: Path) -> None:
    with Hosts(3, slow={3: Slowness(0.2, 0.05)}) as hosts:
        network = Network(hosts, tmp_path)
        session = Session(network.client, "slow", network.names * 3, tmp_path)
        session.wait_until_it_waits()
        session.let_go()
        assert session.end()["state"] == "FINISHED"
        assert network.client.nodes() == network.names
