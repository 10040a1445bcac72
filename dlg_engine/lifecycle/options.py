"""How the life of data is looked after on a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LifecycleOptions:
    """What the user may choose. Nothing is done at intervals: the periods are upper bounds."""

    enabled: bool = True
    """Whether anything expires at all before its session is deleted."""
    check_period_s: float = 10.0
    """After so long, at most, data that was in use at its date is looked at again."""
    cleanup_period_s: float = 30.0
    """After so long, expired data that could not be deleted is tried again."""
    replicas: Path | None = None
    """Where data that persists is copied to; None if it is not."""
