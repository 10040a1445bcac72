"""Every name of the published interface is there with its arguments, or listed as different.

`published_names.txt` has them: modules, classes in them, methods with arguments, of which those
with `=` have a default. `docs/explanation/task_system.md` has to name each difference.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlg_engine.tasks.task_objects import (
    FileProduct,
    FileProductVersion,
    Task,
    TaskExecutionAttempt,
)

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs/explanation/task_system.md"
LIGHTCURVES = {"lc_reader_lcsg", "lightcurve", "lightcurve_resample", "quality_control"}
BY_KEYWORD = "fields are given by keyword"
STATEMENT = "statement"
DIFFERENT = {
    "connect_db.DatabaseInterface.__init__": "url",
    "connect_db.DatabaseInterface.parameterised_query": STATEMENT,
    "connect_db.DatabaseInterface.parameterised_query_many": STATEMENT,
    "connect_db.DatabaseInterfaceMySql.parameterised_query": STATEMENT,
    "connect_db.DatabaseInterfaceMySql.parameterised_query_many": STATEMENT,
    "connect_db.DatabaseInterfaceSqlite.parameterised_query": STATEMENT,
    "connect_db.DatabaseInterfaceSqlite.parameterised_query_many": STATEMENT,
    "connect_db.DatabaseInterfaceSqlite._sqlite3_database_path": "`sqlite_path`",
    "lightcurve_resample.LightcurveResampler._pixel_start_times": "private",
    "lightcurve_resample.LightcurveResampler._pixel_widths": "private",
    "lightcurve_resample.LightcurveResampler._resample": "private",
    "task_objects.FileProduct.configure": BY_KEYWORD,
    "task_objects.FileProductVersion.configure": BY_KEYWORD,
    "task_objects.Task.configure": BY_KEYWORD,
    "task_objects.TaskExecutionAttempt.configure": BY_KEYWORD,
    "task_queues.TaskQueueAmqp.__init__": "debugging",
    "task_queues.TaskQueueConnector.__init__": "debugging",
    "task_queues.TaskQueueSQL.__init__": "database",
}
"""What is not as published, and a word that the page about it has."""


@dataclass(frozen=True, slots=True)
class Published:
    """A function or method as it was published."""

    module: str
    owner: str
    """The class; empty for a function."""
    name: str
    arguments: tuple[str, ...]
    kind: str
    """`static` or `classmethod`, or nothing."""

    @property
    def key(self) -> str:
        return ".".join(part for part in (self.module, self.owner, self.name) if part)


def modules() -> Iterator[tuple[str, list[str]]]:
    name = ""
    lines: list[str] = []
    for line in (HERE / "published_names.txt").read_text().splitlines():
        if line and not line.startswith(" "):
            if name:
                yield name, lines
            name, lines = line, []
        elif line.strip():
            lines.append(line)
    yield name, lines


def published() -> Iterator[Published]:
    for module, lines in modules():
        owner = ""
        for line in lines:
            found = re.fullmatch(r"\s*(def )?(\w+)\((.*)\) ?(\w*)", line)
            if found is None:
                owner = line.strip()
                continue
            arguments = tuple(part for part in found[3].split(", ") if part)
            yield Published(module, "" if found[1] else owner, found[2], arguments, found[4])


def classes() -> Iterator[tuple[str, str]]:
    for module, lines in modules():
        yield from ((module, line.strip()) for line in lines if "(" not in line)


def module_of(name: str) -> Any:
    return importlib.import_module(
        f"dlg.lightcurves.{name}" if name in LIGHTCURVES else f"dlg_engine.tasks.{name}"
    )


NAMES = list(published())


def test_the_table_is_read_as_a_whole() -> None:
    assert len(NAMES) > 200
    assert len({one.key for one in NAMES}) == len(NAMES)
    assert {one.module for one in NAMES} >= {"connect_db", "task_database", "lightcurve"}
    assert DIFFERENT.keys() <= {one.key for one in NAMES}


@pytest.mark.parametrize(("module", "name"), list(classes()), ids=str)
def test_every_class_is_in_its_module(module: str, name: str) -> None:
    assert inspect.isclass(getattr(module_of(module), name))


def difference(one: Published) -> str:
    """Return how a name is not as it was published; nothing if it is."""
    owner = module_of(one.module)
    if one.owner:
        owner = getattr(owner, one.owner)
    static = inspect.getattr_static(owner, one.name, None)
    if static is None:
        return "it is not there"
    kinds = {staticmethod: "static", classmethod: "classmethod"}
    if kinds.get(type(static), "") != one.kind:
        return f"it is no {one.kind or 'plain method'}"
    have = [
        parameter
        for parameter in inspect.signature(getattr(owner, one.name)).parameters.values()
        if parameter.name not in {"self", "cls"}
    ]
    return _arguments(one, have)


def _arguments(one: Published, have: list[inspect.Parameter]) -> str:
    empty = inspect.Parameter.empty
    free = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    for place, wanted in enumerate(one.arguments):
        name = wanted.strip("*=")
        if place >= len(have) or have[place].name != name:
            return f"its argument {place + 1} is not {name}"
        if wanted.endswith("=") and have[place].default is empty:
            return f"{name} has no default"
    for more in have[len(one.arguments) :]:
        if more.default is empty and more.kind not in free:
            return f"it needs {more.name} besides"
    return ""


@pytest.mark.parametrize("one", NAMES, ids=[one.key for one in NAMES])
def test_every_name_takes_what_it_was_published_to_take(one: Published) -> None:
    found = difference(one)
    if one.key in DIFFERENT:
        assert found, "it is as published now: take it out of the table and the page"
    else:
        assert not found


@pytest.mark.parametrize(("key", "word"), list(DIFFERENT.items()), ids=list(DIFFERENT))
def test_every_difference_is_told_in_the_documentation(key: str, word: str) -> None:
    _, owner, name = key.split(".")
    named = owner if name == "__init__" else name
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    assert any(named in row and word in row for row in rows), f"{PAGE.name} does not tell {key}"


@pytest.mark.parametrize(
    "kind", [FileProduct, FileProductVersion, TaskExecutionAttempt, Task], ids=lambda k: k.__name__
)
def test_configure_takes_every_published_field(kind: Any) -> None:
    (configure,) = [n for n in NAMES if n.owner == kind.__name__ and n.name == "configure"]
    made = kind()
    for argument in configure.arguments:
        made.configure(**{argument.strip("="): None})
    with pytest.raises(TypeError, match="has no field 'unheard_of'"):
        made.configure(unheard_of=1)
