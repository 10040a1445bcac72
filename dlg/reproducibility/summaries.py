"""What a drop tells of its run at each level: values, and how those of two levels are joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlg.reproducibility.levels import PARTS, Level, levels_kept

Summary = dict[str, Any]
Told = Callable[[Level], Mapping[str, Any]]
"""What a drop has to tell at one of the basic levels."""


def summary_of(told: Told, level: Level) -> Summary:
    """Return what a drop tells at `level`, which may join two basic ones; nothing at NOTHING."""
    if level in {Level.NOTHING, Level.ALL}:
        return {}
    if level is Level.EXPERIMENTAL:
        return dict(told(Level.RERUN))
    found: Summary = {}
    for part in PARTS.get(level, (level,)):
        found |= told(part)
    return found


def summaries(told: Told, level: Level) -> Summary:
    """Return what a drop tells at `level`; at ALL, by the names of the seven levels."""
    if level is not Level.ALL:
        return summary_of(told, level)
    return {kept.name: summary_of(told, kept) for kept in levels_kept(level)}


def status_summary(status: int) -> Summary:
    """Return what any drop tells of how it ended."""
    return {"status": int(status)}


def content_summary(digest: str) -> Summary:
    """Return what data tell of their content."""
    return {"data_hash": digest}


def command_summary(command: str, stdout: bytes, stderr: bytes, exit_code: int) -> Summary:
    """Return what an app tells of a command that it ran: all as text."""
    return {
        "stdout": str(stdout),
        "stderr": str(stderr),
        "status": str(exit_code),
        "command": command,
    }


def function_summary(arguments: Mapping[str, Any]) -> Summary:
    """Return what an app tells of a function that it called."""
    return {"args": dict(arguments)}
