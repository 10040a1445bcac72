"""Our task graphs do what artron 0.0.5 does: one program uses both, as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PEER = Path(os.environ.get("DLG_ARTRON", "build/artron/bin/python"))
PROGRAM = Path(__file__).with_name("tasks.py")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.exists(), reason=f"artron is not there: {PEER}"),
]


def ask(python: str, package: str, home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python, str(PROGRAM), package],
        cwd=home, capture_output=True, text=True, check=False, timeout=100,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    home = tmp_path_factory.mktemp("home")
    return ask(str(PEER.absolute()), "artron", home), ask(sys.executable, "dlg.taskgraph", home)


@pytest.mark.parametrize(
    "part", ["graphs", "tasks", "children", "workers", "managers", "utilities"]
)
def test_both_say_the_same_of(part: str, both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = both
    assert set(ours[part]) == set(theirs[part])
    for name, value in theirs[part].items():
        assert without_bar(ours[part][name]) == without_bar(value), name


def without_bar(said: Any) -> Any:
    return {k: v for k, v in said.items() if k != "bar"} if isinstance(said, dict) else said


def test_a_bar_is_told_of_each_task_which_artron_forgets_of_the_last(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    theirs, ours = (one["managers"] for one in both)
    for name, said in ours.items():
        assert said["bar"] == len(said["tasks"]) >= theirs[name]["bar"]
