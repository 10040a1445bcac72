"""`dlg run`: a graph, logical or physical, run in this process."""

from __future__ import annotations

import functools
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg.support.paths import default_store
from dlg_engine.cli.engines import engine_of, engine_options, given, on_dask, with_jobqueue
from dlg_engine.cli.group import FAILED, HELP, INTERRUPTED
from dlg_engine.cli.loading import (
    GRAPH_PATH,
    STDIN,
    add_user_code,
    check_place,
    load_runnable,
    parameter_options,
    write_text,
)
from dlg_engine.cli.progress import show_progress, span
from dlg_engine.cli.summary import show_summary, shown_path
from dlg_engine.embedded import RunInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

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
  dlg run my.graph --engine dask --scheduler tcp://head:8786   on a Dask cluster
  dlg run my.graph --engine dask --jobqueue slurm --workers 8   ... whose workers are Slurm's jobs

Python functions that a graph names are imported from installed packages, the directories of
--path, the directory of the graph (for '-' the current one), and the code directory of the
settings.
"""


class How(NamedTuple):
    """How a graph is to be run."""

    runner: str | None
    workers: int | None
    workdir: str
    timeout: float | None
    repro: str | None
    compat: bool
    reuse: bool
    store: Path | None
    resumable: bool
    engine: str
    scheduler: str | None
    tls: tuple[str, str, str] | None
    jobqueue: str | None
    jobqueue_options: tuple[str, ...]


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=GRAPH_PATH)
@parameter_options
@engine_options
@click.option(
    "--runner",
    type=click.Choice(["threads", "processes", "inline"]),
    help="Who runs the apps in this process: threads, unless said otherwise.",
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
@click.option(
    "--repro",
    metavar="LEVEL",
    help="Leave data behind for `dlg repro`, at this level: a name or number, or all.",
)
@click.option(
    "--compat", is_flag=True, help="... as the existing system would, with the same digests."
)
@click.option(
    "--reuse",
    is_flag=True,
    help="Take from the store what has been made before, and keep what is new.",
)
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Reuse what is in this store, not in that of the settings' root.",
)
@click.option(
    "--resumable", is_flag=True, help="Write down what is done, so that `dlg resume` can go on."
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
    """Run GRAPH, a logical or physical graph ('-': standard input), here or on an engine.

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
    store = (wanted.store or default_store()) if wanted.reuse or wanted.store else None
    engine = with_jobqueue(
        engine_of(wanted.engine), wanted.jobqueue, wanted.jobqueue_options,
        scheduler=wanted.scheduler, quiet=quiet,
    )  # fmt: skip
    go = functools.partial(
        engine, loaded, workers=wanted.workers, workdir=wanted.workdir,
        timeout=wanted.timeout, reproducibility=wanted.repro,
        **given(runner=wanted.runner, store=store, compat=wanted.compat,
                resumable=wanted.resumable, **on_dask(wanted.scheduler, wanted.tls)),
    )  # fmt: skip
    report, code = execute(go, quiet=quiet)
    tell(report, code, report_file, source=loaded.source, quiet=quiet)
    if code and wanted.resumable:
        tell_how_to_go_on(report)
    return code


def execute(go: Callable[..., RunReport], *, quiet: bool) -> tuple[RunReport, int]:
    """Let a graph run by calling `go`, and return the report with the exit code it means."""
    with show_progress(quiet=quiet) or nullcontext() as progress:
        try:
            with heeding_termination():
                report = go(progress=progress)
        except RunInterrupted as interruption:
            return interruption.report, INTERRUPTED
    return report, 0 if report.status == "FINISHED" else FAILED


def tell(report: RunReport, code: int, file: str | None, *, source: str, quiet: bool) -> None:
    """Write the report to `file`, if there is one, and print the summary."""
    if file is not None:
        _write_report(file, report, source, code)
    if not quiet or code:
        show_summary(report, to_stderr=quiet or file == STDIN)


def tell_how_to_go_on(report: RunReport) -> None:
    """Name the command that goes on with a run that has not come to its end."""
    click.echo(f"to go on with it: dlg resume {shown_path(report.session_dir)}", err=True)


def _write_report(path: str, report: RunReport, source: str, code: int) -> None:
    document = {
        **report.to_dict(),
        "graph": source,
        "drops": sum(report.counts.values()),
        "exit_code": code,
        "python": sys.version.split()[0],
    }
    write_text(path, json.dumps(document, indent=1) + "\n")
    if path != STDIN:
        click.echo(f"report in {Path(path)}", err=True)
