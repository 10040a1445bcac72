"""What is asked of a session besides running its graph; it goes from manager to manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dlg.exceptions import UsageError
from dlg.graph.dropspec import is_reprodata
from dlg.reproducibility.levels import Level, parse_level
from dlg_engine.managers.split import Spec


class RunOptions(msgspec.Struct, frozen=True):
    """What whoever deploys a session asks of it."""

    repro: int | None = None
    """The level at which evidence is kept; None leaves it to the graph."""
    reuse: bool = False
    """Whether results are taken from the stores of nodes, and kept there."""
    part: bool = False
    """Whether other nodes run parts of the same graph."""
    nodes: tuple[str, ...] = ()
    """All nodes that run parts, for whoever takes the session over."""

    def level(self, asked: Level) -> Level:
        """Return the level of evidence, where the graph has `asked` for one."""
        return asked if self.repro is None else Level(self.repro)

    def check(self, completed: Iterable[str] | None) -> None:
        """Refuse to reuse results in a run that starts in the middle."""
        if self.reuse and completed:
            raise UsageError("a run that starts in the middle cannot reuse results")

    def told(self) -> dict[str, Any]:
        """Return it as it travels."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def read_options(told: Mapping[str, Any] | None) -> RunOptions:
    """Return what was told by another manager; raise UsageError for anything else."""
    try:
        return msgspec.convert(dict(told or {}), RunOptions)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise UsageError(f"these are no options of a session: {error}") from error


def without_reprodata(specs: Sequence[Spec]) -> tuple[Sequence[Spec], Level | None]:
    """Return dropspecs alone, and the level that an object after them asks for, if there is one.

    Raises UsageError if that is no level.
    """
    if not specs or not is_reprodata(specs[-1]):
        return specs, None
    asked = specs[-1].get("rmode")
    return specs[:-1], None if asked is None else parse_level(asked)
