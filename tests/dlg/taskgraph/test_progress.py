"""The project's own bar."""

from __future__ import annotations

import io

from dlg.support import clock
from dlg.taskgraph.progress import Bar


def test_a_bar_says_how_many_tasks_have_ended() -> None:
    stream = io.StringIO()
    with clock.replaced(clock.ManualClock()) as time:
        bar = Bar(4, stream)
        time.sleep(1)
        bar.update(2)
        bar.update(1)
        bar.close()
    half, end = stream.getvalue().strip("\r\n").split("\r")
    assert half == f"[{'#' * 20}{'.' * 20}] 2/4 tasks"
    assert end.endswith("3/4 tasks")


def test_a_bar_of_a_short_run_is_not_drawn() -> None:
    stream = io.StringIO()
    with clock.replaced(clock.ManualClock()):
        bar = Bar(2, stream)
        bar.update(2)
        bar.close()
    assert not stream.getvalue()
