"""Expressions in the description of a task, evaluated where its metadata is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.jobs.expressions import Surroundings, evaluate, evaluate_in_structure
from dlg_engine.tasks.task_objects import MetadataItem


class TaskExpressionEvaluation:
    """Evaluates what begins with a quote or a parenthesis; the rest is what it is.

    The language is that of `dlg.jobs.expressions`: a closed one. `seed` is where its random
    numbers start.
    """

    def __init__(
        self,
        metadata: Mapping[str, MetadataItem],
        requested_metadata: Mapping[str, Mapping[str, MetadataItem]],
        seed: str = "",
    ) -> None:
        self._around = Surroundings(
            metadata=plain_values(metadata),
            requested_metadata={
                name: plain_values(found) for name, found in requested_metadata.items()
            },
            seed=seed,
        )

    def evaluate_expression(self, expression: Any) -> Any:
        """Return the value of an expression; raise ExpressionError if it is not one."""
        return evaluate(expression, self._around)

    def evaluate_in_structure(self, structure: Any) -> Any:
        """Return lists and dictionaries with the value of each expression in them."""
        return evaluate_in_structure(structure, self._around)


def plain_values(metadata: Mapping[str, MetadataItem]) -> dict[str, Any]:
    """Return metadata as values."""
    return {name: item.value for name, item in metadata.items()}
