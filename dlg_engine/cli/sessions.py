"""`dlg sessions`, `status`, `logs`, `cancel`, `delete`: the sessions of a manager."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import click

from dlg.clients import ManagerClient
from dlg.clients.events import follow
from dlg.clients.watching import drop_logs, list_sessions, session_log
from dlg.support import clock
from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.connection import Wanted, json_option, manager_options
from dlg_engine.cli.following import follow_session
from dlg_engine.cli.group import FAILED, HELP, INTERRUPTED
from dlg_engine.cli.progress import show_progress, span
from dlg_engine.cli.remote_summary import summary_lines
from dlg_engine.cli.summary import COLOURS
from dlg_engine.cli.tables import clock_time, table_lines

LOOK_EVERY_S = 1.0
"""How often at most logs are fetched while a session is followed."""

session_argument = click.argument("session")

EXAMPLES: Mapping[str, str] = {
    "sessions": """
Examples:
  dlg sessions                       of the manager of this host, the newest first
  dlg sessions -H head -P 8002 --json
""",
    "status": """
Examples:
  dlg status tutorial-20260101T120000-0a1b2c            how it stands now
  dlg status tutorial-20260101T120000-0a1b2c --watch    until it is over, with its progress
""",
    "logs": """
Examples:
  dlg logs tutorial-20260101T120000-0a1b2c              of all nodes, in order of time
  dlg logs tutorial-20260101T120000-0a1b2c 1_observe_0  of one drop
  dlg logs tutorial-20260101T120000-0a1b2c --follow     until the session is over
""",
    "cancel": """
Examples:
  dlg cancel tutorial-20260101T120000-0a1b2c
""",
    "delete": """
Examples:
  dlg delete tutorial-20260101T120000-0a1b2c            its files stay where they are
""",
}


@click.command(cls=ExampleCommand, epilog=EXAMPLES["sessions"], context_settings=HELP)
@manager_options
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most."
)
@json_option
def sessions(*, at: Wanted, limit: int, as_json: bool) -> None:
    """List the sessions of a manager, the newest first."""
    client = at.find().client
    found = list_sessions(client.link, limit=limit)["sessions"]
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found:
        click.echo(f"{client.link.url} has no sessions", err=True)
        return
    head = ("SESSION", "STATE", "DROPS", "DONE", "CREATED", "RAN")
    for line in table_lines(head, [_row(one) for one in found]):
        click.echo(line)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    began, ended = one.get("started"), one.get("ended")
    return (
        str(one["sessionId"]),
        click.style(one["state"], fg=COLOURS.get(one["state"])),
        f"{one['drops']:,}",
        f"{one['done']:,}",
        clock_time(one.get("created")),
        span(max(0.0, (ended or clock.now()) - began)) if began else "-",
    )


@click.command(cls=ExampleCommand, epilog=EXAMPLES["status"], context_settings=HELP)
@session_argument
@manager_options
@click.option("-w", "--watch", is_flag=True, help="Follow it until it is over.")
@json_option
def status(*, session: str, at: Wanted, watch: bool, as_json: bool) -> int:
    """Tell how SESSION stands.

    With --watch the exit code is 0 if it finished, 1 if it failed or was cancelled, 130 after
    Ctrl-C, which leaves the session alone.
    """
    manager = at.find()
    code = 0
    if watch:
        with show_progress(quiet=as_json) or nullcontext() as progress:
            try:
                with heeding_termination():
                    found = follow_session(manager.client, session, progress)
            except KeyboardInterrupt:
                click.echo(f"interrupted; session {session} goes on", err=True)
                return INTERRUPTED
        code = 0 if found["state"] == "FINISHED" else FAILED
    else:
        found = manager.client.session_summary(session)
    if as_json:
        click.echo(json.dumps(found))
    else:
        for line in summary_lines(manager, found):
            click.echo(line)
    return code


@click.command(cls=ExampleCommand, epilog=EXAMPLES["logs"], context_settings=HELP)
@session_argument
@click.argument("drop", required=False)
@manager_options
@click.option("-f", "--follow", "watch", is_flag=True, help="Go on until the session is over.")
@json_option
def logs(*, session: str, drop: str | None, at: Wanted, watch: bool, as_json: bool) -> int:
    """Print what SESSION, or one DROP of it, has logged."""
    client = at.find().client
    shown: Counter[str] = Counter()
    try:
        with heeding_termination():
            for _ in _moments(client, session) if watch else [None]:
                for line in _new(_log_lines(client, session, drop, as_json=as_json), shown):
                    click.echo(line)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _moments(client: ManagerClient, session: str) -> Iterator[None]:
    """Yield whenever there may be more to see, and once more when the session is over."""
    looked_s = float("-inf")
    for _ in follow(client.link, session, form="rows"):
        if clock.monotonic() - looked_s >= LOOK_EVERY_S:
            yield
            looked_s = clock.monotonic()
    yield


def _log_lines(
    client: ManagerClient, session: str, drop: str | None, *, as_json: bool
) -> Sequence[str]:
    if drop is None:
        lines = session_log(client.link, session).splitlines()
        return [json.dumps({"line": line}) for line in lines] if as_json else lines
    records = drop_logs(client.link, session, drop)
    return [json.dumps(record) if as_json else _log_line(record) for record in records]


def _log_line(record: Mapping[str, Any]) -> str:
    where = f"{record['module']}.{record['function']}:{record['line']}"
    return f"{clock_time(record['time'])} {record['level']:<8}{where} {record['message']}"


def _new(lines: Sequence[str], shown: Counter[str]) -> Iterator[str]:
    """Yield the lines that have not been shown: those of another node may come in between."""
    found: Counter[str] = Counter()
    for line in lines:
        found[line] += 1
        if found[line] > shown[line]:
            shown[line] += 1
            yield line


@click.command(cls=ExampleCommand, epilog=EXAMPLES["cancel"], context_settings=HELP)
@session_argument
@manager_options
@json_option
def cancel(*, session: str, at: Wanted, as_json: bool) -> None:
    """Give SESSION up on all its nodes."""
    at.find().client.cancel_session(session)
    _tell("cancelled", session, as_json=as_json)


@click.command(cls=ExampleCommand, epilog=EXAMPLES["delete"], context_settings=HELP)
@session_argument
@manager_options
@json_option
def delete(*, session: str, at: Wanted, as_json: bool) -> None:
    """Cancel SESSION if it runs, and let the manager forget it; its files stay."""
    at.find().client.destroy_session(session)
    _tell("deleted", session, as_json=as_json)


def _tell(done: str, session: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"session": session, "done": done}) if as_json else f"{done} {session}")
