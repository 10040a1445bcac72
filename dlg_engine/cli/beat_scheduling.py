"""`dlg beat scheduler`, `worker` and what is asked of a scheduler: jobs on several hosts."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dlg import settings
from dlg.beat.worker_frames import Terms
from dlg.exceptions import UsageError
from dlg.http.site import LOOPBACK
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.background import can_go_to_background
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.group import HELP
from dlg_engine.cli.managers import PORT, security_of, security_options
from dlg_engine.daemon.scheduling import (
    PORT as REST_PORT,
)
from dlg_engine.daemon.scheduling import (
    WORKERS_PORT,
    SchedulingOptions,
    run_scheduler,
)
from dlg_engine.daemon.security import Security, find_security
from dlg_engine.scheduling.executing import KINDS, Workplace
from dlg_engine.scheduling.submitting import Site
from dlg_engine.scheduling.working import WorkerOptions, run_worker

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
CACHE = click.option(
    "--cache", type=FOLDER, metavar="DIR", help="Where results are kept; `cache` in the prefix."
)
ROOTS = click.option(
    "--root", "roots", multiple=True, metavar="NAME/VERSION=DIR",
    help="Where a database lies that does not lie where it says.",
)  # fmt: skip

SCHEDULER_EXAMPLES = """
Examples:
  dlg beat scheduler --prefix ~/prefix                 on this host alone
  dlg beat scheduler -H 0.0.0.0 --queues queues.toml   for workers of a cluster
  dlg beat scheduler --database postgresql://me@db/jobs
"""


@click.command(cls=ExampleCommand, epilog=SCHEDULER_EXAMPLES, context_settings=HELP)
@can_go_to_background("beat scheduler", REST_PORT)
@prefix_option
@CACHE
@ROOTS
@click.option(
    "--database", metavar="WHERE",
    help="An SQLite file, or postgresql://user@host/name; beat/jobs.db in the root of dlg.",
)  # fmt: skip
@click.option(
    "--queues", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="The queues there are (TOML); without it, those that experiments name.",
)  # fmt: skip
@click.option(
    "--name", default="main", show_default=True, help="Tells several on one database apart."
)
@click.option("-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "-P", "--port", type=PORT, default=REST_PORT, show_default=True,
    help="The port for REST and the page; 0 takes any that is free.",
)  # fmt: skip
@click.option(
    "--workers-port", type=PORT, default=WORKERS_PORT, show_default=True,
    help="The port to which workers connect.",
)  # fmt: skip
@click.option(
    "--lease", type=click.FloatRange(0.5), default=15.0, show_default=True, metavar="SECONDS",
    help="For how long a silent worker is believed to live.",
)  # fmt: skip
@click.option(
    "--worker-cores", type=click.IntRange(1), default=1, show_default=True,
    help="How many cores a worker has that does not say so.",
)  # fmt: skip
@security_options
@click.option("--json", "as_json", is_flag=True, help="Say as JSON where it listens.")
def scheduler(**how: Any) -> None:
    """Give the blocks of experiments to workers, and serve a page that shows how they stand."""

    def announce(name: str, url: str, address: str) -> None:
        if how["as_json"]:
            click.echo(json.dumps({"name": name, "url": url, "workers": address}))
        else:
            click.echo(
                f"the scheduler {name} listens at {url}, for workers at {address}"
                "  (Ctrl-C ends it)",
                err=True,
            )

    run_scheduler(
        SchedulingOptions(
            site=_site(how), database=_database(how["database"]), queues=how["queues"],
            name=how["name"], host=how["host"], port=how["port"],
            workers_port=how["workers_port"], worker_cores=how["worker_cores"],
            terms=Terms(heartbeat_s=how["lease"] / 6, lease_s=how["lease"]),
            security=security_of(how), pid_file=how["pid_file"],
        ),
        announce,
    )  # fmt: skip


def _site(how: Mapping[str, Any]) -> Site:
    prefix = Path(chosen_prefix(how["prefix"])).absolute()
    return Site(
        prefix=prefix, cache=(how["cache"] or prefix / "cache").absolute(),
        roots=_roots(how["roots"]), any_queue=how.get("queues") is None,
    )  # fmt: skip


def _database(where: str | None) -> str | Path:
    if where is None:
        return settings.current().root / "beat" / "jobs.db"
    return where if "://" in where else Path(where).absolute()


def _roots(texts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or name.count("/") != 1 or not folder:
            raise UsageError(f"--root {text}: NAME/VERSION=DIR is expected")
        found[name] = str(Path(folder).absolute())
    return found


WORKER_EXAMPLES = """
Examples:
  dlg beat worker --prefix ~/prefix                       for the scheduler of this host
  dlg beat worker tcp://head:8601 --cores 8 --queue long  for that of another one
"""


@click.command(cls=ExampleCommand, epilog=WORKER_EXAMPLES, context_settings=HELP)
@click.argument("scheduler_address", metavar="[SCHEDULER]", required=False)
@prefix_option
@CACHE
@ROOTS
@click.option("--name", default="", help="What it is called; the name of this host.")
@click.option(
    "--cores",
    type=click.IntRange(1),
    metavar="N",
    help="How many it gives away; all of this host.",
)
@click.option(
    "--memory", type=click.IntRange(0), default=0, metavar="MB",
    help="How much memory it gives away; 0 does not count.",
)  # fmt: skip
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="NAME",
    help="Serve this queue only; again for more.",
)
@click.option(
    "--executor", type=click.Choice(list(KINDS)), default="local", show_default=True,
    help="How blocks are run.",
)  # fmt: skip
@click.option("--python-path", metavar="FILE", help="The Python of --executor subprocess.")
@security_options
@click.option("--json", "as_json", is_flag=True, help="Say as JSON when it is taken notice of.")
def worker(**how: Any) -> None:
    """Run blocks for the scheduler at SCHEDULER, tcp://host:port; by default that of this host.

    Workers and their scheduler have the same prefix and the same cache, on shared files or on one
    host. Ctrl-C ends it: what it runs is given to another worker.
    """
    address = how["scheduler_address"] or f"tcp://127.0.0.1:{WORKERS_PORT}"
    name = how["name"] or socket.gethostname()
    site = _site(how)
    site.cache.mkdir(parents=True, exist_ok=True)

    def ready() -> None:
        if how["as_json"]:
            click.echo(json.dumps({"name": name, "url": address}))
        else:
            click.echo(f"the worker {name} works for {address}  (Ctrl-C ends it)", err=True)

    run_worker(
        WorkerOptions(
            name=name, scheduler=address, cores=how["cores"] or os.cpu_count() or 1,
            memory_mb=how["memory"], queues=how["queues"],
            keys=_worker_security(how, address).keys,
            workplace=Workplace(
                prefix=site.prefix, cache=site.cache, kind=how["executor"],
                python_path=how["python_path"], roots=site.roots,
            ),
        ),
        ready,
    )  # fmt: skip


def _worker_security(how: Mapping[str, Any], address: str) -> Security:
    """Return what a worker shows to its scheduler: whoever can give it blocks runs code here."""
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    found = find_security(
        host, cluster=how["cluster"], token_file=how["token_file"], insecure=how["insecure"]
    )
    if host not in LOOPBACK and not found.token and not found.insecure:
        raise UsageError(
            f"the scheduler at {address} could be anybody, and runs programs here: name the file "
            "of the cluster that both belong to (dlg keys new), or add --insecure if nobody else "
            "is on the network"
        )
    return found
