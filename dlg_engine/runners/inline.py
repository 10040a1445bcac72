"""Everything in the thread that asks, one app after the other, always in the same order."""

from __future__ import annotations

import contextvars

from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner


class InlineRunner(Runner):
    """Runs apps in the calling thread: deterministic, and easy to debug."""

    name = "inline"
    workers = 1

    def submit(self, live: LiveGraph) -> None:
        """Run everything that is ready, and what becomes ready by that, before returning."""
        try:
            contextvars.copy_context().run(live.work, self)
        except BaseException:  # an interrupt from the keyboard comes to this thread
            live.leave()
            raise
