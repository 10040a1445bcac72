"""The life of the data of a node: its keeper and the thread that tells it when."""

from __future__ import annotations

import dataclasses
import math

from dlg.ddap_protocol import DROPPhases
from dlg.drops.live import LiveGraph
from dlg.support import clock
from dlg_engine.lifecycle.alarm import Alarm
from dlg_engine.lifecycle.keeper import Keeper
from dlg_engine.lifecycle.options import LifecycleOptions


class Life:
    """Looks after the data of all sessions of a node, until it is closed."""

    def __init__(self, options: LifecycleOptions | None = None) -> None:
        self.options = options or LifecycleOptions()
        self._alarm = Alarm(self._attend, name="dlg-lifecycle")
        self._keeper = Keeper(self.options, self._alarm.wake)

    def adopt(self, live: LiveGraph) -> None:
        """Look after the data of a graph; call it before any of its drops is made."""
        around = live.surroundings
        if self.options.enabled:
            now = clock.monotonic()
            live.surroundings = dataclasses.replace(around, keeper=self._keeper, created=now)
            self._keeper.adopt(live)
        else:
            live.surroundings = dataclasses.replace(around, expires=False, created=math.inf)

    def forget(self, live: LiveGraph | None) -> None:
        """Let go of the data of a session that is deleted; None if it was never deployed."""
        if live is not None:
            self._keeper.forget(live)

    def check(self, live: LiveGraph) -> dict[str, DROPPhases]:
        """Look whether the data of a session is all there; return the phases of what was not."""
        return self._keeper.check(live)

    def close(self) -> None:
        """End the thread; nothing expires any more."""
        self._alarm.close()

    def _attend(self) -> float | None:
        return self._keeper.attend()
