"""What a graph of drops is told about the session it lives in.

A session passes this down; nothing in a drop asks the process for its working directory or its
environment, so that two sessions of one process do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Courier(Protocol):
    """What brings data from other nodes."""

    def bring(self, source: str, session_id: str, oid: str, into: Any) -> None:
        """Write what data `oid` of the session holds on node `source` into the drop `into`."""


class Keeper(Protocol):
    """Who looks after data that has a date at which it expires, or of which there are copies."""

    def look_after(self, live: Any, row: int) -> None:
        """Take note that data `row` of a live graph has completed, or apps need it no more."""

    def left_alone(self, live: Any, row: int) -> None:
        """Take note that nobody has data `row` of a live graph open any more."""

    def restore(self, live: Any, drop: Any) -> bool:
        """Bring back the data of `drop`, which has vanished; return False if there is no copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where drops live and what they may use."""

    session_id: str = ""
    directory: Path | None = None
    """Where relative paths start and products go; None for drops outside a session."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What `$DLG_...` in a parameter and variables in paths stand for."""
    checksums: bool = True
    """Whether data is summed while it is written."""
    expires: bool = False
    """Whether data that expires after use is released; outside a session it never is."""
    courier: Courier | None = None
    """Who brings data from other nodes; None where the graph runs on one."""
    keeper: Keeper | None = None
    """Who expires data at its date; without one it does so when it is to be read after that."""
    held: tuple[int, ...] = ()
    """Descriptors that the commands of apps keep open, so that others see that they still run."""
    created: float | None = None
    """When the drops were created, by `clock.monotonic`; None if each has a time of its own."""

    grow: Callable[[str, bool], None] | None = None
    """Whom to tell what was decided, so that the graph grows; None if all of it is there."""

    def look_after(self, live: Any, row: int) -> None:
        """Tell the keeper, if there is one, that data `row` has completed or apps are done."""
        if self.keeper is not None:
            self.keeper.look_after(live, row)

    def left_alone(self, live: Any, row: int) -> None:
        """Tell the keeper, if there is one, that nobody has data `row` open any more."""
        if self.keeper is not None:
            self.keeper.left_alone(live, row)


ALONE = Surroundings()
