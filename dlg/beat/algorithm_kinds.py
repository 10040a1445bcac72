"""The kinds of algorithms, told from what a declaration says."""

from __future__ import annotations

from typing import Any

from dlg.beat.library import UsesLibraries

__all__ = ["OfSomeKind"]


class OfSomeKind(UsesLibraries):
    """An algorithm, as far as its declaration says which kind it is."""

    LEGACY = "legacy"
    SEQUENTIAL = "sequential"
    AUTONOMOUS = "autonomous"
    SEQUENTIAL_LOOP_PROCESSOR = "sequential_loop_processor"
    SEQUENTIAL_LOOP_EVALUATOR = "sequential_loop_evaluator"
    AUTONOMOUS_LOOP_PROCESSOR = "autonomous_loop_processor"
    AUTONOMOUS_LOOP_EVALUATOR = "autonomous_loop_evaluator"

    @property
    def api_version(self) -> int:
        """The version of the calls that the code expects."""
        version: int = self.data.get("api_version", 1)
        return version

    @property
    def type(self) -> str:
        """Which kind of algorithm this is."""
        kind: str = self.LEGACY if self.api_version == 1 else self.data["type"]
        return kind

    @property
    def is_autonomous(self) -> bool:
        """Whether it asks for its data itself."""
        return self.type.startswith(self.AUTONOMOUS)

    @property
    def is_sequential(self) -> bool:
        """Whether it is called for one unit of data after the other."""
        return self.type.startswith(self.SEQUENTIAL)

    @property
    def is_loop(self) -> bool:
        """Whether it is the half of a loop that evaluates."""
        return self.type.endswith("loop_evaluator")

    @property
    def isAnalyzer(self) -> bool:
        """Whether it has results in place of outputs."""
        return self.results is not None

    @property
    def results(self) -> dict[str, Any] | None:
        """The results of an analyzer, each a dictionary; None for a block."""
        return self.data.get("results")

    @results.setter
    def results(self, value: dict[str, Any]) -> None:
        self.data["results"] = value
