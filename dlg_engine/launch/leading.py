"""A job from its first to its last moment, on its first host.

The graph is submitted by `dlg submit`, a process of its own: whoever runs a job by hand would do
the same. What comes of it is written into the directory of the job.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from dlg import settings
from dlg.clients import MasterManagerClient, find_access
from dlg.clients.watching import session_log
from dlg.exceptions import DaliugeException, UsageError
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg.support.interrupts import heeding_termination
from dlg_engine.launch.hostlists import hosts_of
from dlg_engine.launch.jobs import CLUSTER, CODE, GRAPHS, LOGS, REPORT, Job, JobError, read_job
from dlg_engine.launch.lead import Lead
from dlg_engine.launch.reaching import own_address
from dlg_engine.launch.starting import commands

logger = logging.getLogger(__name__)

CLI = (sys.executable, "-m", "dlg_engine.cli")
SESSION_LOG = "session.log"
CANCEL_S = 20.0
"""How long the session may take to be cancelled: batch systems kill half a minute later."""
INTERRUPTED = 130


def lead_job(directory: Path) -> int:
    """Run the job of a directory on its hosts; return its exit code, that of its graph."""
    directory = directory.absolute()
    job = read_job(directory)
    hosts = _hosts(job)
    host = own_address(job.network, alone=len(set(hosts)) == 1)
    keys = _new_keys(directory, job.name)
    try:
        with heeding_termination(), Lead(directory, job, host, keys) as lead:
            rank = [*CLI, "-v", "job", "rank", str(directory), "--lead", str(lead.address.port)]
            rank += ["--lead-host", lead.address.host]
            lead.launch(commands(job.launcher, rank, hosts=hosts, per_host=job.ranks_per_node))
            url = lead.start_managers()
            click.echo(f"{job.ranks} ranks, the master is at {url}", err=True)
            return _run_graph(lead, url)
    finally:
        (directory / CLUSTER).unlink(missing_ok=True)  # nobody listens to it any more


def _hosts(job: Job) -> list[str]:
    """Return a host for each of the job's nodes; raise UsageError if there are others."""
    if job.scheduler == "shell":
        return ["localhost"] * job.nodes
    variables = settings.environment()
    node_file = variables.get("PBS_NODEFILE")
    text = Path(node_file).read_text(encoding="utf-8") if node_file else None
    hosts = hosts_of(variables, text)
    if len(hosts) != job.nodes:
        raise UsageError(
            f"the job is for {job.nodes} nodes and has {len(hosts)}: "
            f"{', '.join(hosts) or 'it does not run in a batch system'}"
        )
    return hosts


def _new_keys(directory: Path, name: str) -> ClusterFile:
    """Make the secrets of the one cluster that this job is."""
    path = directory / CLUSTER
    path.unlink(missing_ok=True)  # of a job that was killed
    certificate = new_certificate("dlg-job")
    return write_cluster_file(path, plain(name), new_pair(), certificate)


def plain(name: str) -> str:
    """Return the name of a job as a cluster and a proxy can be called."""
    return name.replace("_", "-")[:60]


def _run_graph(lead: Lead, url: str) -> int:
    """Run the graph on the master at `url`, and keep what comes of it."""
    job, directory = lead.job, lead.directory
    graph = _unrolled(directory, job) if job.unrolling else job.graph
    place = urlsplit(url)
    at = ["-H", str(place.hostname), "-P", str(place.port), "--cluster", CLUSTER]
    words = [
        *CLI, "submit", graph, *at, "--session", job.name, "--path", CODE, "--path", GRAPHS,
        "-w", str(directory.parent), "--cancel-on-interrupt", *job.submitting,
    ]  # fmt: skip
    process = subprocess.Popen(words, cwd=directory, stdin=subprocess.DEVNULL)
    proxy = _proxy(directory, job, str(place.hostname), int(place.port or 0))
    lead.when_broken(process.terminate)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        code = INTERRUPTED
        _ended(process)
    finally:
        lead.when_broken(None)
        _ended(process)
        if proxy is not None:
            _ended(proxy)
    if lead.broken:
        raise JobError(lead.broken)
    _keep(lead, str(place.hostname), int(place.port or 0))
    return code


def _ended(process: subprocess.Popen[bytes]) -> None:
    """End a process, gently at first."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(CANCEL_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _unrolled(directory: Path, job: Job) -> str:
    """Return the file of the graph as it is to be run, where that differs from what was given."""
    made = f"{GRAPHS}/unrolled.json"
    done = subprocess.run(
        [*CLI, "unroll", job.graph, *job.unrolling, "-o", made],
        cwd=directory, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UsageError("the graph cannot be unrolled")
    return made


def _proxy(directory: Path, job: Job, host: str, port: int) -> subprocess.Popen[bytes] | None:
    """Show the pages of the master outside, where the job says so."""
    if not job.proxy:
        return None
    at = ["-d", host, "-f", str(port), "--cluster", CLUSTER, "-i", plain(job.name)]
    words: Sequence[str] = [*CLI, "proxy", *at, *job.proxy]
    with (directory / LOGS / "proxy.log").open("wb") as log:
        return subprocess.Popen(
            words, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _keep(lead: Lead, host: str, port: int) -> None:
    """Write the report and the log of the session; where that fails the run is as it was."""
    directory, session_id = lead.directory, lead.job.name
    access = find_access(host, port, cluster=directory / CLUSTER)
    client = MasterManagerClient(host, port, token=access.token, tls=access.tls)
    try:
        report: Mapping[str, Any] = client.session_summary(session_id)
        text = json.dumps(report, indent=1)
        (directory / REPORT).write_text(text + "\n", encoding="utf-8")
        log = session_log(client.link, session_id)
        (directory / LOGS / SESSION_LOG).write_text(log, encoding="utf-8")
    except (DaliugeException, OSError) as error:
        click.echo(f"not all of the run could be kept: {error}", err=True)
        return
    click.echo(f"report, logs and data are in {directory}", err=True)
