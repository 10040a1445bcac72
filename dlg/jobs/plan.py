"""What a job comes to: steps, the products they make, and what must be over before what.

The steps of an entry stand one after the other, so a `Region` (a loop, chain or branch as a whole)
is a range of them. What depends on results is not decided here: a `Decision` is a step that opens
or closes a gate, and what stands behind a closed gate is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Gate(NamedTuple):
    """What must be decided, and how, for a step to run."""

    decision: int
    """The number of the decision among the steps."""
    taken: bool


class Late(NamedTuple):
    """A setting whose value is known only when the step runs."""

    path: tuple[str | int, ...]
    expression: str


@dataclass(frozen=True, slots=True)
class Region:
    """An entry made of others, as a whole: the steps from `start` up to `end`."""

    key: str
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class Step:
    """What tasks and decisions have in common."""

    key: str
    """Says where in the job it is; no other step has it, and it is the same every time."""
    pointer: str
    name: str = ""
    metadata: Mapping[str, Any]
    gate: Gate | None = None
    requires: dict[str, int | Region] = field(default_factory=dict)
    """Steps and regions whose results it needs, by name."""
    waits: list[int | Region] = field(default_factory=list)
    """Steps and regions that must be over."""


@dataclass(slots=True, kw_only=True)
class PlannedTask(Step):
    """One task to be run."""

    type: str
    job_name: str
    working_directory: str
    inputs: dict[str, int] = field(default_factory=dict)
    """The numbers of products, by what they are to the task."""
    gathered: dict[str, list[int]] = field(default_factory=dict)
    """The same, of inputs that are lists."""
    last: frozenset[str] = frozenset()
    """Gathered inputs of which only the last that was made is wanted."""
    ends: list[int] = field(default_factory=list)
    """The last possible decisions of loops from which it gathers: if one fails, the loop has."""
    outputs: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    qc_criterion: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    late: tuple[Late, ...] = ()
    """Which settings are still to be evaluated, with what is required."""


@dataclass(slots=True, kw_only=True)
class Decision(Step):
    """A criterion that needs results; what depends on it stands behind its gates."""

    criterion: Any
    limit: int = 0
    """If above 0: this ends the last possible iteration, of so many, and may not say to go on."""
    repeats: bool = False
    """Whether it is that of a loop, and not that of a branch."""


@dataclass(slots=True)
class Product:
    """A file that the job makes."""

    path: str
    """Relative, with `/` between its parts."""
    makers: list[int]
    """The steps that make it: one, or several of which at most one runs."""
    semantic: str


@dataclass(slots=True)
class Plan:
    """All of a job."""

    job_name: str
    seed: str
    steps: list[PlannedTask | Decision] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    source: str = "job"

    @property
    def tasks(self) -> list[PlannedTask]:
        """The steps that are tasks."""
        return [step for step in self.steps if isinstance(step, PlannedTask)]

    def needed(self, step: PlannedTask | Decision) -> list[int | Region]:
        """Return all steps and regions that must be over before a step can run, with doubles."""
        found: list[int | Region] = [*step.requires.values(), *step.waits]
        if step.gate is not None:
            found.append(step.gate.decision)
        if isinstance(step, PlannedTask):
            found.extend(step.ends)
            for number in (*step.inputs.values(), *(n for m in step.gathered.values() for n in m)):
                found.extend(self.products[number].makers)
        return found
