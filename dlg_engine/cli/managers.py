"""`dlg nm`, `dlg dim`, `dlg mm`: managers, in the foreground."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dlg.support.examples import ExampleCommand
from dlg.support.paths import getDlgWorkDir
from dlg_engine.cli.group import HELP
from dlg_engine.daemon.running import DEADLINE_S, ManagerOptions, run_composite, run_node
from dlg_engine.managers.addresses import (
    EVENTS_PORT,
    ISLAND_PORT,
    MASTER_PORT,
    NODE_PORT,
    RPC_PORT,
)

MEGABYTE = 1 << 20
PORT = click.IntRange(0, 65535)

Command = Callable[..., Any]


def _listening(port: int, rpc_port: int) -> Callable[[Command], Command]:
    """Add the options that all managers have."""
    options = [
        click.option(
            "-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen."
        ),
        click.option(
            "-P", "--port", type=PORT, default=port, show_default=True,
            help="The port for REST and pages; 0 takes any that is free.",
        ),
        click.option(
            "--rpc-port", "--rpc_port", type=PORT, default=rpc_port, show_default=True,
            help="The port for calls from other managers.",
        ),
        click.option(
            "-m", "--max-request-size", type=click.IntRange(1), default=1024, show_default=True,
            metavar="MB", help="How big a request may be.",
        ),
        click.option(
            "--insecure", is_flag=True, help="Listen beyond this host though nobody must log in."
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Say as JSON where it listens, for programs."
        ),
    ]  # fmt: skip

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _announce(what: str, as_json: bool) -> Callable[[str, str], None]:
    def tell(name: str, url: str) -> None:
        if as_json:
            click.echo(json.dumps({"name": name, "url": url}))
        else:
            click.echo(f"the {what} {name} listens at {url}  (Ctrl-C ends it)", err=True)

    return tell


NODE_EXAMPLES = """
Examples:
  dlg nm                             a node on this host, at the usual ports
  dlg nm -P 0 --rpc-port 0 --event-port 0   another one, at any ports
"""


@click.command(cls=ExampleCommand, epilog=NODE_EXAMPLES, context_settings=HELP)
@_listening(NODE_PORT, RPC_PORT)
@click.option(
    "--event-port", "--event_port", type=PORT, default=EVENTS_PORT, show_default=True,
    help="The port for news from other nodes.",
)  # fmt: skip
@click.option(
    "-w", "--workdir", type=click.Path(file_okay=False, path_type=Path),
    help="Where sessions have their directories.",
)  # fmt: skip
@click.option(
    "-t", "--max-threads", type=click.IntRange(0), default=0, help="How many apps at once."
)
@click.option("-p", "--processes", is_flag=True, help="Run apps in processes, not in threads.")
@click.option(
    "--deadline", type=click.FloatRange(0), default=DEADLINE_S, show_default=True,
    metavar="SECONDS", help="How long sessions may go on when it is told to end.",
)  # fmt: skip
def nm(  # noqa: PLR0913  an option each
    *,
    host: str,
    port: int,
    rpc_port: int,
    event_port: int,
    max_request_size: int,
    insecure: bool,
    as_json: bool,
    workdir: Path | None,
    max_threads: int,
    processes: bool,
    deadline: float,
) -> None:
    """Run the manager of a node: it runs drops."""
    options = ManagerOptions(
        host=host,
        port=port,
        rpc_port=rpc_port,
        events_port=event_port,
        most_bytes=max_request_size * MEGABYTE,
        insecure=insecure,
        workdir=(workdir or Path(getDlgWorkDir())).absolute(),
        runner="processes" if processes else "threads",
        workers=max_threads or None,
        deadline_s=deadline,
    )
    run_node(options, _announce("node", as_json))


def _composite(what: str, *, master: bool, **how: Any) -> None:
    nodes = [name.strip() for name in how["nodes"].split(",") if name.strip()]
    options = ManagerOptions(
        host=how["host"],
        port=how["port"],
        rpc_port=how["rpc_port"],
        most_bytes=how["max_request_size"] * MEGABYTE,
        insecure=how["insecure"],
        below=nodes,
    )
    run_composite(options, _announce(what, how["as_json"]), master=master)


ISLAND_EXAMPLES = """
Examples:
  dlg dim -N localhost                              an island of the node on this host
  dlg dim -N host1,host2:8000:5555:6666             of two nodes
"""


@click.command(cls=ExampleCommand, epilog=ISLAND_EXAMPLES, context_settings=HELP)
@_listening(ISLAND_PORT, 0)
@click.option(
    "-N", "--nodes", default="", metavar="NODES",
    help="Its nodes with commas between, each as host[:port[:events_port[:rpc_port]]].",
)  # fmt: skip
def dim(**how: Any) -> None:
    """Run the manager of a data island: it runs sessions over its nodes."""
    _composite("data island", master=False, **how)


MASTER_EXAMPLES = """
Examples:
  dlg mm -N host1:8001:1:6667                       a master of one data island
"""


@click.command(cls=ExampleCommand, epilog=MASTER_EXAMPLES, context_settings=HELP)
@_listening(MASTER_PORT, 0)
@click.option(
    "-N", "--nodes", default="", metavar="ISLANDS",
    help="Its data islands with commas between, as they say their names.",
)  # fmt: skip
def mm(**how: Any) -> None:
    """Run a master: it runs sessions over the nodes of its data islands."""
    _composite("master", master=True, **how)
