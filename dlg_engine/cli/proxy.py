"""`dlg proxy` and `dlg monitor`: a cluster behind a firewall, used from outside."""

from __future__ import annotations

import json
import logging
import platform
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dlg import settings
from dlg.clients.access import find_access
from dlg.exceptions import UsageError
from dlg.http.onward import Place
from dlg.http.site import LOOPBACK
from dlg.support.certificates import client_context
from dlg.support.cluster_file import ClusterFile, find_cluster_file, read_cluster_file, read_token
from dlg.support.examples import ExampleCommand
from dlg.support.logs import stream_handler
from dlg_engine.cli.connection import Wanted
from dlg_engine.cli.group import HELP
from dlg_engine.cli.managers import FILE, PORT, security_of, security_options
from dlg_engine.proxy.agent import ProxyOptions, run_proxy
from dlg_engine.proxy.greeting import check_id
from dlg_engine.proxy.monitor import (
    CLIENT_PORT,
    FIRST_PORT,
    PROXY_PORT,
    MonitorOptions,
    run_monitor,
)

JSON = click.option(
    "--json", "as_json", is_flag=True, help="Say as JSON where it listens, for programs."
)
PLAIN = click.option(
    "--no-tls", is_flag=True, help="Speak in the clear: where a tunnel or a VPN protects the way."
)

MONITOR_EXAMPLES = """
Examples:
  dlg keys new gateway --cluster gateway.toml       once; copy it to the proxy and to clients
  dlg monitor -H 0.0.0.0 --cluster gateway.toml     outside of the firewall
  dlg monitor                                       for proxies and clients of this host alone
"""


@click.command(cls=ExampleCommand, epilog=MONITOR_EXAMPLES, context_settings=HELP)
@click.option("-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "-o", "--monitor-port", type=PORT, default=PROXY_PORT, show_default=True,
    help="The port for proxies; 0 takes any that is free.",
)  # fmt: skip
@click.option(
    "-c", "--client-port", type=PORT, default=CLIENT_PORT, show_default=True,
    help="The port for clients of all proxies, each under /ID/.",
)  # fmt: skip
@click.option(
    "-p", "--publication-port", type=PORT, default=FIRST_PORT, show_default=True,
    help="From this port on each proxy has one of its own too; 0 takes any that are free.",
)  # fmt: skip
@click.option("--no-publication", is_flag=True, help="Proxies have no ports of their own.")
@security_options
@click.option(
    "--proxy-token-file", type=FILE, metavar="FILE",
    help="A file with a token that proxies must know, and clients need not.",
)  # fmt: skip
@PLAIN
@click.option("-d", "--debug", is_flag=True, help="Log every detail.")
@JSON
def monitor(**how: Any) -> None:
    """Let proxies come, and serve the managers behind them.

    A proxy comes from inside of a firewall by a connection of its own (dlg proxy). What clients
    ask here goes through it to its manager: REST, pages and events.
    """
    _log(how["debug"])
    proxy_token = how["proxy_token_file"]
    options = MonitorOptions(
        host=how["host"],
        proxy_port=how["monitor_port"],
        client_port=how["client_port"],
        first_port=None if how["no_publication"] else how["publication_port"],
        security=security_of(how),
        proxy_token=read_token(proxy_token) if proxy_token else "",
        plain=how["no_tls"],
    )

    def announce(told: Mapping[str, object]) -> None:
        if how["as_json"]:
            click.echo(json.dumps(told))
            return
        click.echo(f"the monitor listens at {told['url']}  (Ctrl-C ends it)", err=True)
        click.echo(f"proxies come to port {told['proxy_port']}", err=True)

    run_monitor(options, announce, lambda text: click.echo(text, err=True))


PROXY_EXAMPLES = """
Examples:
  dlg proxy -m gateway.example.org --monitor-cluster gateway.toml
  dlg proxy -m gateway.example.org --monitor-cluster gateway.toml -d head -f 8002 -i observatory
  dlg proxy -m localhost                            through a tunnel:  ssh -L 30000:localhost:30000
"""


@click.command(cls=ExampleCommand, epilog=PROXY_EXAMPLES, context_settings=HELP)
@click.option("-m", "--monitor-host", required=True, metavar="HOST", help="Where the monitor is.")
@click.option(
    "-o", "--monitor-port", type=click.IntRange(1, 65535), default=PROXY_PORT, show_default=True,
    help="Its port for proxies.",
)  # fmt: skip
@click.option(
    "-d", "--dlg-host", default="localhost", show_default=True, metavar="HOST",
    help="Where the manager is.",
)  # fmt: skip
@click.option(
    "-f", "--dlg-port", type=click.IntRange(1, 65535),
    help="Its port; without it a master (8002), an island (8001), a node (8000) is found.",
)  # fmt: skip
@click.option(
    "-i", "--id", "name", default="", metavar="ID",
    help="By what it is called at the monitor; the name of this host by default.",
)  # fmt: skip
@click.option("--cluster", type=FILE, metavar="FILE", help="The file of the manager's cluster.")
@click.option("--token-file", type=FILE, metavar="FILE", help="A file with the manager's token.")
@click.option(
    "--monitor-cluster", type=FILE, metavar="FILE",
    help="The file that the monitor has as its --cluster, if not the usual one.",
)  # fmt: skip
@click.option(
    "--monitor-token-file", type=FILE, metavar="FILE",
    help="A file with the token that the monitor has for proxies.",
)  # fmt: skip
@click.option(
    "--monitor-cert", type=FILE, metavar="FILE",
    help="The monitor's certificate, or that of who has signed it, to speak TLS.",
)  # fmt: skip
@PLAIN
@click.option(
    "-l", "--logdir", type=click.Path(file_okay=False, path_type=Path),
    help="Write the log to a file there too.",
)  # fmt: skip
@click.option("-b", "--debug", is_flag=True, help="Log every detail.")
@JSON
def proxy(**how: Any) -> None:
    """Go out to a monitor, so that a manager behind a firewall can be used from there.

    Nothing comes in by itself: the proxy makes one connection to the monitor and keeps it. The
    token of the cluster stays here: clients show that of the monitor.
    """
    name = how["name"] or platform.node().partition(".")[0] or "proxy"
    check_id(name)
    _log(how["debug"], how["logdir"], name)
    options = _proxy_options(name, how)

    def announce(url: str) -> None:
        if how["as_json"]:
            click.echo(json.dumps({"name": name, "url": url}))
        else:
            manager = options.manager
            click.echo(f"{manager} is at the monitor as {name}: {url}  (Ctrl-C ends it)", err=True)

    run_proxy(options, announce)


def _proxy_options(name: str, how: Mapping[str, Any]) -> ProxyOptions:
    host, port = how["dlg_host"], how["dlg_port"]
    if port is None:
        found = Wanted(host, None, how["cluster"], how["token_file"]).find().client.link
        manager, manager_token = Place(found.host, found.port, found.tls), found.token
    else:
        access = find_access(host, port, cluster=how["cluster"], token_file=how["token_file"])
        manager, manager_token = Place(host, port, access.tls), access.token
    token, tls = _monitor_access(how)
    return ProxyOptions(
        id=name,
        monitor=Place(how["monitor_host"], how["monitor_port"], tls),
        token=token,
        manager=manager,
        manager_token=manager_token,
    )


def _monitor_access(how: Mapping[str, Any]) -> tuple[str, ssl.SSLContext | None]:
    """Return what the monitor and this proxy both know, and what trusts its certificate.

    Raises UsageError where the monitor could be anybody, or somebody listen on the way.
    """
    named, token_file = how["monitor_cluster"], how["monitor_token_file"]
    away = how["monitor_host"] not in LOOPBACK
    file: ClusterFile | None = None  # on loopback nothing is asked for, as of managers
    if named is not None:
        file = read_cluster_file(named)
    elif away and not token_file:
        file = find_cluster_file()
    tls = client_context(file.certificate) if file is not None and file.certificate else None
    if how["monitor_cert"] is not None:
        tls = _trusting(how["monitor_cert"])
    token = read_token(token_file) if token_file else (file.token if file is not None else "")
    token = token or settings.current().token
    if away and not token:
        raise UsageError(
            f"{how['monitor_host']} could be anybody: name the file that the monitor has, by "
            "--monitor-cluster, or its token, by --monitor-token-file"
        )
    if away and tls is None and not how["no_tls"]:
        raise UsageError(
            f"without TLS others can read and change what goes to {how['monitor_host']}: name "
            "--monitor-cert; or add --no-tls where a tunnel protects the way"
        )
    return token, None if how["no_tls"] else tls


def _trusting(certificate: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(certificate))
    except (OSError, ValueError) as error:
        raise UsageError(f"{certificate} cannot be used as a certificate: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _log(debug: bool, folder: Path | None = None, name: str = "") -> None:
    """Log every detail if that is wanted, and to a file if one is."""
    root = logging.getLogger()
    if debug:
        root.setLevel("DEBUG")
        for handler in root.handlers:
            handler.setLevel("DEBUG")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"dlgProxy-{name}.log").open("a", encoding="utf-8")
        root.addHandler(stream_handler(file, root.level))
