"""`dlg check`: everything that is wrong with a graph, before it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import click

from dlg.exceptions import InvalidGraphException
from dlg.graph.checks import classes
from dlg.graph.documents import read_document
from dlg.graph.physical import PhysicalGraph
from dlg.graph.problems import Problem, Severity, errors
from dlg.graph.reading import inspect
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP, USAGE
from dlg_engine.cli.loading import (
    GRAPH_PATH,
    add_user_code,
    job_drops,
    label_of,
    pick_source,
    problem_record,
    read_assignments,
    unusable_drops,
)

EXAMPLES = """
Examples:
  dlg check my.graph                  all problems, each with its place
  dlg check my.graph --json | jq .problems

An error makes a graph unusable; a warning does not, but where it says so the graph would hang or
crash, and `dlg run` refuses it.
"""


class Findings(NamedTuple):
    """What is known of a graph after looking at it."""

    source: str
    kind: str
    """`logical`, `physical` or `job, as a physical`; empty where the file is none of them."""
    drops: int | None
    """How many drops it has or unrolls to; None if that cannot be said."""
    problems: Sequence[Problem]

    @property
    def blocked(self) -> bool:
        """Whether something in it keeps it from being run."""
        return any(p.blocks_run or p.severity is Severity.ERROR for p in self.problems)


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=GRAPH_PATH)
@click.option(
    "-s", "--set", "assignments", multiple=True, metavar="NAME=VALUE",
    help="Give a parameter of a logical graph a value, as in dlg run.",
)  # fmt: skip
@click.option("--config", metavar="NAME|FILE", help="Use this graph configuration.")
@click.option(
    "--path", "paths", multiple=True, type=click.Path(exists=True, file_okay=False),
    metavar="DIR", help="Import users' modules from here too.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(
    *,
    graph: str,
    assignments: tuple[str, ...],
    config: str | None,
    paths: tuple[str, ...],
    as_json: bool,
) -> int:
    """Find everything that is wrong with GRAPH, logical or physical ('-': standard input).

    The exit code is 2 if something keeps it from being run, else 0.
    """
    add_user_code(graph, paths)
    found = examine(graph, read_assignments(assignments), config)
    if as_json:
        click.echo(json.dumps(as_record(found), indent=1))
    else:
        for line in lines(found):
            click.echo(line)
    return USAGE if found.blocked else 0


def examine(
    graph: str, parameters: dict[str, str] | None = None, config: str | None = None
) -> Findings:
    """Return what is wrong with the graph that the argument `graph` names."""
    source, physical = pick_source(graph)
    label = label_of(source)
    try:
        specs = job_drops(source, parameters or {}, config)
        if specs is not None:
            _, problems = inspect(specs, label)
            return Findings(label, "job, as a physical", len(specs), problems)
        if not physical:
            return _examine_logical(source, label, parameters or {}, config)
        document, _ = read_document(source, label)
        _, problems = inspect(document, label)
    except InvalidGraphException as error:
        found = error.problems or (Problem(code="unreadable-file", message=str(error)),)
        return Findings(label, "" if physical else "logical", None, found)
    drops = len(document) if isinstance(document, list) else None
    return Findings(label, "physical", drops, problems)


def as_record(found: Findings) -> dict[str, object]:
    """Return findings as plain values for JSON."""
    return {
        "graph": found.source,
        "kind": found.kind,
        "drops": found.drops,
        "can_run": not found.blocked,
        "problems": [problem_record(problem) for problem in found.problems],
    }


def lines(found: Findings) -> Iterator[str]:
    """Yield what people are told: the problems, worst first, and a last line that counts them."""
    for problem in sorted(found.problems, key=_badness):
        colour = "red" if problem.severity is Severity.ERROR else "yellow"
        stop = problem.blocks_run and problem.severity is Severity.WARNING
        yield click.style(str(problem), fg=colour) + (" [cannot be run so]" if stop else "")
    size = "" if found.drops is None else f" of {found.drops:,} drops"
    errors = sum(p.severity is Severity.ERROR for p in found.problems)
    warnings = len(found.problems) - errors
    counted = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    verdict = "cannot be run" if found.blocked else "can be run"
    kind = f"{found.kind} graph".strip()
    yield f"{found.source}: {kind}{size}, {counted}; it {verdict}"


def _examine_logical(
    source: str | bytes, label: str, parameters: dict[str, str], config: str | None
) -> Findings:
    # Physical graphs are checked without loading the translator.
    from dlg_translator.formats import read_all  # noqa: PLC0415
    from dlg_translator.unroll import unroll_logical  # noqa: PLC0415
    from dlg_translator.unroll.lowering import refusals  # noqa: PLC0415

    graph = read_all(source, parameters=parameters, config=config, link_rules=refusals)
    if errors(graph.problems):
        return Findings(label, "logical", None, graph.problems)
    template = unroll_logical(graph)
    drops = template.to_physical_graph()
    unusable = [*unknown_classes(drops), *unusable_drops(drops, template.starts)]
    return Findings(label, "logical", len(drops), [*graph.problems, *unusable])


def unknown_classes(graph: PhysicalGraph) -> list[Problem]:
    """Return a problem for each class of an unrolled graph that cannot be had here."""
    first = {class_id: row for row, class_id in reversed(list(enumerate(graph.class_ids)))}
    rows = [first[class_id] for class_id in range(len(graph.class_names)) if class_id in first]
    specs = [graph.specs[row] for row in rows]
    ids = [graph.class_ids[row] for row in rows]
    found = classes(graph.class_names, ids, specs)
    return [replace(p, pointer="", oid=str(p.oid)) for p in found]


def _badness(problem: Problem) -> tuple[bool, bool]:
    return problem.severity is not Severity.ERROR, not problem.blocks_run


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
