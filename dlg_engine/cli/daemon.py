"""`dlg daemon`: the managers of a host, started, supervised, and found by those of others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from dlg.clients.daemon import DAEMON_PORT
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.background import FOLDER, can_go_to_background
from dlg_engine.cli.group import HELP
from dlg_engine.cli.managers import PORT, security_of, security_options
from dlg_engine.daemon.host import HostOptions
from dlg_engine.daemon.running import DEADLINE_S
from dlg_engine.daemon.serving import DaemonOptions, run_daemon

EXAMPLES = """
Examples:
  dlg daemon --nm                      a node on this host alone
  dlg daemon -H 0.0.0.0 --nm           ... that the master of the network finds
  dlg daemon -H 0.0.0.0 --nm --dim --mm -d    the head of a cluster, in the background
  dlg daemon --stop                    end it and its managers
"""
ROLES: Mapping[str, str] = {"nm": "node", "dim": "island", "mm": "master", "tm": "translator"}


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@can_go_to_background("daemon", DAEMON_PORT)
@click.option(
    "-H", "--host", default="127.0.0.1", show_default=True,
    help="Where it and its managers listen.",
)  # fmt: skip
@click.option(
    "-P", "--port", type=PORT, default=DAEMON_PORT, show_default=True, help="Its port for REST."
)
@click.option("--nm", is_flag=True, help="Start a node manager.")
@click.option("--dim", is_flag=True, help="Start a data island manager.")
@click.option("--mm", is_flag=True, help="Start a master, and find islands and nodes for it.")
@click.option("--tm", is_flag=True, help="Start the translator, with its page.")
@click.option(
    "-N", "--nodes", default="", metavar="NODES",
    help="The nodes of its island, where they cannot be found, with commas between.",
)  # fmt: skip
@click.option("--no-zeroconf", is_flag=True, help="Announce nothing and find nobody.")
@click.option(
    "--cluster-name", default="", metavar="NAME",
    help="The name of the cluster, where there is no file that says it.",
)  # fmt: skip
@click.option("--any-ports", is_flag=True, help="Managers take any free ports.")
@click.option("-w", "--workdir", type=FOLDER, help="Where sessions have their directories.")
@click.option(
    "--deadline", type=click.FloatRange(0), default=DEADLINE_S, show_default=True,
    metavar="SECONDS", help="How long sessions may go on when a node is told to end.",
)  # fmt: skip
@security_options
@click.option(
    "--json", "as_json", is_flag=True, help="Say as JSON where it listens, for programs."
)
def daemon(**how: Any) -> None:
    """Run the managers of this host, and find those of others.

    It starts again what ends unasked, serves REST to start and stop managers, and ends them with
    itself. The one with the master finds the islands and nodes of the same cluster by zeroconf.
    """

    def announce(url: str) -> None:
        if how["as_json"]:
            click.echo(json.dumps({"name": "daemon", "url": url}))
        else:
            click.echo(f"the daemon listens at {url}  (Ctrl-C ends it)", err=True)

    run_daemon(_options(how), announce)


def _options(how: Mapping[str, Any]) -> DaemonOptions:
    workdir: Path | None = how["workdir"]
    host = HostOptions(
        host=how["host"],
        security=security_of(how),
        any_ports=how["any_ports"],
        workdir=workdir.absolute() if workdir else None,
        logdir=how["logdir"],
        deadline_s=how["deadline"],
        arguments=_verbosity(how),
    )
    return DaemonOptions(
        host=host,
        port=how["port"],
        roles=[role for flag, role in ROLES.items() if how[flag]],
        nodes=[name.strip() for name in how["nodes"].split(",") if name.strip()],
        zeroconf=not how["no_zeroconf"],
        cluster=how["cluster_name"],
        pid_file=how["pid_file"],
    )


def _verbosity(how: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return what makes the managers as talkative as their daemon."""
    flags = ["-v"] * how["more"] + ["-q"] * how["less"]
    return {role: flags for role in ROLES.values() if role != "translator"}
