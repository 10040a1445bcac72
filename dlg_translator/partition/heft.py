"""HEFT: the most urgent app first, each on the node where it ends earliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dlg_translator.partition.contract import (
    Division,
    InvalidOptionError,
    check_positive,
    if_fewer,
)
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.list_schedule import Machines, schedule
from dlg_translator.schedule.quality import without_empty


@dataclass(frozen=True, kw_only=True)
class Heft:
    """Make the completion time small on nodes that may differ in speed."""

    name: ClassVar[str] = "heft"
    max_cpu: int = 8
    """Processors of a node."""
    speeds: str = ""
    """How fast each node is, as numbers with commas between; all alike if empty."""
    bandwidth: float = 1.0
    """Volume that moves between two nodes in one unit of time."""

    def __post_init__(self) -> None:
        check_positive(self, max_cpu=self.max_cpu, bandwidth=self.bandwidth)
        check_positive(self, **{f"speeds[{i}]": s for i, s in enumerate(self._speeds())})

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return at most `parts` parts; as many as there are speeds if None, or else one."""
        speeds = self._speeds()
        parts = parts or len(speeds) or 1
        if speeds and len(speeds) != parts:
            raise InvalidOptionError(
                f"option speeds of heft has {len(speeds)} numbers for {parts} parts"
            )
        machines = Machines(speeds or (1.0,) * parts, self.max_cpu, self.bandwidth)
        node_of = schedule(dag, machines).node_of
        if speeds:  # nodes differ, so each must keep its number, even if one stays empty
            return Division(node_of)
        part_of, found = without_empty(node_of)
        return Division(part_of, if_fewer(found, parts, "more would not be faster"))

    def _speeds(self) -> tuple[float, ...]:
        try:
            return tuple(float(word) for word in self.speeds.split(",") if word.strip())
        except ValueError as error:
            raise InvalidOptionError(f"option speeds of heft: {error}") from error
