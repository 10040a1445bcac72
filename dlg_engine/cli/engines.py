"""Options of commands that run a graph on an engine of the user's choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlg import plugins
from dlg.exceptions import UsageError
from dlg_engine.cli.loading import read_assignments

if TYPE_CHECKING:
    from dlg_engine.launch.facilities import Facility

EMBEDDED = "embedded"
REMOTE = "managers"
"""Has a command of its own, `dlg submit`."""


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    options = (
        click.option(
            "--engine",
            default=EMBEDDED,
            show_default=True,
            metavar="NAME",
            help="Who runs the graph: embedded (this process), dask, or one that was installed.",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="The scheduler of a Dask cluster, as tcp://host:8786 (default: start one here).",
        ),
        click.option(
            "--tls",
            nargs=3,
            type=click.Path(exists=True, dir_okay=False),
            metavar="CA CERT KEY",
            help="Files with which that cluster is protected.",
        ),
        click.option(
            "--jobqueue",
            metavar="NAME",
            help="Have Dask's workers as jobs of slurm, pbs, lsf, or a facility: dlg config list.",
        ),
        click.option(
            "-J",
            "--jobqueue-option",
            "jobqueue_options",
            multiple=True,
            metavar="NAME=VALUE",
            help="What each job asks for: cores, memory, walltime, queue, account, ...",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def engine_of(name: str) -> Any:
    """Return the engine `name`, to be called with a graph; refuse those that run nothing here."""
    if name == REMOTE:
        raise UsageError("graphs are run on managers by `dlg submit`")
    return plugins.engine(name)


def with_jobqueue(
    engine: Any, name: str | None, options: Sequence[str], *, scheduler: str | None, quiet: bool
) -> Any:
    """Return the engine as it is, or one whose workers are jobs of a batch system, by `name`.

    There is a job for each of its `workers`, one unless said otherwise. Raises UsageError where
    that makes no sense.
    """
    if name is None:
        if options:
            raise UsageError("--jobqueue-option says what jobs of --jobqueue ask for")
        return engine
    if engine.name != "dask" or scheduler is not None:
        raise UsageError("--jobqueue starts a Dask cluster: use it with --engine dask alone")
    # Few runs need what is imported here.
    from dlg_engine.backends.batch_workers import LOGS, workers_of  # noqa: PLC0415
    from dlg_engine.launch.facilities import find  # noqa: PLC0415

    facility = find(name)
    asked = {**_asked_of(facility), **read_assignments(options)}

    def run(graph: Any, *, workers: int | None, workdir: str, **others: Any) -> Any:
        shared, count = Path(workdir).absolute(), workers or 1
        with workers_of(facility.scheduler, count, shared, asked) as where:
            if not quiet:  # what keeps jobs from becoming workers is known to nobody here
                click.echo(f"jobs: {count}; what workers log is in {shared / LOGS}", err=True)
            return engine(graph, workdir=workdir, **others, **where)

    return run


def _asked_of(facility: Facility) -> dict[str, Any]:
    """Return what jobs of a facility ask for, as dask-jobqueue calls it."""
    account = "project" if facility.scheduler == "lsf" else "account"
    hours, minutes = divmod(facility.minutes, 60)
    found = {
        "queue": facility.partition,
        account: facility.account,
        "cores": str(facility.cpus or ""),
        "job_script_prologue": list(facility.setup),
        "job_extra_directives": list(facility.directives),
    }
    return {
        "walltime": f"{hours:02d}:{minutes:02d}:00",
        **{key: value for key, value in found.items() if value},
    }


def on_dask(scheduler: str | None, tls: tuple[str, str, str] | None) -> dict[str, Any]:
    """Return what those options mean to the engine."""
    files = dict(zip(("ca_file", "cert", "key"), tls or (), strict=False))
    return {"scheduler": scheduler, "tls": files}


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given: engines refuse those that they do not know."""
    return {name: value for name, value in options.items() if value}
