"""Delayed calls on the nodes of a manager."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.clients import ManagerClient, MasterManagerClient
from dlg.clients.sending import SLACK, UntrustedManagerError, may_open_pickles, spread
from dlg.exceptions import UsageError
from dlg.runtime import compute, delayed
from dlg.runtime.remote import remake
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of

SCRIPT = """
import sys
from helper_of_a_script import double
from dlg.runtime import delayed

class Star:
    def __init__(self, name): self.name = name

class CloudyError(Exception):
    pass

def look(name):
    if name == "Nova": raise CloudyError("no " + name)
    return Star(name)

manager = sys.argv[1]
print(delayed(double)(delayed(len)([1, 2, 3])).compute(manager=manager))
print(delayed(look)("Vega").compute(manager=manager).name)
try:
    delayed(look)("Nova").compute(manager=manager)
except CloudyError as error:
    print("caught", error)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    place = tmp_path_factory.mktemp("cluster")
    with LocalCluster(ClusterOptions(nodes=2, workdir=place, port=0, cwd=place)) as found:
        yield found


@pytest.fixture(params=["master", "island", "node"])
def manager(cluster: LocalCluster, request: pytest.FixtureRequest) -> str:
    levels = {"master": cluster.master, "island": cluster.island, "node": cluster.nodes[0]}
    return f"127.0.0.1:{port_of(levels[request.param].url)}"


@pytest.fixture
def master(cluster: LocalCluster) -> str:
    return f"127.0.0.1:{port_of(cluster.master.url)}"


def test_the_same_comes_out_as_in_this_process(manager: str) -> None:
    parts = [delayed(lambda n: n * n)(n) for n in range(10)]
    total = delayed(sum)(parts)
    assert total.compute(manager=manager) == total.compute() == 285


def test_calls_run_on_all_nodes_and_not_here(cluster: LocalCluster, master: str) -> None:
    pids = compute([delayed(lambda n: os.getpid())(n) for n in range(20)], manager=master)
    assert set(pids) == {node.process.pid for node in cluster.nodes}


def test_arrays_and_several_values_come_back(master: str) -> None:
    field = np.arange(600_000, dtype=np.float64)
    doubled, size = compute(delayed(lambda a: a * 2)(field), delayed(len)(field), manager=master)
    assert np.array_equal(doubled, field * 2)
    assert size == 600_000


def test_an_exception_is_raised_as_its_class_with_the_remote_traceback(master: str) -> None:
    def look_for_it(stars: dict[str, int]) -> int:
        return stars["Nova"]

    with pytest.raises(KeyError) as caught:
        delayed(len)([delayed(look_for_it)({})]).compute(manager=master)
    assert caught.value.args == ("Nova",)
    note = "\n".join(caught.value.__notes__)
    assert "delayed call 'look_for_it', on node 127.0.0.1:" in note
    assert "in look_for_it" in note


def test_sessions_are_gone_afterwards(master: str) -> None:
    delayed(len)("abc").compute(manager=master)
    with pytest.raises(ZeroDivisionError):
        delayed(lambda: 1 // 0)().compute(manager=master)
    host, _, port = master.partition(":")
    assert MasterManagerClient(host, int(port)).sessions() == []


def test_functions_and_classes_of_a_script_and_of_modules_beside_it_travel_with_their_code(
    master: str, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helper_of_a_script.py").write_text("def double(x):\n    return 2 * x\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), master],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["6", "Vega", "caught no Nova"], done.stderr


@pytest.mark.parametrize("place", ["nowhere", "host:port", "a/b:1", ":8000"])
def test_what_names_no_manager_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="host:port"):
        delayed(len)("abc").compute(manager=place)


def test_pickles_of_strangers_are_not_opened() -> None:
    with pytest.raises(UntrustedManagerError, match="trust=True"):
        delayed(len)("abc").compute(manager="192.0.2.1:8002")
    assert may_open_pickles(ManagerClient("localhost", 8000, token=""))
    assert not may_open_pickles(ManagerClient("192.0.2.1", 8000, token="a-token-of-somebody"))


@pytest.mark.parametrize(
    ("name", "message", "args"),
    [
        ("builtins.ValueError", "no", (ValueError, "no")),
        ("builtins.KeyError", "'a'", (KeyError, "a")),
        ("json.JSONDecodeError", "text", (ValueError, "text")),
    ],
)
def test_an_exception_is_made_again_from_its_name(
    name: str, message: str, args: tuple[Any, ...]
) -> None:
    made = remake(name, message)
    assert isinstance(made, args[0])
    assert made.args == (args[1],)


@pytest.mark.parametrize("name", ["no.such.Error", "os.getcwd", "SystemExit", "ExceptionGroup"])
def test_what_is_no_exception_that_can_be_made_is_told_by_its_name(name: str) -> None:
    assert str(remake(name, "why")) == f"{name}: why"


@given(st.lists(st.lists(st.integers(0, 200), max_size=3), max_size=100), st.integers(1, 5))
def test_no_node_gets_much_more_than_its_share(needs: list[list[int]], count: int) -> None:
    earlier = [[one % k for one in before] if k else [] for k, before in enumerate(needs)]
    loads = Counter(spread(earlier, count))
    assert all(0 <= node < count for node in loads)
    assert max(loads.values(), default=0) <= max(1.0, len(needs) / count * SLACK) + 1


def test_a_chain_of_calls_stays_on_its_node_until_that_is_full() -> None:
    assert spread([[], [0], [1], [2]], 2) in ([0, 0, 0, 1], [0, 0, 1, 1])
