"""What a check is: it measures a fact, and judges it. Only measuring looks at the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from dlg import settings
from dlg.clients import ManagerClient
from dlg.exceptions import DaliugeException
from dlg_engine.doctor.verdicts import Outcome, Verdict, warning

F = TypeVar("F")


@dataclass(frozen=True)
class Scope:
    """What is looked at besides this host."""

    manager: ManagerClient | None = None
    """Whose nodes are looked at; None for no cluster."""
    nodes: Sequence[ManagerClient] = ()
    """Nodes that were named, where there is no manager of them."""
    no_manager: str = ""
    """Why there is none."""
    databases: Sequence[str] = ()
    """Addresses of databases besides those of the settings."""
    cluster_file: Path | None = None
    host: str = ""
    """The address of this host at which it is to be found; "" for all."""

    known: dict[object, Any] = field(default_factory=dict, repr=False)
    """What was measured already, by what has measured it."""

    def measured(self, measure: Callable[[Scope], Any]) -> Any:
        """Return a fact, measured once for all checks that judge it."""
        if measure not in self.known:
            self.known[measure] = measure(self)
        return self.known[measure]

    @cached_property
    def directories(self) -> dict[str, Path]:
        """Return the directories that are written to, by what they are for."""
        root = settings.current().root
        return {"root": root, "workspace": root / "workspace", "store": root / "store"}


@dataclass(frozen=True)
class Check(Generic[F]):
    """One thing that may be wrong."""

    name: str
    measure: Callable[[Scope], F]
    """Find out how things are; may raise errors of ours, and OSError."""
    judge: Callable[[F], Iterator[Verdict]]
    """Say what that means; pure."""

    @property
    def says(self) -> str:
        """Return what it looks at, in a line."""
        return (self.judge.__doc__ or "").strip().partition("\n")[0]

    def run(self, scope: Scope) -> list[Verdict]:
        """Return what is found; what cannot be measured is a warning."""
        try:
            fact: F = scope.measured(self.measure)
        except (DaliugeException, OSError) as error:
            said = f"could not be found out: {error}"
            return [warning(said, "see whether this is so for other programs of this user too")]
        return list(self.judge(fact))


@dataclass(frozen=True)
class Finding:
    """What a check has found."""

    check: str
    verdicts: Sequence[Verdict]

    @property
    def is_problem(self) -> bool:
        """Return whether something will fail."""
        return any(verdict.outcome is Outcome.PROBLEM for verdict in self.verdicts)
