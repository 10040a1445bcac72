"""`dlg remote-submit`: a job made here and run by the batch system of another host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.create_job import ROOT
from dlg_engine.cli.group import FAILED, HELP
from dlg_engine.cli.job_options import facility_of, job_options, make_job
from dlg_engine.cli.progress import span
from dlg_engine.cli.summary import count_of_drops, shown_path, state_lines
from dlg_engine.cli.tables import table_lines
from dlg_engine.launch.analysing import Analysis, analyse
from dlg_engine.launch.facilities import Facility
from dlg_engine.launch.jobs import LOG, LOGS
from dlg_engine.launch.submitting import SUBMITTERS, fetch, submit_job

EXAMPLES = """
Examples:
  dlg config set ours like=slurm host=login.example.org user=me 'setup=module load dlg'
  dlg remote-submit my.graph -f ours -n 4 -t 30      copies the job there, and submits it
  dlg remote-submit -a analyse NAME -f ours          fetches what came of it, and tells
"""


@click.command("remote-submit", cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=click.Path(), required=False, metavar="[GRAPH|JOB]")
@click.option(
    "-a", "--action", type=click.Choice(["submit", "analyse"]), default="submit",
    show_default=True, help="Run a graph, or tell what came of a job.",
)  # fmt: skip
@job_options
@click.option("--host", help="Submit at this host, by ssh; the facility may say one.")
@click.option("-U", "--user", help="Whom to be there.")
@click.option(
    "--key", "--ssh-key", "--ssh_key", "key", type=click.Path(exists=True, dir_okay=False),
    metavar="FILE", help="A private key for ssh, if not one of the usual ones.",
)  # fmt: skip
@click.option("--root", metavar="DIR", help="Where jobs have their directories there.")
@click.option(
    "-w", "--workdir", type=click.Path(file_okay=False, path_type=Path), default=ROOT,
    show_default=True, help="Where the copy here is made.",
)  # fmt: skip
@click.option("--wait", is_flag=True, help="Return when it has ended, with its exit code.")
@click.option("--json", "as_json", is_flag=True, help="Tell as JSON what came of a job.")
def remote_submit(  # noqa: PLR0913  an option each
    *, action: str, workdir: Path, wait: bool, as_json: bool, host: str | None,
    user: str | None, key: str | None, root: str | None, **how: Any,
) -> int:  # fmt: skip
    """Run GRAPH on a cluster of its own at a facility, or tell what came of a JOB.

    The facility, and who gets in there, are described by dlg config; hosts are reached by ssh.
    """
    facility = facility_of(how, host=host, user=user, key=key, root=root)
    if action == "analyse":
        if not how["graph"]:
            raise UsageError("name the job that is to be analysed")
        return _analyse(facility, how["graph"], workdir, as_json=as_json)
    if how["graph"] and not Path(how["graph"]).is_file():
        raise UsageError(f"there is no graph {how['graph']}")
    made = make_job(how, facility, workdir if facility.host else Path(facility.root))
    with heeding_termination():
        submitted = submit_job(facility, made.directory, wait=wait)
    click.echo(made.job.name)
    _tell(facility, made.directory, submitted.job_id)
    if submitted.code:
        click.echo(f"it ended with code {submitted.code}", err=True)
    if wait and facility.host:
        fetch(facility, made.job.name, made.directory.parent)
        click.echo(f"what came of it is in {shown_path(made.directory)}", err=True)
    return submitted.code


def _tell(facility: Facility, directory: Path, job_id: str) -> None:
    """Say where what runs now, and what can be done about it."""
    if not job_id:
        return
    cancel = f"{SUBMITTERS[facility.scheduler].cancel} {job_id}"
    if facility.host:
        log = f"{facility.host}:{facility.root}/{directory.name}/{LOGS}/{LOG}"
        cancel = f"ssh {facility.host} {cancel}"
    else:
        log = shown_path(directory / LOGS / LOG)
    click.echo(f"job {job_id}; its log is {log}\n  {cancel}  ends it", err=True)


def _analyse(facility: Facility, job: str, workdir: Path, *, as_json: bool) -> int:
    """Tell what came of a job; return 0 if all its drops finished."""
    directory = Path(job)
    if facility.host:
        directory = fetch(facility, directory.name, workdir)
    elif not directory.is_dir():
        directory = Path(facility.root).expanduser() / job
    found = analyse(directory)
    if as_json:
        click.echo(json.dumps(found.to_dict()))
    else:
        for line in _lines(found, directory):
            click.echo(line)
    return 0 if found.state == "FINISHED" else FAILED


def _lines(found: Analysis, directory: Path) -> Iterator[str]:
    job, report = found.job, found.report
    yield f"job {job.name}: {job.ranks} ranks, {job.islands} islands, in {shown_path(directory)}"
    if not report:
        yield "no report: it runs still, or ended before its graph was over"
    else:
        began, ended = report.get("started"), report.get("ended")
        took = f", run {span(max(0.0, ended - began))}" if began and ended else ""
        yield f"{found.state}: {count_of_drops(int(report.get('drops') or 0))}{took}"
        yield from state_lines(report.get("counts") or {})
    for error in report.get("errors") or ():
        yield f"  {error.get('name') or error['uid']}: {error['exception']}"
    kinds = sorted({kind for log in found.logs for kind in log.counts})
    if kinds:
        yield ""
        rows = [
            (log.name, *(f"{log.counts.get(kind, 0):,}" for kind in kinds))
            for log in found.logs if log.counts
        ]  # fmt: skip
        yield from table_lines(("LOG", *kinds), rows)
    for log in found.logs:
        for text in log.first:
            yield f"{log.name}: {text}"
