"""`dlg local-cluster`: a master, an island and nodes on this machine, in the foreground."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType

import click

from dlg.exceptions import RunError, UsageError
from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import Terminated, heeding_termination
from dlg_engine.cli.group import HELP
from dlg_engine.cli.summary import shown_path
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of
from dlg_engine.daemon.pid_files import PidFile
from dlg_engine.daemon.processes import ManagerProcess
from dlg_engine.managers.addresses import MASTER_PORT

WORKDIR = "dlg-cluster"
"""Where logs and sessions go unless --workdir says otherwise, in the current directory."""
MOST_BESIDE = 50
"""How many clusters may run in folders of the same name."""

EXAMPLES = """
Examples:
  dlg local-cluster                    a master, an island and three nodes
  dlg local-cluster -n 8 --processes   eight nodes that run apps in processes
  dlg local-cluster --port 0           beside another one, at any free ports

Then, in another terminal:
  dlg submit my.graph
"""


@click.command("local-cluster", cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.option(
    "-n", "--nodes", type=click.IntRange(1, 256), default=3, show_default=True,
    help="How many nodes.",
)  # fmt: skip
@click.option(
    "-P", "--port", type=click.IntRange(0, 65535),
    help=f"The port of the master ({MASTER_PORT}, or a free one if that is taken; 0: any).",
)  # fmt: skip
@click.option(
    "-w", "--workdir", type=click.Path(file_okay=False, path_type=Path), default=WORKDIR,
    show_default=True, help="Where logs and the directories of sessions go.",
)  # fmt: skip
@click.option("-p", "--processes", is_flag=True, help="Run apps in processes, not in threads.")
@click.option(
    "-t", "--workers", type=click.IntRange(0), default=0, help="How many apps a node runs at once."
)
@click.option(
    "--path", "code", multiple=True, metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Nodes import users' modules from here too.",
)  # fmt: skip
@click.option(
    "--store", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where nodes keep results to be used again; store in the root directory by default.",
)  # fmt: skip
@click.option(
    "--deadline", "deadline_s", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
    help="How long running sessions may go on at the end.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Say as JSON what listens where.")
def local_cluster(
    *, as_json: bool, nodes: int, code: tuple[Path, ...], workdir: Path, **how: object
) -> int:
    """Run a whole cluster on this machine, for trying out, until Ctrl-C.

    It listens on loopback only. The exit code is 0 after Ctrl-C, 1 if all managers have died.
    """
    try:
        with heeding_termination(), _heeding_hangup(), closing(claimed(workdir)) as claim:
            options = ClusterOptions(
                nodes=nodes, code=code, workdir=claim.path.parent, **how,  # type: ignore[arg-type]
            )  # fmt: skip
            if not as_json:
                click.echo(f"starting {nodes} node{'s' if nodes > 1 else ''} ...", err=True)
            with LocalCluster(options) as cluster:
                click.echo(_as_json(cluster) if as_json else "\n".join(_lines(cluster)))
                for dead in cluster.deaths():
                    _tell_death(cluster, dead)
                raise RunError("all managers of the cluster have ended")
    except KeyboardInterrupt as interrupt:
        if not as_json and not isinstance(interrupt, Terminated):
            click.echo("the cluster has ended", err=True)
        return 0


def claimed(workdir: Path) -> PidFile:
    """Claim the folder of a cluster; while another one has it the next, as `dlg-cluster-2`.

    Raises `UsageError` if that many are taken.
    """
    others = (workdir.with_name(f"{workdir.name}-{k}") for k in range(2, MOST_BESIDE + 2))
    for place in (workdir, *others):
        with suppress(UsageError):
            return PidFile(place / "pid")
    raise UsageError(f"{workdir} and those beside it are in use: name another one by --workdir")


def _lines(cluster: LocalCluster) -> Iterator[str]:
    """Yield what people are told: who is where, and what to do next."""
    yield ""
    for process in (cluster.top, cluster.island, *cluster.nodes):
        yield f"  {process.role:<8}{process.url}"
    port = port_of(cluster.top.url)
    where = "" if port == MASTER_PORT else f" -P {port}"
    yield ""
    yield f"Logs and sessions are in {shown_path(cluster.options.workdir.absolute())}"
    yield "In another terminal:"
    yield f"  dlg submit GRAPH{where}"
    yield f"  dlg cluster{where}"
    yield "Ctrl-C ends the cluster."


def _as_json(cluster: LocalCluster) -> str:
    def about(process: ManagerProcess) -> dict[str, object]:
        return {"name": process.name, "url": process.url, "pid": process.process.pid}

    found = {
        "master": about(cluster.top),
        "islands": [about(cluster.island)],
        "nodes": [about(node) for node in cluster.nodes],
        "workdir": str(cluster.options.workdir.absolute()),
    }
    return json.dumps(found)


def _tell_death(cluster: LocalCluster, dead: ManagerProcess) -> None:
    """Say which manager died, how, and what can be done."""
    code = dead.process.returncode
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    click.echo(f"the {dead.role} {dead.name} {how}; its log is {dead.log}", err=True)
    if dead.role.startswith("node"):
        click.echo("  the sessions it had a part of fail; to bring it back, in another terminal:\n"
                   f"  {cluster.restart_command(dead)}", err=True)  # fmt: skip
    else:
        click.echo("  end the cluster with Ctrl-C, and start it again", err=True)


@contextmanager
def _heeding_hangup() -> Iterator[None]:
    """End the cluster when its terminal is closed: its managers would stay without an owner."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated("the terminal was closed")

    before = signal.signal(signal.SIGHUP, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
