"""What a worker does with parts of graphs."""

from __future__ import annotations

import itertools
from pathlib import Path
from unittest.mock import MagicMock, patch

from dlg.drops.surroundings import Surroundings
from dlg_engine.backends.working import STOP_S, Site


def test_all_apps_that_do_not_stop_are_waited_for_together(tmp_path: Path) -> None:
    site = Site(Surroundings(session_id="s", directory=tmp_path), tell=print)
    graphs = [MagicMock() for _ in range(4)]
    site.graphs.update(enumerate(graphs))
    with patch("dlg.support.clock.monotonic", side_effect=itertools.count(0.0, STOP_S / 2)):
        site.stop()
    waited = [live.changed.wait_for.call_args.args[1] for live in graphs]
    assert sum(waited) <= STOP_S
    assert all(live.cancel.called for live in graphs)
    assert site.stopped
