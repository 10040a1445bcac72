"""Managers that are started again when they end unasked, and given up in the end."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from dlg_engine.daemon.patience import Patience
from dlg_engine.daemon.processes import ManagerProcess, StartError
from dlg_engine.daemon.supervised import Supervised
from dlg_engine.managers.addresses import read_address

RULE = Patience(first_pause_s=0.01, longest_pause_s=0.02, most_deaths=3)
GOOD = ("nm", "-P", "0", "--rpc-port", "0", "--event-port", "0", "--deadline", "0")
PATIENCE_S = 60

Changes = queue.SimpleQueue[tuple[str, ManagerProcess | None]]
Make = Callable[..., ManagerProcess]


@pytest.fixture
def launch(tmp_path: Path) -> Make:
    def make(*arguments: str) -> ManagerProcess:
        return ManagerProcess("node", arguments, tmp_path, tmp_path)

    return make


def again(name: str) -> tuple[str, ...]:
    if not name:
        return GOOD
    at = read_address(name)
    ports = ("-P", f"{at.port}", "--rpc-port", f"{at.rpc_port}")
    return ("nm", *ports, "--event-port", f"{at.events_port}", "--deadline", "0")


def test_one_that_was_killed_is_started_again_under_its_name(launch: Make) -> None:
    changes: Changes = queue.SimpleQueue()
    node = Supervised(
        "node", lambda name: launch(*again(name)), lambda *told: changes.put(told), RULE
    )
    try:
        first = node.process
        assert changes.get(timeout=PATIENCE_S) == ("node", first)
        assert node.pid == first.process.pid
        first.process.kill()
        assert changes.get(timeout=PATIENCE_S) == ("node", None)
        _, second = changes.get(timeout=PATIENCE_S)
        assert second is node.process
        assert second is not first
        assert (node.process.name, node.process.url) == (first.name, first.url)
        assert node.pid is not None
    finally:
        node.stop()
    assert node.pid is None


def test_one_that_does_not_come_up_again_is_given_up_with_a_reason(
    launch: Make, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[str] = []

    def make(name: str) -> ManagerProcess:
        begun.append(name)
        return launch(*(GOOD if len(begun) == 1 else ("nm", "--nonsense")))

    node = Supervised("node", make, lambda *told: None, RULE)
    node.process.process.kill()
    node._thread.join(PATIENCE_S)
    assert not node._thread.is_alive()
    assert len(begun) == 1 + RULE.most_deaths
    assert "is not started again" in caplog.text
    assert "No such option" in caplog.text
    assert node.pid is None
    node.stop()


def test_one_that_does_not_start_at_all_is_told(launch: Make) -> None:
    with pytest.raises(StartError, match="the node ended at once: .*No such option"):
        Supervised("node", lambda name: launch("nm", "--nonsense"), lambda *told: None, RULE)


def test_one_that_is_stopped_is_not_started_again(launch: Make) -> None:
    begun: list[str] = []

    def make(name: str) -> ManagerProcess:
        begun.append(name)
        return launch(*GOOD)

    node = Supervised("node", make, lambda *told: None, RULE)
    node.stop()
    assert len(begun) == 1
    assert node.process.process.returncode == 0


def test_one_that_is_stopped_while_it_waits_to_start_again_stays_away(launch: Make) -> None:
    changes: Changes = queue.SimpleQueue()
    slow = Patience(first_pause_s=1000, longest_pause_s=1000)
    node = Supervised("node", lambda name: launch(*GOOD), lambda *told: changes.put(told), slow)
    node.process.process.kill()
    while changes.get(timeout=PATIENCE_S)[1] is not None:
        pass
    node.stop()
    assert not node._thread.is_alive()
    assert node.pid is None
