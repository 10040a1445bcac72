"""Every kind of problem a logical graph can have, and how bad each is: one table.

An *error* cannot be unrolled. A *warning* can; of the warnings some make a graph that would hang
or crash, and those `check`, `run` and `submit` refuse, the others only tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dlg.graph.problems import Problem, Severity


@dataclass(frozen=True, slots=True)
class Grade:
    """How bad a kind of problem is, and what can be done about it."""

    severity: Severity
    blocks_run: bool
    hint: str = ""


def _error(hint: str = "") -> Grade:
    return Grade(Severity.ERROR, blocks_run=True, hint=hint)


def _cannot_run(hint: str = "") -> Grade:
    return Grade(Severity.WARNING, blocks_run=True, hint=hint)


def _only_tells(hint: str = "") -> Grade:
    return Grade(Severity.WARNING, blocks_run=False, hint=hint)


KINDS: Mapping[str, Grade] = {
    # The file itself.
    "unreadable-file": _error(),
    "invalid-json": _error(),
    "empty-graph": _cannot_run("draw an application or data"),
    "not-a-logical-graph": _error(),
    "wrong-structure": _error(),
    "missing-id": _error("give every node an id of its own"),
    "duplicate-id": _error("give every node an id of its own"),
    # Links.
    "dangling-link": _error("remove the link or bring the node back"),
    "forbidden-link": _error(),
    "unknown-port": _only_tells("the link is kept, without the name of a port"),
    "duplicate-link": _only_tells("the second one is ignored"),
    "app-to-app": _cannot_run("put a data node between the two applications"),
    "data-to-data": _cannot_run("put an application between the two data nodes"),
    "cycle": _cannot_run("nodes that wait for each other never start; repeat with a Loop"),
    "self-link": _cannot_run("a node that waits for itself never starts"),
    "unconnected-node": _only_tells("link it or remove it"),
    # Groups.
    "parent-missing": _error("its parent must be a construct of this graph"),
    "parent-not-a-construct": _error("only constructs can hold nodes"),
    "parent-circle": _error("a construct cannot stand inside itself"),
    "comment-inside-construct": _only_tells("it is not unrolled"),
    "empty-construct": _only_tells(),
    "embedded-app-lost": _error("an embedded application needs its construct"),
    # Numbers.
    "no-copies": _error("set num_of_copies"),
    "no-iterations": _error("set num_of_iter"),
    "no-width": _only_tells("set num_of_inputs"),
    "ill-typed-value": _error(),
    "out-of-range": _error(),
    "doubtful-value": _only_tells(),
    "width-does-not-divide": _only_tells("the last gathering gets fewer inputs"),
    "group-key": _error("a group key is the id or the name of a scatter around the input"),
    # What is to be run.
    "unknown-category": _cannot_run("name the class in the field dropclass"),
    "uncommon-category": _only_tells(),
    "no-class": _only_tells("name the class in the field dropclass"),
    "unknown-class": _only_tells("a class is named by its full dotted path"),
    # Configurations, parameters, global variables.
    "unknown-config": _error(),
    "active-config-missing": _only_tells("no configuration is applied"),
    "unknown-config-node": _only_tells("the entry is ignored"),
    "unknown-config-field": _only_tells("the entry is ignored"),
    "unknown-parameter": _error(),
    "unfilled-parameter": _error("give it a value"),
    "ambiguous-parameter": _error("use the id of the node"),
    "linked-global": _only_tells("global variables are not drops; the link is ignored"),
    "duplicate-global": _only_tells("the first value holds"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem is: by pointer for tools, by name and id for people."""

    pointer: str = ""
    name: str = ""
    id: str = ""


NOWHERE = Place()


@dataclass(slots=True)
class Report:
    """Collects problems; each gets its grade from the table."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, message: str, place: Place = NOWHERE, hint: str = "") -> None:
        """Note a problem of the kind `code`; an unknown kind is a mistake in this program."""
        self.problems.append(problem(code, message, place, hint))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)


def problem(code: str, message: str, place: Place = NOWHERE, hint: str = "") -> Problem:
    """Return a problem of the kind `code`, graded by the table."""
    grade = KINDS[code]
    return Problem(
        code=code,
        message=message,
        pointer=place.pointer,
        name=place.name,
        oid=place.id,
        hint=hint or grade.hint,
        severity=grade.severity,
        blocks_run=grade.blocks_run,
    )
