"""How far a run has come: one live line on a terminal, a plain line now and then elsewhere.

Everything goes to standard error, so that standard output stays free for results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

PLAIN_EVERY_S = 5.0
"""How often a line is printed where there is no terminal."""
BAR_AFTER_S = 0.3
"""Runs shorter than this show no bar: it would only flash, and costs time to import."""


class HowFar(Protocol):
    """What the engine tells about five times a second."""

    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def failed(self) -> int: ...  # noqa: D102
    @property
    def running(self) -> int: ...  # noqa: D102
    @property
    def skipped(self) -> int: ...  # noqa: D102
    @property
    def elapsed_s(self) -> float: ...  # noqa: D102


Show = Callable[[HowFar], None]


def rate_of(far: HowFar) -> float:
    """Return how many drops came to an end in a second."""
    return far.done / far.elapsed_s if far.elapsed_s > 0 else 0.0


def time_left(far: HowFar) -> str:
    """Return how long the rest will take at the present rate, or `?`."""
    rate = rate_of(far)
    return span((far.total - far.done) / rate) if rate else "?"


def span(seconds: float) -> str:
    """Return a time for people: `0.42 s`, `12.3 s`, `4 min 05 s`, `2 h 10 min`."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def number(value: float) -> str:
    """Return a number for people: three digits are enough below a thousand."""
    if value >= 100 or value == int(value):  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"


def describe(far: HowFar) -> str:
    """Return one plain line that says how far a run has come."""
    share = 100 * far.done // far.total if far.total else 100
    parts = [f"{far.done:,} of {far.total:,} drops ({share} %)"]
    parts += [f"{far.failed:,} failed"] if far.failed else []
    parts += [f"{far.skipped:,} skipped"] if far.skipped else []
    parts += [f"{far.running:,} running", f"{number(rate_of(far))}/s"]
    if far.done < far.total:
        parts.append(f"{time_left(far)} left")
    return ", ".join(parts)


class PlainProgress(AbstractContextManager["PlainProgress"]):
    """A line every few seconds."""

    def __init__(self, every_s: float = PLAIN_EVERY_S) -> None:
        self._every_s = self._next_s = every_s

    def __call__(self, far: HowFar) -> None:
        """Print where `far` is, if the time has come."""
        if far.elapsed_s >= self._next_s:
            self._next_s = far.elapsed_s + self._every_s
            click.echo(describe(far), err=True)

    def __exit__(self, *_: object) -> None:
        """Leave what has been printed."""


class LiveProgress(AbstractContextManager["LiveProgress"]):
    """A bar that is drawn over itself; it goes away when the run is over."""

    def __init__(self, after_s: float = BAR_AFTER_S) -> None:
        self._after_s = after_s
        self._stack = ExitStack()
        self._bar: Bar | None = None

    def __call__(self, far: HowFar) -> None:
        """Show where `far` is, once the run has lasted long enough to be worth it."""
        if self._bar is None:
            if far.elapsed_s < self._after_s or far.done >= far.total:
                return
            self._bar = self._stack.enter_context(_make_bar())
            self._bar.add_task("run", total=far.total, facts="", left="")
        failed = f"[bold red]{far.failed:,} failed[/]  " if far.failed else ""
        skipped = f"{far.skipped:,} skipped  " if far.skipped else ""
        text = f"{failed}{skipped}{far.running:,} running  {number(rate_of(far))}/s"
        left = f"{time_left(far)} left" if far.done < far.total else ""
        task = self._bar.task_ids[0]
        self._bar.update(task, completed=far.done, facts=text, left=left, refresh=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._stack.__exit__(kind, error, trace)


def _make_bar() -> Bar:
    # A tenth of a second to import, which short runs and pipes need not pay.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (
        BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TextColumn("[dim]{task.fields[left]}[/]"),
    )
    console = Console(file=sys.stderr)
    return Progress(*columns, console=console, transient=True, auto_refresh=False)


def show_progress(*, quiet: bool) -> PlainProgress | LiveProgress | None:
    """Return what shows progress here: nothing, a bar, or lines."""
    if quiet:
        return None
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()
