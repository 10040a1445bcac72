"""`dlg record` and `dlg replay`: a session that is over, kept in a file and looked at later."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from dlg.clients import ManagerClient
from dlg.clients.drops import describe_drop
from dlg.clients.events import follow
from dlg.clients.watching import drop_logs
from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.connection import Wanted, manager_options
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import STDIN, check_place, write_bytes
from dlg_engine.daemon.replaying import make_server
from dlg_engine.daemon.replaying import replay as run_replay
from dlg_engine.managers.records import VERSION, Record, read_record, record_of_existing

PORT = 8500
KNOWN = ("uid", "error", "stopped_by", "phase", "size", "dataURL")
"""What only the node of a drop knows of it."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

RECORD_EXAMPLES = """
Examples:
  dlg record tutorial-20260101T120000-0a1b2c -o night.record.gz
  dlg replay night.record.gz                                     later, anywhere
"""
REPLAY_EXAMPLES = """
Examples:
  dlg replay night.record.gz               what dlg record has written
  dlg replay -g graph.json -S states.txt   files of the existing system
"""


@click.command(cls=ExampleCommand, epilog=RECORD_EXAMPLES, context_settings=HELP)
@click.argument("session")
@manager_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to write; .gz compresses. By default SESSION.record.gz; '-': standard output.",
)  # fmt: skip
def record(*, session: str, at: Wanted, output: str | None) -> None:
    """Write down all that a manager knows of SESSION, once that is over.

    It waits for the end of a session that still runs.
    """
    path = output or f"{session}.record.gz"
    check_place(path)
    content = json.dumps(fetch_record(at.find().client, session)).encode()
    write_bytes(path, gzip.compress(content) if path.endswith(".gz") else content)
    if path != STDIN:
        click.echo(f"record in {path}; dlg replay {path} shows it", err=True)


def fetch_record(client: ManagerClient, session_id: str) -> dict[str, Any]:
    """Return the record of a session, when it is over."""
    summary: dict[str, Any] = client.session_summary(session_id)
    changes: list[Any] = []
    for event in follow(client.link, session_id, form="rows"):
        if event.name == "session":
            summary = event.data
        elif event.name == "changes":
            changes += event.data["changes"]
    return {
        "record": VERSION,
        "session": summary,
        "graph": list(client.graph(session_id).values()),
        "changes": changes,
        "details": {
            str(error["uid"]): _details(client, session_id, str(error["uid"]))
            for error in summary["errors"]
        },
    }


def _details(client: ManagerClient, session_id: str, oid: str) -> dict[str, Any]:
    found = describe_drop(client.link, session_id, oid)
    logs = drop_logs(client.link, session_id, oid)
    return {"state": {key: found[key] for key in KNOWN if key in found}, "logs": logs}


@click.command(cls=ExampleCommand, epilog=REPLAY_EXAMPLES, context_settings=HELP)
@click.argument("record_file", metavar="[RECORD]", required=False, type=FILE)
@click.option("-g", "--graph-file", type=FILE, help="A physical graph of the existing system.")
@click.option("-S", "--status-file", type=FILE, help="Its states: lines of JSON.")
@click.option("-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "-P", "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
    help="The port; 0 takes any that is free.",
)  # fmt: skip
@click.option("--insecure", is_flag=True, help="Let other hosts see the record.")
@click.option("--json", "as_json", is_flag=True, help="Say as JSON where it listens.")
def replay(  # noqa: PLR0913  an option each
    *,
    record_file: Path | None,
    graph_file: Path | None,
    status_file: Path | None,
    host: str,
    port: int,
    insecure: bool,
    as_json: bool,
) -> None:
    """Show RECORD, a session that is over, in the pages and by the REST of a manager."""
    found = _read(record_file, graph_file, status_file)
    session_id = str(found.session["sessionId"])

    def announce(url: str) -> None:
        page = f"{url}/session?sessionId={quote(session_id, safe='')}"
        if as_json:
            click.echo(json.dumps({"name": session_id, "url": url}))
        else:
            click.echo(f"session {session_id} is shown at {page}  (Ctrl-C ends it)", err=True)

    run_replay(make_server(found, host, port, insecure=insecure), announce)


def _read(record_file: Path | None, graph: Path | None, states: Path | None) -> Record:
    if record_file is not None and graph is None and states is None:
        return read_record(record_file)
    if record_file is None and graph is not None and states is not None:
        return record_of_existing(graph, states)
    raise UsageError("name a record, or a graph with -g and its states with -S")
