"""Apps in a bounded pool of threads of this process: the default."""

from __future__ import annotations

import os

from dlg.drops.pool import ThreadPool


class ThreadRunner(ThreadPool):
    """Runs apps in up to `workers` threads of this process; by default one a processor, plus four.

    The threads beyond the processors are for apps that wait for a disk, a network or a program.
    """

    name = "threads"

    def __init__(self, workers: int | None = None) -> None:
        super().__init__(workers or (os.cpu_count() or 1) + 4)
