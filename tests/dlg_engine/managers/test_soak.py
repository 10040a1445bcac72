"""Many sessions at once on a whole cluster: the short form of `tests/bench/soak.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "bench" / "soak.py"


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), "--seconds", "5", "--clients", "8", "--calm", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_session_is_lost_and_none_stays(report: dict[str, Any]) -> None:
    assert report["lost_sessions"] == []
    assert report["left"] == 0
    assert set(report["ended"]) == {"FINISHED", "FAILED", "CANCELLED"}


def test_no_thread_and_no_descriptor_stays_for_a_session(report: dict[str, Any]) -> None:
    for who, before in report["before"].items():
        after = report["after"][who]
        # Pools grow a little when they are used more; a leak would be one for each session.
        room = max(8, (report["sessions"] - report["while warming up"]) // 4)
        assert after["threads"] <= before["threads"] + room, who
        assert after["descriptors"] <= before["descriptors"] + room, who
