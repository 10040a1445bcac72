"""`dlg run`: a graph, logical or physical, run in this process."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.group import FAILED, HELP, INTERRUPTED
from dlg_engine.cli.loading import (
    GRAPH_PATH,
    STDIN,
    add_user_code,
    check_place,
    load_runnable,
    write_text,
)
from dlg_engine.cli.progress import show_progress, span
from dlg_engine.cli.summary import show_summary
from dlg_engine.embedded import RunInterrupted, run_graph

if TYPE_CHECKING:
    from dlg.graph.physical import PhysicalGraph
    from dlg_engine.sessions.report import RunReport

WORKDIR = "dlg-runs"
"""Where sessions go unless --workdir says otherwise, in the current directory."""

PATIENCE_S = 1.0
"""From how long on loading is told about."""

EXAMPLES = """
Examples:
  dlg run my.graph                                   a logical graph, as EAGLE saves it
  dlg run my.graph --set Scatter.num_of_copies=16    ... with a parameter of a node changed
  dlg run my.pg --runner processes --workers 8       a physical graph, on eight processes
  dlg unroll my.graph | dlg run - --report -         from a pipe; the report as JSON

Python functions that a graph names are imported from installed packages, the directories of
--path, the directory of the graph (for '-' the current one), and the code directory of the
settings.
"""


class How(NamedTuple):
    """How a graph is to be run."""

    runner: str
    workers: int | None
    workdir: str
    timeout: float | None


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=GRAPH_PATH)
@click.option(
    "-s",
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Give a parameter of a logical graph a value: NODE.FIELD, or a ~name of its text.",
)
@click.option(
    "--config", metavar="NAME|FILE", help="Use this graph configuration, not the active one."
)
@click.option(
    "--runner",
    type=click.Choice(["threads", "processes", "inline"]),
    default="threads",
    show_default=True,
    help="Who runs the apps.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="How many apps at once.")
@click.option(
    "--workdir",
    type=click.Path(file_okay=False),
    default=WORKDIR,
    show_default=True,
    metavar="DIR",
    help="Where the directory of the session is made.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Cancel the run after so long.",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Import users' modules from here too.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the report as JSON ('-': to standard output).",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something fails.")
def run(
    *,
    graph: str,
    assignments: tuple[str, ...],
    config: str | None,
    paths: tuple[str, ...],
    report_file: str | None,
    quiet: bool,
    **how: object,
) -> int:
    """Run GRAPH, a logical or physical graph ('-': standard input), in this process.

    Shows progress, and at the end what came of it. The exit code is 0 if everything finished, 1
    if a drop failed or the time ran out, 2 if the graph or the command is wrong, 130 after Ctrl-C.
    """
    if report_file is not None:
        check_place(report_file)  # better now than after hours of running
    add_user_code(graph, paths)
    wanted = How(**how)  # type: ignore[arg-type]  # click has checked the types
    begun = time.perf_counter()
    loaded = load_runnable(graph, assignments, config)
    if not quiet and time.perf_counter() - begun > PATIENCE_S:
        took = span(time.perf_counter() - begun)
        click.echo(f"{len(loaded):,} drops, loaded in {took}", err=True)
    report, code = _execute(loaded, wanted, quiet=quiet)
    if report_file is not None:
        _write_report(report_file, report, loaded, code)
    if not quiet or code:
        show_summary(report, to_stderr=quiet or report_file == STDIN)
    return code


def _execute(graph: PhysicalGraph, how: How, *, quiet: bool) -> tuple[RunReport, int]:
    """Run `graph` and return the report with the exit code it means."""
    with show_progress(quiet=quiet) or nullcontext() as progress:
        try:
            with heeding_termination():
                report = run_graph(
                    graph, runner=how.runner, workers=how.workers, workdir=how.workdir,
                    timeout=how.timeout, progress=progress,
                )  # fmt: skip
        except RunInterrupted as interruption:
            return interruption.report, INTERRUPTED
    return report, 0 if report.status == "FINISHED" else FAILED


def _write_report(path: str, report: RunReport, graph: PhysicalGraph, code: int) -> None:
    document = {
        **report.to_dict(),
        "graph": graph.source,
        "drops": len(graph),
        "exit_code": code,
        "python": sys.version.split()[0],
    }
    write_text(path, json.dumps(document, indent=1) + "\n")
    if path != STDIN:
        click.echo(f"report in {Path(path)}", err=True)
