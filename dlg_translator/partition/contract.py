"""What every algorithm that divides a graph fulfils.

An algorithm is a frozen dataclass: its options are the fields. It sees a weighted graph and how
many parts are wanted, and returns the part of each row. Third parties add one by an entry point in
the group `dlg.partitioners`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from dlg.exceptions import UsageError
from dlg_translator.schedule.dag import Dag, Rows


@dataclass(frozen=True, slots=True)
class Division:
    """The part of each row, and what the user should know about it.

    Parts are numbered from 0, and none is empty unless they stand for nodes that differ. There may
    be fewer than were asked for.
    """

    part_of: Rows
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Partitioner(Protocol):
    """An algorithm with its options."""

    name: ClassVar[str]

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return the parts of `dag`; `parts` is None where the algorithm may choose how many.

        The same graph and options give the same parts. Raises `CycleError` if the algorithm needs
        an order and there is none, and other `UsageError`s for what cannot be done.
        """
        ...


def if_fewer(found: int, parts: int | None, why: str) -> tuple[str, ...]:
    """Return the warning that there are fewer parts than asked for, if there are."""
    return (f"{found} parts instead of {parts}: {why}",) if parts and found < parts else ()


class InvalidOptionError(UsageError):
    """An option of an algorithm has a value that it cannot have."""


def check_range(owner: Partitioner, low: float, high: float, **options: Any) -> None:
    """Refuse options that are not between `low` and `high`, by name."""
    for name, value in options.items():
        if not low <= value <= high:
            wanted = f"between {low} and {high}" if high < float("inf") else f"at least {low}"
            raise InvalidOptionError(
                f"option {name} of {owner.name} must be {wanted}, not {value!r}"
            )


def check_positive(owner: Partitioner, **options: Any) -> None:
    """Refuse options that are not above 0, by name."""
    for name, value in options.items():
        if not value > 0:
            raise InvalidOptionError(
                f"option {name} of {owner.name} must be above 0, not {value!r}"
            )
