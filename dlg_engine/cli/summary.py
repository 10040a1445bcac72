"""What is told at the end of a run: states, times, errors, and where the results are."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlg_engine.cli.progress import span

if TYPE_CHECKING:
    from dlg_engine.sessions.report import DropError, RunReport

SHOWN_ERRORS = 5
SHOWN_RESULTS = 12
SHOWN_AGAIN = 5
TAIL_LINES = 12
"""How many lines of a traceback are shown: the last ones say most."""
_WIDTH = 78
_LINE = 200
"""Texts up to so long are shown whole."""
_WORTH_TELLING_S = 0.01

COLOURS: Mapping[str, str] = {"FINISHED": "green", "FAILED": "red", "CANCELLED": "yellow"}
STATE_COLOURS: Mapping[str, str] = {
    "COMPLETED": "green", "ERROR": "red", "CANCELLED": "yellow", "SKIPPED": "blue",
    "DELETED": "green", "EXPIRED": "green",
}  # fmt: skip


STATE_WORDS: Mapping[str, str] = {
    "DELETED": "completed, deleted after use",
    "EXPIRED": "completed, no longer needed",
}
"""Where the name of a state would make people wonder."""


def show_summary(report: RunReport, *, to_stderr: bool = False) -> None:
    """Print what came of a run."""
    for line in summary_lines(report):
        click.echo(line, err=to_stderr)


def summary_lines(report: RunReport) -> Iterator[str]:
    """Yield the lines of the summary; colours in them vanish where there is no terminal."""
    yield from error_lines(report.errors)
    yield _headline(report)
    yield from state_lines(report.counts)
    yield from reused_lines(len(report.reused))
    yield from _resumed_lines(report)
    yield from _waiting_lines(report)
    yield from _warning_lines(report.warnings)
    yield from _result_lines(report)


def error_lines(errors: Sequence[DropError]) -> Iterator[str]:
    """Yield what is known of drops that failed, the worst first, at most a few of them."""
    for error in errors[:SHOWN_ERRORS]:
        who = repr(error.name) if error.name == error.uid else f"{error.name!r} ({error.uid})"
        where = f" on {error.node}" if error.node else ""
        yield click.style(
            f"drop {who} failed{where}: {_said(error.exception)}", fg="red", bold=True
        )
        says_it_all = getattr(error.error, "tells_all", False)
        if not says_it_all:
            yield from (f"  because of {_said(cause)}" for cause in error.causes)
        if error.stopped:
            yield f"  {count_of_drops(error.stopped)} stopped by it"
        more = _more(error.exception) if says_it_all else error.traceback
        yield from (f"  | {line}" for line in _tail(more))
        yield ""
    if len(errors) > SHOWN_ERRORS:
        yield f"and {len(errors) - SHOWN_ERRORS:,} more failed: --report FILE has them all"
        yield ""


def reused_lines(count: int) -> Iterator[str]:
    """Yield how many apps did not have to run, if there are any."""
    if count:
        yield f"  {count:,} {'app' if count == 1 else 'apps'} reused, not run"


def _headline(report: RunReport) -> str:
    total = sum(report.counts.values())
    times = report.timings
    parts = [f"run {span(times.get('execute_s', 0.0))}"]
    before = {name: times.get(f"{name}_s", 0.0) for name in ("load", "create")}
    parts += [f"{name} {span(s)}" for name, s in before.items() if s > _WORTH_TELLING_S]
    status = click.style(report.status, fg=COLOURS.get(report.status), bold=True)
    reason = f" ({report.reason})" if report.reason else ""
    return f"{status}{reason}: {count_of_drops(total)}, {', '.join(parts)}"


def state_lines(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield how many drops are in each state, the most first."""
    width = max((len(f"{count:,}") for count in counts.values()), default=1)
    for state, count in sorted(counts.items(), key=lambda item: -item[1]):
        word = STATE_WORDS.get(state, state.lower())
        yield f"  {count:>{width},} " + click.style(word, fg=STATE_COLOURS.get(state))


def _resumed_lines(report: RunReport) -> Iterator[str]:
    """Yield what a session that went on has left out, and what it did once more."""
    if report.restored:
        count = len(report.restored)
        yield f"  {count:,} {'app' if count == 1 else 'apps'} done before, not run again"
    for uid, why in islice(report.again.items(), SHOWN_AGAIN):
        yield f"  run again: {uid}: {_clip(why)}"
    if len(report.again) > SHOWN_AGAIN:
        yield f"  and {len(report.again) - SHOWN_AGAIN:,} more were run again"


def _waiting_lines(report: RunReport) -> Iterator[str]:
    if report.waiting:
        few = ", ".join(report.waiting[:5])
        more = ", ..." if len(report.waiting) > 5 else ""  # noqa: PLR2004
        yield f"  still waiting, since nothing triggers them: {few}{more}"


def _warning_lines(warnings: Sequence[str]) -> Iterator[str]:
    for warning in warnings[:SHOWN_ERRORS]:
        yield "  " + click.style("warning: ", fg="yellow") + _said(warning)
    if len(warnings) > SHOWN_ERRORS:
        yield f"  and {len(warnings) - SHOWN_ERRORS:,} more warnings: --report FILE has them all"


def _result_lines(report: RunReport) -> Iterator[str]:
    leaves = report.leaves
    if leaves:
        yield "results"
    rows = [_result(report, uid) for uid in islice(leaves, SHOWN_RESULTS)]
    yield from result_lines(rows)
    if len(leaves) > SHOWN_RESULTS:
        yield f"  and {len(leaves) - SHOWN_RESULTS:,} more"
    yield f"files in {shown_path(report.session_dir)}"


def result_lines(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the names of results with what is told of each, which may have a few lines."""
    width = min(32, max((len(name) for name, _ in rows), default=0))
    for name, what in rows:
        for place, line in enumerate(what.splitlines()):
            yield f"  {'' if place else name:<{width}}  {line}".rstrip()


def _result(report: RunReport, uid: str) -> tuple[str, str]:
    """Return what a result is called, and where it is or what its value is."""
    drop = report.drops[uid]
    name = str(getattr(drop, "name", "") or uid)
    path = getattr(drop, "path", None)
    if path:
        return name, f"{shown_path(Path(path))}{shown_size(getattr(drop, 'size', None))}"
    try:
        value = report.result(uid)
    except Exception as error:  # noqa: BLE001  a value that cannot be shown must not hide the rest
        return name, f"({type(error).__name__}: {_clip(str(error))})"
    return name, shown_value(value)


def shown_value(value: object) -> str:
    """Return a short text for a value: numbers and texts as they are, arrays by their shape.

    Only a text that was written in a few lines is told in more than one.
    """
    if isinstance(value, bytes | str) and not value:
        return "(empty)"
    if isinstance(value, str) and _is_readable(value):
        return value
    if isinstance(value, bytes) and len(value) > _WIDTH:
        return f"bytes{shown_size(len(value))}"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape and dtype is not None:
        return f"array of {' x '.join(map(str, shape))} {dtype}"
    shorten = reprlib.Repr()
    shorten.maxstring = shorten.maxother = _WIDTH - 20
    return " ".join(shorten.repr(value).split())


def _is_readable(text: str) -> bool:
    """Return whether a text is worth being shown as it is: one line, or a table of a few."""
    lines = text.splitlines()
    widest = _LINE if len(lines) == 1 else _WIDTH
    return len(lines) <= TAIL_LINES and all(
        line.isprintable() and len(line) <= widest for line in lines
    )


def shown_path(path: Path) -> str:
    """Return a path as short as it can be written from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def shown_size(size: object) -> str:
    """Return a size for people, in brackets; nothing for one that is not known."""
    if not isinstance(size, int) or size < 0:
        return ""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004
            return f" ({size} bytes)" if unit == "bytes" else f" ({size:.1f} {unit})"
        size /= 1024
    return f" ({size:.1f} TiB)"


def count_of_drops(count: int) -> str:
    """Return `1 drop`, `54 drops`."""
    return f"{count:,} drop" if count == 1 else f"{count:,} drops"


def _tail(text: str) -> list[str]:
    lines = text.rstrip().splitlines()
    if len(lines) <= TAIL_LINES:
        return lines
    return [f"... {len(lines) - TAIL_LINES} lines", *lines[-TAIL_LINES:]]


def _more(text: str) -> str:
    """Return what a text says after its first line."""
    return text.partition("\n")[2]


def _said(exception: str) -> str:
    """Return the kind of an exception and its text; where one of ours lives concerns nobody."""
    kind, colon, text = _clip(exception).partition(":")
    return (kind.rpartition(".")[2] if kind.startswith("dlg.") else kind) + colon + text


def _clip(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= 4 * _WIDTH else line[: 4 * _WIDTH] + " ..."
