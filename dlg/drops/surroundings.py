"""What a graph of drops is told about the session it lives in.

A session passes this down; nothing in a drop asks the process for its working directory or its
environment, so that two sessions of one process do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Courier(Protocol):
    """What brings data from other nodes."""

    def bring(self, source: str, session_id: str, oid: str, into: Any) -> None:
        """Write what data `oid` of the session holds on node `source` into the drop `into`."""


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


ALONE = Surroundings()
