"""`dlg tm`: the translator as a service."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path

import click

from dlg.exceptions import UsageError
from dlg.http.server import serve
from dlg.http.site import LOOPBACK, MEGABYTE, read_origin
from dlg.support.examples import ExampleCommand
from dlg_translator.rest.app import make_server
from dlg_translator.rest.manager import manager_at
from dlg_translator.rest.service import DEFAULT_HOST, DEFAULT_PORT, Options

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_ENDS_IN_PORT = re.compile(r":\d+/?$")


EXAMPLES = """
Examples:
  dlg tm -d graphs                             the page, with the graphs of a folder to pick from
  dlg tm -d graphs --manager http://head:8001  ... and a manager to submit to
"""


@click.command(
    cls=ExampleCommand, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("-d", "--lgdir", type=FOLDER, help="The folder with logical graphs.")
@click.option("-t", "--pgtdir", type=FOLDER, help="The folder with physical graph templates.")
@click.option("-H", "--host", default=DEFAULT_HOST, show_default=True, help="Where to listen.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
    help="The port; 0 takes any that is free.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Log every request.")
@click.option("--manager", default="", metavar="URL", help="The manager the page proposes.")
@click.option(
    "--origin", "origins", multiple=True, metavar="URL",
    help="Let pages of this origin use all routes (EAGLE needs it not).",
)  # fmt: skip
@click.option(
    "--max-upload", type=click.IntRange(1), default=256, show_default=True, metavar="MB",
    help="How big a request may be.",
)  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, help="Say as JSON where it listens, for programs."
)
def tm(  # noqa: PLR0913  an option each
    *,
    lgdir: Path | None,
    pgtdir: Path | None,
    host: str,
    port: int,
    verbose: bool,
    manager: str,
    origins: tuple[str, ...],
    max_upload: int,
    as_json: bool,
) -> None:
    """Serve the translator: a page for people, routes for EAGLE and for programs."""
    if verbose:
        root = logging.getLogger()
        root.setLevel(logging.INFO)
        for handler in root.handlers:
            handler.setLevel(logging.INFO)
    options = Options(
        lg_dir=lgdir,
        pgt_dir=pgtdir,
        host=host,
        port=port,
        manager=read_manager(manager) if manager else "",
        origins=frozenset(map(read_origin, origins)),
        most_bytes=max_upload * MEGABYTE,
    )
    asyncio.run(run(options, as_json=as_json))


def read_manager(text: str) -> str:
    """Return the address of a manager that the page can propose; refuse what is none.

    A bare word is refused too: whoever gives neither `http://` nor a port has mistyped something
    else, and would be told so only when a graph is to be submitted.
    """
    manager = manager_at(text)
    if "://" not in text and not _ENDS_IN_PORT.search(text):
        raise UsageError(f"{text!r} is no address of a manager; one looks like http://host:8001")
    return manager.url


async def run(options: Options, *, as_json: bool = False) -> None:
    """Serve until the process is told to end."""
    server = make_server(options)

    def announce() -> None:
        if as_json:
            click.echo(json.dumps({"name": "translator", "url": server.url}))
            return
        click.echo(f"the translator is at {server.url}/  (Ctrl-C ends it)", err=True)
        if options.host not in LOOPBACK:
            click.echo(
                "anybody who can reach this host can use it: there is no password", err=True
            )

    await serve(server, announce)
