"""What a session of a manager leaves behind to be compared: fetched, and written here."""

from __future__ import annotations

from pathlib import Path

import click

from dlg.clients import ManagerClient
from dlg.exceptions import RunError, UsageError
from dlg.reproducibility.evidence import Document
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.connection import Wanted, manager_options
from dlg_engine.cli.group import HELP
from dlg_engine.cli.run import WORKDIR
from dlg_engine.sessions.evidence import FILE, keep_workflow, write_document

EXAMPLES = """
Examples:
  dlg submit my.graph --repro all --detach --session mine
  dlg repro fetch mine
  dlg repro compare dlg-runs/mine dlg-runs/my-20260101T120000-0a1b2c
"""

workdir_option = click.option(
    "-w",
    "--workdir",
    type=click.Path(file_okay=False, path_type=Path),
    default=WORKDIR,
    show_default=True,
    metavar="DIR",
    help="Write it into a directory of the session in here.",
)


class NoEvidenceError(UsageError):
    """A session has left nothing to be compared."""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("session_id", metavar="SESSION")
@workdir_option
@manager_options
def fetch(*, at: Wanted, session_id: str, workdir: Path) -> None:
    """Fetch what SESSION of a manager left behind, from all its nodes, to compare it with others.

    The session must be over, and a level was asked for: dlg submit --repro, or the graph itself.
    Prints where it is.
    """
    click.echo(leave_evidence(at.find().client, session_id, workdir))


def leave_evidence(
    client: ManagerClient, session_id: str, workdir: Path, workflow: Path | None = None
) -> Path:
    """Write what a session left behind below `workdir`; return its directory.

    `workflow` is the file that its graph came from. Raises NoEvidenceError if it left nothing,
    and UsageError where it cannot be written.
    """
    document = fetch_evidence(client, session_id)
    directory = workdir / session_id
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if workflow is not None and workflow.is_file():
            document[-1]["run"]["workflow"] = keep_workflow(workflow, directory)
        write_document(document, directory / FILE)
    except OSError as error:
        raise UsageError(f"cannot write into {directory}: {error.strerror}") from error
    return directory


def fetch_evidence(client: ManagerClient, session_id: str) -> Document:
    """Return what a session that is over left behind.

    Raises NoEvidenceError if nobody asked for a level or it is not over, and RunError if some
    nodes have lost theirs.
    """
    found = client.evidence(session_id)
    drops, data = found["graph"], found["reprodata"]
    if not data:
        raise NoEvidenceError(f"session {session_id} was run without --repro: it left nothing")
    if data.get("missing"):
        told = "; ".join(f"{node}: {why}" for node, why in data["missing"].items())
        raise RunError(f"not all nodes have evidence of session {session_id}: {told}")
    if "run" not in data:
        raise NoEvidenceError(f"session {session_id} is not over yet, or was cancelled")
    return [drops, data]
