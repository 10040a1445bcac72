"""`dlg create-job`: the script of a job that runs one graph on a cluster of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.group import HELP
from dlg_engine.cli.job_options import facility_of, job_options, make_job
from dlg_engine.cli.summary import shown_path
from dlg_engine.launch.jobs import LOG, LOGS
from dlg_engine.launch.submitting import SUBMITTERS, submit_job

EXAMPLES = """
Examples:
  dlg create-job my.graph -n 4 -t 30             writes a directory with the script job.sh
  dlg create-job my.graph -n 4 -t 30 --submit    ... and submits it
  dlg create-job my.graph -f local --submit      the same without a batch system, to try it
"""
ROOT = Path("dlg-jobs")
"""Where jobs go unless --root says otherwise, in the current directory."""


@click.command("create-job", cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=click.Path(exists=True, dir_okay=False), required=False)
@job_options
@click.option(
    "-w", "--root", type=click.Path(file_okay=False, path_type=Path), default=ROOT,
    show_default=True, help="Where its directory is made: all hosts of the job must see it.",
)  # fmt: skip
@click.option("--submit", "at_once", is_flag=True, help="Submit it too.")
@click.option("--wait", is_flag=True, help="... and return when it has ended, with its exit code.")
def create_job(*, root: Path, at_once: bool, wait: bool, **how: Any) -> int:
    """Make a job that runs GRAPH on a cluster of its own, inside a batch system.

    Its directory has the script, a copy of the graph and of modules beside it, and in the end the
    report, logs and evidence of the run. Prints where it is.
    """
    facility = facility_of(how)
    made = make_job(how, facility, root)
    click.echo(str(made.directory))
    if not (at_once or wait):
        command = SUBMITTERS[facility.scheduler].command
        click.echo(f"submit it by:  cd {shown_path(made.directory)} && {command}", err=True)
        return 0
    with heeding_termination():
        submitted = submit_job(facility, made.directory, wait=wait)
    log = shown_path(made.directory / LOGS / LOG)
    if submitted.job_id:
        cancel = f"{SUBMITTERS[facility.scheduler].cancel} {submitted.job_id}"
        click.echo(f"job {submitted.job_id}; its log is {log}, {cancel} ends it", err=True)
    if submitted.code:
        click.echo(f"it ended with code {submitted.code}: see {log}", err=True)
    return submitted.code
