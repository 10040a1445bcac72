"""What is wrong with a graph, and where: one record for every reader, checker and translator.

Checks never stop at the first mistake: they collect `Problem`s and whoever asked decides whether
they are fatal. A problem names its place twice: by JSON pointer (RFC 6901) for tools and by the
drop's or node's own name for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`ERROR`: the graph cannot be used. `WARNING`: it can, but should not run as it is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a graph."""

    code: str
    """A short kebab-case word for the kind of problem, such as `unknown-link-target`."""
    message: str
    """What was found and what was expected, in one sentence."""
    pointer: str = ""
    """Where, as an RFC 6901 JSON pointer into the file; empty for the whole document."""
    name: str = ""
    """The human name of the drop or node."""
    oid: str = ""
    """The id of the drop or node."""
    hint: str = ""
    """What to do about it, when that is known."""
    severity: Severity = Severity.ERROR
    blocks_run: bool = True
    """Whether `check`, `run` and `submit` refuse a graph with this problem, even a warning."""

    def __str__(self) -> str:
        who = f"{self.name!r}" if self.name else ""
        if self.oid and self.oid != self.name:
            who = f"{who} ({self.oid})".strip()
        place = " ".join(part for part in (self.pointer, who) if part)
        text = (
            f"{self.severity}[{self.code}] {place}: {self.message}"
            if place
            else (f"{self.severity}[{self.code}] {self.message}")
        )
        return f"{text} ({self.hint})" if self.hint else text


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that make a graph unusable."""
    return [p for p in problems if p.severity is Severity.ERROR]


def pointer(*parts: str | int) -> str:
    """Return the RFC 6901 JSON pointer made of `parts`, escaped as the RFC asks."""
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in parts)


def summary(problems: Sequence[Problem], source: str) -> str:
    """Return a text for people: a headline with the file, then one problem a line."""
    count = len(problems)
    noun = "problem" if count == 1 else "problems"
    lines = [f"{source}: {count} {noun}"]
    lines += [f"  {problem}" for problem in problems]
    return "\n".join(lines)


JSON_KINDS: Mapping[type, str] = {
    str: "a text", bool: "a truth value", int: "a number", float: "a number", type(None): "null",
    dict: "an object", list: "a list",
}  # fmt: skip
"""What a value is in a JSON file, in words for people."""


def json_kind(value: object) -> str:
    """Return in words what `value` is in a JSON file; of other values, the type."""
    return JSON_KINDS.get(type(value), type(value).__name__)
