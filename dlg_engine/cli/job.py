"""`dlg job`: the parts of a job that run inside a batch system; its script calls them."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from dlg import settings
from dlg.rpc import Address
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.group import HELP, INTERRUPTED
from dlg_engine.launch.jobs import read_job
from dlg_engine.launch.leading import lead_job
from dlg_engine.launch.rank import Rank
from dlg_engine.launch.starting import rank_of

DIRECTORY = click.argument("directory", type=click.Path(exists=True, path_type=Path))


@click.group(context_settings=HELP)
def job() -> None:
    """Do a part of a job inside a batch system: scripts of `dlg create-job` call it."""


@job.command(context_settings=HELP)
@DIRECTORY
def lead(*, directory: Path) -> int:
    """Lead the job in DIRECTORY on its first host: start ranks, run the graph, keep the results.

    The exit code is that of the graph: 0 if everything finished, 1 if a drop failed.
    """
    return lead_job(directory)


@job.command(context_settings=HELP)
@DIRECTORY
@click.option("--lead", "port", type=int, required=True, help="The port of the lead.")
@click.option("--lead-host", required=True, help="Its address.")
@click.option("--rank", type=click.IntRange(min=0), help="Which rank this is, if nothing says it.")
def rank(*, directory: Path, port: int, lead_host: str, rank: int | None) -> int:
    """Be a rank of the job in DIRECTORY: start the managers that its lead asks for."""
    number = rank_of(settings.environment()) if rank is None else rank
    directory = directory.absolute()
    try:
        with heeding_termination():
            Rank(directory, read_job(directory), number, Address(lead_host, port)).run()
    except KeyboardInterrupt:
        logging.getLogger(__name__).warning("rank %d was told to end", number)
        return INTERRUPTED
    return 0
