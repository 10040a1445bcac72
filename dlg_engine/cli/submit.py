"""`dlg submit`: a graph, logical or physical, run on the nodes of a manager."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from dlg.exceptions import DaliugeException
from dlg.reproducibility.levels import Level, parse_level
from dlg.support.examples import ExampleCommand
from dlg.support.garbage import held_off
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.code_along import send_code_along
from dlg_engine.cli.connection import Manager, Wanted, json_option, manager_options
from dlg_engine.cli.dividing import ALGORITHM, place
from dlg_engine.cli.evidence import leave_evidence, workdir_option
from dlg_engine.cli.experiment_option import chosen_graph, experiment_options
from dlg_engine.cli.following import follow_session
from dlg_engine.cli.group import FAILED, HELP, INTERRUPTED
from dlg_engine.cli.loading import (
    GRAPH_PATH,
    STDIN,
    add_user_code,
    load_template,
    parameter_options,
    read_assignments,
    tell_warnings,
)
from dlg_engine.cli.progress import show_progress
from dlg_engine.cli.remote_summary import Results, page_of, summary_lines
from dlg_engine.cli.summary import SHOWN_RESULTS, count_of_drops
from dlg_engine.cli.uploading import submit_graph
from dlg_engine.embedded import new_session_id
from dlg_translator.commands import Stage
from dlg_translator.partition.template import Template

EXAMPLES = """
Examples:
  dlg submit my.graph                        to the manager of this host
  dlg submit my.graph -H head -P 8002        to the one that listens there
  dlg submit my.graph --set Scatter.num_of_copies=16 --algorithm sarkar
  dlg submit my.pg --detach                  prints the id of the session; dlg status follows it

Python functions of modules beside the graph, or in the directories of --path, are sent along.
"""

BIG = 100_000
"""From how many drops on a graph is big."""


class Submitted(NamedTuple):
    """A graph that runs."""

    session_id: str
    drops: int
    nodes: Sequence[str]
    results: Results
    level: Level
    """At which evidence is kept."""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=GRAPH_PATH, required=False)
@experiment_options
@manager_options
@parameter_options
@click.option(
    "-a",
    "--algorithm",
    help=f"How to divide the graph over the nodes ({ALGORITHM}, unless it is divided already).",
)
@click.option(
    "-A",
    "--algorithm-parameters",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the algorithm.",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Send functions of modules in here along too.",
)
@click.option("--session", metavar="ID", help="The id that the session is to have.")
@click.option("--name", help="What the id of the session begins with, if not with the graph's.")
@click.option(
    "--repro",
    metavar="LEVEL",
    help="Leave data behind for `dlg repro`, at this level: a name or number, or all.",
)
@workdir_option
@click.option(
    "--reuse",
    is_flag=True,
    help="Let nodes take from their stores what was made before, and keep what is new.",
)
@click.option("--detach", is_flag=True, help="Print the id of the session and leave it alone.")
@click.option(
    "--cancel-on-interrupt", is_flag=True, help="Cancel the session on Ctrl-C; else it goes on."
)
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something fails.")
def submit(  # noqa: PLR0913  an option each
    *,
    at: Wanted,
    graph: str | None,
    paths: tuple[str, ...],
    workdir: Path,
    detach: bool,
    cancel_on_interrupt: bool,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> int:
    """Run GRAPH, a logical or physical graph ('-': standard input), on the nodes of a manager.

    Shows progress, and at the end what came of it. The exit code is 0 if everything finished, 1
    if a drop failed, 2 if the graph or the command is wrong, 130 after Ctrl-C.
    """
    graph = chosen_graph(graph, how.pop("experiment"), how.pop("prefix"))
    add_user_code(graph, paths)
    directories = [*map(Path, paths), Path() if graph == STDIN else Path(graph).parent]
    manager = at.find()
    with heeding_termination():  # a session that is not whole yet is deleted
        submitted = _submit(manager, graph, directories, quiet=quiet, **how)
    if detach:
        told = {"session": submitted.session_id, "manager": manager.url}
        click.echo(json.dumps(told) if as_json else submitted.session_id)
        return 0
    code = _follow(manager, submitted, cancel=cancel_on_interrupt, as_json=as_json, quiet=quiet)
    if submitted.level is not Level.NOTHING and code != INTERRUPTED:
        _leave_evidence(manager, submitted.session_id, graph, workdir, quiet=quiet)
    return code


def _submit(  # noqa: PLR0913  an option each
    manager: Manager,
    graph: str,
    directories: Sequence[Path],
    *,
    assignments: tuple[str, ...],
    config: str | None,
    algorithm: str | None,
    options: tuple[str, ...],
    session: str | None,
    name: str | None,
    repro: str | None,
    reuse: bool,
    quiet: bool,
) -> Submitted:
    """Divide the graph over the nodes of the manager and start it there."""
    asked = None if repro is None else parse_level(repro)
    places = manager.places()
    with held_off():
        with _stage("reading", quiet=quiet):
            template = load_template(graph, assignments, config)
        with _stage("dividing", quiet=quiet):
            placed = place(template, places, algorithm, read_assignments(options))
        if algorithm:  # a graph too small for all nodes, say, is nobody's mistake otherwise
            tell_warnings(placed.warnings[len(template.warnings) :])
        level = _level(asked, template)
        kept = level is not Level.NOTHING
        specs = send_code_along(placed, template, directories, signed=kept or reuse)
        session_id = session or new_session_id(name or ("graph" if graph == STDIN else graph))
        with _stage("sending", quiet=quiet):
            wanted = level if kept else asked
            submit_graph(manager.client, session_id, specs, wanted, reuse=reuse)
    return Submitted(session_id, len(template), list(placed.nodes), _results(template), level)


def _level(asked: Level | None, template: Template) -> Level:
    """Return the level at which evidence is kept: what is asked for, or what the graph says."""
    if asked is not None:
        return asked
    told = getattr(template, "reprodata", None) or {}
    return parse_level(told.get("rmode", Level.NOTHING))


def _leave_evidence(
    manager: Manager, session_id: str, graph: str, workdir: Path, *, quiet: bool
) -> None:
    """Write here what the session left behind; where that fails the run is as it was."""
    try:
        directory = leave_evidence(manager.client, session_id, workdir, Path(graph))
    except DaliugeException as error:
        click.echo(f"no evidence of the run: {error}", err=True)
        return
    if not quiet:
        click.echo(f"evidence in {directory}", err=True)


def _stage(doing: str, *, quiet: bool) -> AbstractContextManager[None]:
    """Return what tells that something goes on, if that is long."""
    if quiet:
        return nullcontext()
    return Stage(doing)


def _results(template: Template) -> Results:
    """Return the first of the data that no app consumes, and how many there are.

    Of a big graph none are looked at: a manager takes a second for each.
    """
    ends = ~np.asarray(template.is_app)
    ends[template.edges[0]] = False
    rows = np.flatnonzero(ends)
    shown = rows[: SHOWN_RESULTS if len(template) <= BIG else 0]
    specs = (template.spec(row) for row in shown.tolist())
    return Results(
        [(str(spec["oid"]), str(spec.get("name") or spec["oid"])) for spec in specs], len(rows)
    )


def _follow(
    manager: Manager, submitted: Submitted, *, cancel: bool, as_json: bool, quiet: bool
) -> int:
    """Follow the session to its end and tell what came of it; return the exit code."""
    session_id = submitted.session_id
    code = 0
    with show_progress(quiet=quiet) or nullcontext() as progress:
        try:
            with heeding_termination():
                if not quiet:
                    click.echo(_heading(manager, submitted), err=True)
                summary = follow_session(manager.client, session_id, progress)
        except KeyboardInterrupt:
            code = INTERRUPTED
            if cancel:
                summary = _cancelled(manager, session_id)
    if code and not cancel:
        click.echo(
            f"interrupted; session {session_id} goes on\n"
            f"  dlg status {session_id} --watch{manager.where()}   follows it\n"
            f"  dlg cancel {session_id}{manager.where()}           ends it", err=True,
        )  # fmt: skip
        return code
    code = code or (0 if summary["state"] == "FINISHED" else FAILED)
    if as_json:
        click.echo(json.dumps(summary))
    elif not quiet or code:
        for line in summary_lines(manager, summary, submitted.results):
            click.echo(line, err=quiet)
    return code


def _heading(manager: Manager, submitted: Submitted) -> str:
    many = len(submitted.nodes)
    where = f"{many} node{'s' if many > 1 else ''} of {manager.url}"
    page = page_of(manager, submitted.session_id)
    return (
        f"session {submitted.session_id}: {count_of_drops(submitted.drops)} on {where}\n"
        f"live at {page}"
    )


def _cancelled(manager: Manager, session_id: str) -> dict[str, Any]:
    """Cancel a session and return how it ended."""
    try:
        manager.client.cancel_session(session_id)
    except DaliugeException as error:  # it may have ended in this very moment
        click.echo(f"{error}", err=True)
    return follow_session(manager.client, session_id, None)
