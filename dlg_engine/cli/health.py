"""`dlg health`: whether a manager answers, for health checks of containers and services."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from dlg.clients import find_access
from dlg.clients.http import Link
from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.managers.addresses import LARGEST_PORT, NODE_PORT

FILE = click.Path(dir_okay=False, path_type=Path)
TIMEOUT_S = 5.0
EXAMPLES = """
Examples:
  dlg health                              the node of this host
  dlg health localhost:8002               the master: by HTTPS, if the file of the cluster says so
  dlg health http://localhost:8084        the translator, which has no certificate
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("address", default=f"localhost:{NODE_PORT}", metavar="[ADDRESS]")
@click.option(
    "--cluster", type=FILE, metavar="FILE", help="The file of the cluster, if not the usual one."
)
@click.option(
    "--timeout", type=click.FloatRange(0.1), default=TIMEOUT_S, show_default=True,
    metavar="SECONDS", help="How long it may take to answer.",
)  # fmt: skip
def health(address: str, cluster: Path | None, timeout: float) -> None:
    """Tell whether the manager at ADDRESS, host:port, answers.

    The exit code is 0 if it does, 1 if not. It needs no token, and shows none.
    """
    scheme, host, port = read_place(address)
    tls = None if scheme == "http" else find_access(host, port, cluster=cluster).tls
    if scheme == "https" and tls is None:
        raise UsageError(f"{address}: no file of a cluster says which certificate to expect")
    link = Link(host, port, tls=tls, timeout_s=timeout, root="")
    link.get("health")
    click.echo(f"{link.url} answers")


def read_place(text: str) -> tuple[str, str, int]:
    """Return scheme ("" if none is said), host and port; raise UsageError for what has none."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        host, port = "", 0
    sound = host and 0 < port <= LARGEST_PORT and parts.scheme in {"", "http", "https"}
    if not sound or parts.path.strip("/") or parts.username is not None:
        raise UsageError(f"{text!r} is no place to ask; one looks like localhost:{NODE_PORT}")
    return parts.scheme, host, port
