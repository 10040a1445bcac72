"""Between a logical graph and its instances: what will be made how often, and what is linked how.

An *entity* is what becomes drops; its *path* names the groups around it, outermost first, and the
product of their widths is the number of its instances. A *wire* links all instances of two
entities by one rule. Nothing here is per instance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dlg_translator.model.logical import Field


class GroupKind(StrEnum):
    """What repeats what is inside a group."""

    COPIES = "copies"
    """Scatter: each copy on its own."""
    ITERATIONS = "iterations"
    """Loop: one after the other."""
    GATHERS = "gathers"
    """Gather and GroupBy: one for each bunch of inputs."""
    RANKS = "ranks"
    """Processes of one MPI program."""
    ONCE = "once"
    """SubGraph: a level that repeats nothing."""


@dataclass(slots=True)
class Group:
    """One level of repetition."""

    id: str
    kind: GroupKind
    parent: tuple[str, ...]
    """The path of the groups around this one."""
    width: int = -1
    """How often it repeats what is in it; -1 until it is known."""


@dataclass(slots=True)
class Entity:
    """What becomes drops, all alike but for their place."""

    id: str
    name: str
    category: str
    category_type: str
    dropclass: str
    path: tuple[str, ...]
    fields: list[Field] = field(default_factory=list)
    pointer: str = ""
    is_app: bool = False
    is_data: bool = False
    group_start: bool = False
    group_end: bool = False
    weight: int = 1
    num_cpus: int = 1
    extra: dict[str, Any] = field(default_factory=dict)
    """Further keys of the dropspecs."""


class Rule(StrEnum):
    """How the instances of two linked entities are paired."""

    NEST = "nest"
    """One side is deeper: each of its instances meets the one instance around it."""
    PAIR = "pair"
    """By position: the same place in groups of the same width."""
    CARRY = "carry"
    """From each iteration to the next."""
    BUNCH = "bunch"
    """Consecutive bunches of a fixed width, for Gather."""
    KEY = "key"
    """By the index in one of the groups around the source, for GroupBy."""
    SPREAD = "spread"
    """As evenly as possible, for the stages of MKN."""


@dataclass(slots=True)
class Wire:
    """A link between all instances of two entities."""

    src: str
    dst: str
    rule: Rule
    src_port: str = ""
    dst_port: str = ""
    streaming: bool = False
    loop_aware: bool = False
    width: int = 1
    """For BUNCH: how many sources meet in one target."""
    gather: str = ""
    """For BUNCH: the group of the bunches."""
    keys: tuple[str, ...] = ()
    """For KEY: the groups whose index is the key."""


@dataclass(slots=True)
class Plan:
    """All groups, entities and wires of a graph."""

    groups: dict[str, Group] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    def count(self, path: tuple[str, ...]) -> int:
        """Return how many instances something with `path` has."""
        return math.prod(self.groups[g].width for g in path)

    def known(self, path: tuple[str, ...]) -> bool:
        """Return whether all widths on `path` are known."""
        return all(self.groups[g].width >= 0 for g in path)
