"""What a job says: tasks, and chains, loops and branches of them, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ITERATIONS = 100
"""How often a loop that goes on while its criterion holds is gone through at most, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every entry of a list of tasks has. Texts may be expressions."""

    pointer: str
    name: Any = None
    requires: tuple[Any, ...] = ()
    """Names of entries whose results the expressions of this one need: `requested_metadata`."""
    wait_for: tuple[Any, ...] = ()
    """Names of entries that must be over, without giving anything to this one."""
    job_name: Any = None
    working_directory: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """An input that is all products of a kind made in a loop or chain, or the last of them."""

    source: Any
    output: Any
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Common):
    """Something to be done, by whoever knows tasks of this type."""

    type: Any
    inputs: Mapping[str, Any | Gathering] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    retries: Any = 0
    qc_criterion: Any = None
    """What must hold of the results, or what was made does not pass."""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(Common):
    """A list of entries, which run side by side unless one needs another."""

    entries: tuple[Entry, ...] = ()
    in_order: bool = False
    """Whether each waits for the one before it."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForLoop(Common):
    """A list of entries for each value of a parameter; all iterations side by side."""

    parameter: str
    kind: str
    """`values`, `linear_range` or `log_range`."""
    values: Any
    body: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Common):
    """One list of entries, or another."""

    criterion: Any
    then: Chain
    otherwise: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Common):
    """A list of entries that is gone through once, and again while a criterion holds."""

    iteration_name: str
    from_child: tuple[Any, ...]
    criterion: Any
    body: Chain
    max_iterations: int = MAX_ITERATIONS


Entry = Task | Chain | ForLoop | Conditional | Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A whole job."""

    body: Chain
    job_name: str = ""
    working_directory: str = ""
    seed: str = ""
    """Where random numbers start."""
    source: str = "job"
