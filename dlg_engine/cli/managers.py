"""`dlg nm`, `dlg dim`, `dlg mm`: managers, in the foreground or in the background."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.http.site import read_origin
from dlg.support.examples import ExampleCommand
from dlg.support.hosts import ANY_ADDRESS
from dlg.support.paths import getDlgWorkDir
from dlg_engine.cli.background import can_go_to_background
from dlg_engine.cli.group import HELP
from dlg_engine.cli.lifecycle_options import lifecycle_of, lifecycle_options
from dlg_engine.cli.loading import add_code_directories
from dlg_engine.daemon.running import DEADLINE_S, ManagerOptions, run_composite, run_node
from dlg_engine.daemon.security import Security, find_security
from dlg_engine.managers.addresses import (
    EVENTS_PORT,
    ISLAND_PORT,
    MASTER_PORT,
    NODE_PORT,
    RPC_PORT,
    NodeAddress,
    read_address,
)
from dlg_engine.managers.orphans import ALONE_S

MEGABYTE = 1 << 20
PORT = click.IntRange(0, 65535)
FILE = click.Path(dir_okay=False, path_type=Path)

Command = Callable[..., Any]

PATIENT = click.option(
    "--patient", is_flag=True, help="Begin though some do not answer; take them in when they do."
)


SECURITY = [
    click.option(
        "--cluster", type=FILE, metavar="FILE",
        help="The file of the cluster (dlg keys new); elsewhere than on loopback it is found.",
    ),
    click.option(
        "--token-file", type=FILE, metavar="FILE",
        help="A file with the token to be shown, where there is no file of a cluster.",
    ),
    click.option(
        "--cert", type=FILE, metavar="FILE", help="A certificate (PEM) for REST, to speak HTTPS."
    ),
    click.option("--key", type=FILE, metavar="FILE", help="Its key, unless it stands there too."),
    click.option(
        "--insecure", is_flag=True, help="Listen beyond this host though nobody must log in."
    ),
]  # fmt: skip


def security_options(command: Command) -> Command:
    """Add the options that say how a manager is protected."""
    for option in reversed(SECURITY):
        command = option(command)
    return command


def security_of(how: Mapping[str, Any]) -> Security:
    """Return how a manager is protected, from the options."""
    return find_security(
        how["host"],
        cluster=how["cluster"],
        token_file=how["token_file"],
        certificate=(how["cert"], how["key"]),
        insecure=how["insecure"],
    )


def _host_of_its_own(_context: object, _option: object, text: str) -> str:
    """Return a host; refuse what others would take for more than that."""
    if text and (text in ANY_ADDRESS or read_address(text) != NodeAddress(text)):
        raise UsageError(f"--advertise is one host, without a port: {text!r} is none")
    return text


def _listening(port: int, rpc_port: int) -> Callable[[Command], Command]:
    """Add the options that all managers have."""
    options = [
        click.option(
            "-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen."
        ),
        click.option(
            "--advertise", default="", metavar="HOST", callback=_host_of_its_own,
            help="The name by which others reach it, where its address does not last.",
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
        *SECURITY,
        click.option(
            "--origin", "origins", multiple=True, metavar="URL",
            help="Let pages of this origin use it: https://eagle.example.org.",
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
  dlg nm -H 0.0.0.0 --daemon         one that other hosts reach, in the background
  dlg nm --stop                      end it: its sessions may go on for a while
"""


@click.command(cls=ExampleCommand, epilog=NODE_EXAMPLES, context_settings=HELP)
@can_go_to_background("nm", NODE_PORT)
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
    "--path", "paths", multiple=True, type=click.Path(exists=True, file_okay=False),
    metavar="DIR", help="Import users' modules from here too.",
)  # fmt: skip
@click.option(
    "--deadline", type=click.FloatRange(0), default=DEADLINE_S, show_default=True,
    metavar="SECONDS", help="How long sessions may go on when it is told to end.",
)  # fmt: skip
@click.option(
    "--alone", type=click.FloatRange(1), default=ALONE_S, show_default=True, metavar="SECONDS",
    help="How long sessions go on when the managers that gave them are not heard of.",
)  # fmt: skip
@click.option(
    "--store", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where results are kept to be used again; store in the root directory by default.",
)  # fmt: skip
@lifecycle_options
def nm(**how: Any) -> None:
    """Run the manager of a node: it runs drops."""
    add_code_directories(how["paths"])
    options = ManagerOptions(
        host=how["host"],
        advertise=how["advertise"],
        port=how["port"],
        rpc_port=how["rpc_port"],
        events_port=how["event_port"],
        most_bytes=how["max_request_size"] * MEGABYTE,
        security=security_of(how),
        origins=frozenset(map(read_origin, how["origins"])),
        workdir=(how["workdir"] or Path(getDlgWorkDir())).absolute(),
        runner="processes" if how["processes"] else "threads",
        workers=how["max_threads"] or None,
        deadline_s=how["deadline"],
        alone_s=how["alone"],
        pid_file=how["pid_file"],
        lifecycle=lifecycle_of(how),
        store=None if how["store"] is None else how["store"].absolute(),
    )
    run_node(options, _announce("node", how["as_json"]))


def _composite(what: str, *, master: bool, **how: Any) -> None:
    nodes = [name.strip() for name in how["nodes"].split(",") if name.strip()]
    options = ManagerOptions(
        host=how["host"],
        advertise=how["advertise"],
        port=how["port"],
        rpc_port=how["rpc_port"],
        most_bytes=how["max_request_size"] * MEGABYTE,
        security=security_of(how),
        origins=frozenset(map(read_origin, how["origins"])),
        below=nodes,
        patient=how["patient"],
        pid_file=how["pid_file"],
    )
    run_composite(options, _announce(what, how["as_json"]), master=master)


ISLAND_EXAMPLES = """
Examples:
  dlg dim -N localhost                              an island of the node on this host
  dlg dim -N host1,host2:8000:5555:6666             of two nodes
"""


@click.command(cls=ExampleCommand, epilog=ISLAND_EXAMPLES, context_settings=HELP)
@can_go_to_background("dim", ISLAND_PORT)
@_listening(ISLAND_PORT, 0)
@click.option(
    "-N", "--nodes", default="", metavar="NODES",
    help="Its nodes with commas between, each as host[:port[:events_port[:rpc_port]]].",
)  # fmt: skip
@PATIENT
def dim(**how: Any) -> None:
    """Run the manager of a data island: it runs sessions over its nodes."""
    _composite("data island", master=False, **how)


MASTER_EXAMPLES = """
Examples:
  dlg mm -N host1:8001:1:6667                       a master of one data island
"""


@click.command(cls=ExampleCommand, epilog=MASTER_EXAMPLES, context_settings=HELP)
@can_go_to_background("mm", MASTER_PORT)
@_listening(MASTER_PORT, 0)
@click.option(
    "-N", "--nodes", default="", metavar="ISLANDS",
    help="Its data islands with commas between, as they say their names.",
)  # fmt: skip
@PATIENT
def mm(**how: Any) -> None:
    """Run a master: it runs sessions over the nodes of its data islands."""
    _composite("master", master=True, **how)
