"""The uses of algorithms in the declaration of an experiment, all kinds of blocks alike.

A block or an analyzer is one use, a loop is two: its processor and its evaluator. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlg.beat.wiring import Kind

__all__ = ["EVALUATOR_PREFIX", "PROCESSOR_PREFIX", "Use", "uses_of"]

PROCESSOR_PREFIX = "processor_"
EVALUATOR_PREFIX = "evaluator_"
DEFAULT_SLOTS = 1
MAPPINGS = ("inputs", "outputs", "parameters")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an algorithm; `part` is the prefix of its keys if it is a part of a loop.

    `inputs` and `outputs` give the endpoint of the block for each of the algorithm.
    """

    kind: Kind
    block: str
    part: str
    algorithm: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    environment: Mapping[str, str] | None
    queue: str | None
    slots: int

    @property
    def place(self) -> str:
        """Where it is in the declaration, as a JSON pointer."""
        return f"/{self.kind.value}/{self.block}"

    def at(self, key: str) -> str:
        """Return where one of its keys is."""
        return f"{self.place}/{self.part}{key}"


def uses_of(declaration: Mapping[str, Any]) -> Iterator[Use]:
    """Yield the uses in a declaration that fits its schema: blocks, loops, analyzers."""
    for kind in (Kind.BLOCK, Kind.LOOP, Kind.ANALYZER):
        for name, one in declaration.get(kind.value, {}).items():
            parts = (PROCESSOR_PREFIX, EVALUATOR_PREFIX) if kind is Kind.LOOP else ("",)
            for part in parts:
                inputs, outputs, parameters = (one.get(part + key, {}) for key in MAPPINGS)
                yield Use(
                    kind=kind,
                    block=name,
                    part=part,
                    algorithm=one[f"{part}algorithm"],
                    inputs=inputs,
                    outputs=outputs,
                    parameters=parameters,
                    environment=one.get(f"{part}environment"),
                    queue=one.get("queue"),
                    slots=one.get("nb_slots", DEFAULT_SLOTS),
                )
