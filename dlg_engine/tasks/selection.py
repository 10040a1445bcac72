"""Conditions on attempts as objects, which can be combined with `&`, `|` and `~`."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from dlg_engine.tasks.schema import attempt
from dlg_engine.tasks.states import UNFINISHED, AttemptState


class AttemptCriterion(abc.ABC):
    """A condition that an attempt fits or not."""

    @abc.abstractmethod
    def clause(self) -> ColumnElement[bool]:
        """Return it as a part of a query; all values in it are bound."""

    def __and__(self, other: AttemptCriterion) -> AttemptCriterion:
        return _All((self, other))

    def __or__(self, other: AttemptCriterion) -> AttemptCriterion:
        return _Any((self, other))

    def __invert__(self) -> AttemptCriterion:
        return _Not(self)


@dataclass(frozen=True)
class AnyAttempt(AttemptCriterion):
    """Every attempt."""

    def clause(self) -> ColumnElement[bool]:
        """Return what is always true."""
        return true()


@dataclass(frozen=True)
class NoAttempt(AttemptCriterion):
    """No attempt."""

    def clause(self) -> ColumnElement[bool]:
        """Return what is never true."""
        return false()


@dataclass(frozen=True)
class InState(AttemptCriterion):
    """Attempts in one of some states."""

    states: tuple[AttemptState, ...]

    def clause(self) -> ColumnElement[bool]:
        """Return it for a query."""
        found: ColumnElement[bool] = attempt.c.state.in_([state.value for state in self.states])
        return found


@dataclass(frozen=True)
class QueuedAfter(AttemptCriterion):
    """Attempts that were queued after a time, in seconds since 1970 UTC."""

    when: float

    def clause(self) -> ColumnElement[bool]:
        """Return it for a query."""
        found: ColumnElement[bool] = attempt.c.queued > self.when
        return found


@dataclass(frozen=True)
class _All(AttemptCriterion):
    parts: tuple[AttemptCriterion, ...]

    def clause(self) -> ColumnElement[bool]:
        return and_(*(part.clause() for part in self.parts))


@dataclass(frozen=True)
class _Any(AttemptCriterion):
    parts: tuple[AttemptCriterion, ...]

    def clause(self) -> ColumnElement[bool]:
        return or_(*(part.clause() for part in self.parts))


@dataclass(frozen=True)
class _Not(AttemptCriterion):
    part: AttemptCriterion

    def clause(self) -> ColumnElement[bool]:
        return not_(self.part.clause())


PASSED_OR_UNDER_WAY = InState((AttemptState.PASSED, *UNFINISHED))
"""What forbids another attempt when all that is unfinished is scheduled again."""
