"""Queues as an administrator writes them down."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg_engine.scheduling.models import Queue
from dlg_engine.scheduling.queues import QueuesFileError, read_queues, set_queues
from tests.dlg_engine.scheduling.plans import Desk

GOOD = """
[queues.short]
time_limit_min = 1.5

[queues.long]
cores = 4
memory_mb = 8192
max_slots_per_user = 2
"""


def test_queues_are_made_and_changed_as_they_are_written(desk: Desk, tmp_path: Path) -> None:
    desk.add_queue("long", cores=9)
    desk.add_queue("other", cores=3)
    file = tmp_path / "queues.toml"
    file.write_text(GOOD)
    with desk.database.transaction() as session:
        set_queues(session, read_queues(file))
    with desk.look() as look:
        found = {one.name: (one.cores, one.memory_mb) for one in look.all(Queue)}
        assert found == {"short": (1, 0), "long": (4, 8192), "other": (3, 0)}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"a table \[queues.NAME\] for each queue is expected"),
        ("[queue.a]\ncores = 1", r"a table \[queues.NAME\]"),
        ("[queues.a]\ncoers = 1", "queues.a: there is no 'coers'; did you mean 'cores'"),
        ("[queues.a]\ncores = 0", "queues.a.cores: a number from 1 is expected"),
        ("[queues.a]\nmemory_mb = true", "queues.a.memory_mb: a number from 0"),
        ("[queues]\na = 3", "queues.a: a table is expected, not 3"),
        ("[queues", "Expected ']'"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "queues.toml"
    file.write_text(text)
    with pytest.raises(QueuesFileError, match=complaint):
        read_queues(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(QueuesFileError, match="No such file"):
        read_queues(tmp_path / "none.toml")
