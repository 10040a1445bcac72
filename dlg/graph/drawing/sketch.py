"""What is to be drawn, before anything has a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a box stands for; each has a shape and colours of its own."""

    DATA = "data"
    APP = "app"
    CONTROL = "control"
    CONTAINER = "container"
    NOTE = "note"


class LineKind(StrEnum):
    """What a line stands for."""

    PLAIN = "plain"
    STREAMING = "streaming"
    LOOP = "loop"
    """It enters, leaves or closes a loop."""
    HOLDS = "holds"
    """From a container to what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A drop or node, or several that are drawn as one."""

    id: str
    label: str
    detail: str = ""
    """A second, smaller line: the class or category."""
    kind: Kind = Kind.DATA
    parent: str | None = None
    """The id of the frame it stands in."""
    count: int = 1
    """How many drops it stands for."""
    facts: tuple[str, ...] = ()
    """More about it, a line each, for whoever points at it."""
    shares: tuple[tuple[int, int], ...] = ()
    """The numbers of the parts its drops are in, with how many; empty if nobody has divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a divided graph, which one node runs."""

    number: int
    label: str
    """The node, and the island if there are several."""
    drops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A construct: drawn around the boxes and frames inside it."""

    id: str
    label: str
    detail: str = ""
    category: str = ""
    parent: str | None = None
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A link from a box or frame to another, by their ids."""

    src: str
    dst: str
    kind: LineKind = LineKind.PLAIN
    count: int = 1
    """How many links it stands for."""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A whole drawing; lines to ids that are not there are left out of it."""

    title: str = ""
    note: str = ""
    """A line below the title: sizes, and what has been drawn together."""
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    """What the boxes' shares are shares of, for the legend."""
