"""`dlg beat schedule`, `cancel` and `jobs`: asking a scheduler of experiments."""

from __future__ import annotations

import functools
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from dlg.clients import find_access
from dlg.clients.events import SILENT_S, parse
from dlg.clients.http import BAD, OK, TIMEOUT_S, Link, ManagerUnreachableError
from dlg.exceptions import RunError, UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import table_lines

PORT = 8600
OVER = ("done", "failed", "pending")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ROOT = "/api/v1/beat"


class ExperimentFailedError(RunError):
    """An experiment that was waited for has failed."""


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which scheduler is asked; it gets a `link`."""

    @functools.wraps(command)
    def call(*, at: str, cluster: Path | None, token_file: Path | None, **how: Any) -> Any:
        return command(link=_link(at, cluster, token_file), **how)

    options = (
        click.option(
            "--at", default=f"http://127.0.0.1:{PORT}", show_default=True, metavar="URL",
            help="The scheduler.",
        ),
        click.option("--cluster", type=FILE, metavar="FILE", help="The file of its cluster."),
        click.option("--token-file", type=FILE, metavar="FILE", help="A file with its token."),
    )  # fmt: skip
    found: Callable[..., Any] = call
    for option in reversed(options):
        found = option(found)
    return found


def _link(at: str, cluster: Path | None, token_file: Path | None) -> Link:
    parts = urlsplit(at if "//" in at else f"http://{at}")
    if not parts.hostname:
        raise UsageError(f"--at {at}: an address like http://127.0.0.1:{PORT} is expected")
    host, port = parts.hostname, parts.port or PORT
    access = find_access(host, port, cluster=cluster, token_file=token_file)
    return Link(host, port, access.token, access.tls, TIMEOUT_S, ROOT)


SCHEDULE_EXAMPLES = """
Examples:
  dlg beat schedule user/user/tc/1/exp          run it on the workers of the scheduler here
  dlg beat schedule user/user/tc/1/exp --wait --at http://head:8600
"""


@click.command(cls=ExampleCommand, epilog=SCHEDULE_EXAMPLES, context_settings=HELP)
@click.argument("experiment")
@click.option("--wait", is_flag=True, help="Wait for its end; exit with 1 if it fails.")
@click.option("--json", "as_json", is_flag=True, help="Print how it stands as JSON.")
@asking
def schedule(*, link: Link, experiment: str, wait: bool, as_json: bool) -> None:
    """Schedule EXPERIMENT, which the scheduler has in its prefix."""
    found = link.post("experiments", body={"name": experiment})
    if not as_json:
        click.echo(f"{found['name']} is {found['status']}, number {found['id']}")
    if wait and found["status"] not in OVER:
        found = _wait(link, int(found["id"]))
        if not as_json:
            click.echo(f"{found['name']} is {found['status']}")
    if as_json:
        click.echo(json.dumps(found))
    if found["status"] == "failed":
        raise ExperimentFailedError(f"{found['name']}: {found['failure']}")


def _wait(link: Link, number: int) -> dict[str, Any]:
    """Return an experiment once it is over; ask again each time that something has changed."""
    for _event in _events(link):
        found: dict[str, Any] = link.get("experiments", str(number))
        if found["status"] in OVER:
            return found
    raise ManagerUnreachableError(f"{link.url} tells no more; the experiment may go on")


def _events(link: Link) -> Iterator[Any]:
    headers = {"Accept": "text/event-stream"} | link.authorization
    with closing(link.connect(SILENT_S)) as connection:
        try:
            connection.request("GET", f"{ROOT}/events", headers=headers)
            answer = connection.getresponse()
            if not OK <= answer.status < BAD:
                raise link.refusal(answer.status, answer.read())
            yield from parse(iter(answer.readline, b""))
        except (OSError, http.client.HTTPException) as error:
            raise ManagerUnreachableError(f"{link.url} tells no more: {error}") from error


@click.command(context_settings=HELP)
@click.argument("number", type=click.IntRange(0))
@asking
def cancel(*, link: Link, number: int) -> None:
    """Cancel the experiment with this NUMBER; what others wait for goes on."""
    link.post("experiments", str(number), "cancel")


@click.command(context_settings=HELP)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@asking
def jobs(*, link: Link, limit: int, as_json: bool) -> None:
    """List the newest experiments of a scheduler."""
    found = link.get("experiments", limit=limit)["experiments"]
    if as_json:
        click.echo(json.dumps(found))
        return
    rows = [
        (str(one["id"]), one["name"], one["status"],
         f"{one['blocks'].get('done', 0)} of {sum(one['blocks'].values())}")
        for one in found
    ]  # fmt: skip
    for line in table_lines(("number", "experiment", "state", "blocks done"), rows):
        click.echo(line)
