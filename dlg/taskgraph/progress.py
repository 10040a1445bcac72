"""How far a run has come: the project's own bar, and who tells any bar."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from dlg.support import clock

WIDTH = 40
EVERY_S = 0.1
"""How often the bar is drawn."""


class Progress(Protocol):
    """What a progress bar must be able to do; those of tqdm can."""

    def update(self, n: int) -> object:
        """Take note that `n` more tasks have come to an end."""

    def close(self) -> object:
        """Take note that there will be no more."""


class Bar:
    """A line on a terminal that is drawn again and again."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.n = total, 0
        self._stream = stream or sys.stderr
        self._begun = self._drawn = clock.monotonic()

    def update(self, n: int) -> None:
        """Take note that `n` more tasks have come to an end."""
        self.n += n
        now = clock.monotonic()
        if now - self._drawn >= EVERY_S:
            self._drawn = now
            self._draw()

    def close(self) -> None:
        """Draw the bar a last time and end its line, if it was ever drawn."""
        if self._drawn > self._begun:
            self._draw()
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self) -> None:
        filled = WIDTH * self.n // max(1, self.total)
        bar = "#" * filled + "." * (WIDTH - filled)
        self._stream.write(f"\r[{bar}] {self.n}/{self.total} tasks")
        self._stream.flush()


class Teller:
    """Tells a bar what happens; a bar that fails is told no more, and its error kept."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.error: Exception | None = None

    def update(self, n: int) -> None:
        """Tell of `n` more tasks."""
        if self._progress is None or not n:
            return
        try:
            self._progress.update(n)
        except Exception as error:  # noqa: BLE001  a bar must not fail the tasks; told at the end
            self._progress, self.error = None, error

    def close(self) -> None:
        """Close the bar; raise what it failed with, now or before."""
        if self.error is not None:
            raise self.error
        if self._progress is not None:
            self._progress.close()


def default_bar(total: int) -> Progress | None:
    """Return the project's own bar if there is a terminal to draw it on."""
    return Bar(total) if sys.stderr.isatty() else None
