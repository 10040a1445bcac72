"""The options of commands that make jobs, and the job that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
import msgspec

from dlg.exceptions import UsageError
from dlg_engine.cli.loading import load_template, read_assignments
from dlg_engine.embedded import new_session_id
from dlg_engine.launch import facilities
from dlg_engine.launch.facilities import Facility
from dlg_engine.launch.jobs import GRAPHS, Job, write_job
from dlg_engine.launch.roles import posts
from dlg_engine.launch.scripting import read_template, script_of
from dlg_engine.launch.sources import SERVICES, fetch_graph

Command = Callable[..., Any]
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
COUNT = click.IntRange(1)

OPTIONS = [
    click.option(
        "-f", "--facility", "facility", default="slurm", show_default=True, metavar="NAME",
        help="Where it is to run: see dlg config list.",
    ),
    click.option("-L", "--logical-graph", type=FILE, metavar="FILE", help="The graph, logical."),
    click.option("-P", "--physical-graph", type=FILE, metavar="FILE", help="... or physical."),
    click.option("--github", metavar="OWNER/REPO/PATH[@REF]", help="... or a file of GitHub."),
    click.option("--gitlab", metavar="OWNER/REPO/PATH[@REF]", help="... or one of GitLab."),
    click.option("-n", "--nodes", "--num-nodes", "--num_nodes", type=COUNT, metavar="N",
                 help="On how many nodes of the batch system."),
    click.option("-s", "--islands", "--num-islands", "--num_islands", type=COUNT, metavar="N",
                 help="How many data islands they make."),
    click.option("-t", "--minutes", "--job-dur", type=COUNT, metavar="MINUTES",
                 help="How long it may take."),
    click.option("--ranks-per-node", type=COUNT, metavar="N", help="Node managers on each node."),
    click.option("-c", "--cpus", type=COUNT, metavar="N",
                 help="How many processors each node manager has; the facility may say it."),
    click.option("--apart", is_flag=True,
                 help="Give the master and the islands ranks without node managers."),
    click.option("-T", "--max-threads", "threads", type=click.IntRange(0), default=0, metavar="N",
                 help="How many apps a node manager runs at once."),
    click.option("--processes", is_flag=True, help="Run apps in processes, not in threads."),
    click.option("-A", "--algorithm", metavar="NAME", help="How to divide the graph."),
    click.option("-O", "--algorithm-parameters", "algorithm_options", multiple=True,
                 metavar="NAME=VALUE", help="An option of the algorithm; several with commas."),
    click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE",
                 help="Give a parameter of a logical graph a value."),
    click.option("--config", metavar="NAME|FILE", help="Use this graph configuration."),
    click.option("-z", "--zerorun", is_flag=True, help="Let no app sleep."),
    click.option("-y", "--sleepncopy", is_flag=True,
                 help="Put apps that sleep and copy in place of all."),
    click.option("--repro", metavar="LEVEL", default="all", show_default=True,
                 help="Keep evidence for dlg repro at this level."),
    click.option("--reuse", is_flag=True, help="Take from stores what was made before."),
    click.option("--path", "paths", multiple=True, metavar="DIR",
                 type=click.Path(exists=True, file_okay=False, path_type=Path),
                 help="Take modules in here along, as those beside the graph."),
    click.option("-p", "--run-proxy", is_flag=True, help="Show pages outside, by dlg proxy."),
    click.option("-m", "--monitor-host", metavar="HOST", help="... where dlg monitor runs."),
    click.option("-o", "--monitor-port", type=click.IntRange(1, 65535), metavar="PORT",
                 help="... and its port."),
    click.option("--name", help="What the job is called; made of the graph and the time."),
    click.option("--config-file", "--config_file", "config_file", type=FILE, metavar="FILE",
                 help="A file of facilities, not the one among the settings."),
    click.option("--slurm-template", "--slurm_template", "--template", "template", type=FILE,
                 metavar="FILE", help="A template of the script; gaps are written @nodes@."),
]  # fmt: skip


def job_options(command: Command) -> Command:
    """Add the options of a job to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


class Made(NamedTuple):
    """A job in its directory."""

    directory: Path
    job: Job
    facility: Facility


def facility_of(how: Mapping[str, Any], **changes: Any) -> Facility:
    """Return the facility that is meant, with what the command line says otherwise."""
    found = facilities.find(how["facility"], how["config_file"])
    said = {key: value for key, value in changes.items() if value}
    changed = msgspec.structs.replace(found, **said)
    facilities.check(changed, "the command line")
    return changed


def make_job(how: Mapping[str, Any], facility: Facility, root: Path) -> Made:
    """Make the directory of a job below `root`; UsageError for what could not be run."""
    with TemporaryDirectory(prefix="dlg-graph-") as folder:
        graph = graph_of(how, Path(folder))
        job = _job(how, facility, graph)
        posts(job.ranks, job.islands, apart=job.apart)  # now, and not after hours of waiting
        template = None if how["template"] is None else read_template(how["template"])
        script = script_of(job, facility, template)
        load_template(str(graph), how["assignments"], how["config"])  # tells what is wrong
        directory = root.expanduser().absolute() / job.name
        write_job(directory, job, graph, [graph.parent, *how["paths"]], script)
    return Made(directory, job, facility)


def graph_of(how: Mapping[str, Any], folder: Path) -> Path:
    """Return the file of the graph, fetched into a folder if it is elsewhere.

    Raises UsageError unless one was named.
    """
    files = [how[key] for key in ("graph", "logical_graph", "physical_graph") if how.get(key)]
    places = [(service, how[service]) for service in SERVICES if how[service]]
    if len(files) + len(places) != 1:
        raise UsageError("name one graph: as an argument, by -L, -P, --github or --gitlab")
    return Path(files[0]) if files else fetch_graph(*places[0], folder)


def _job(how: Mapping[str, Any], facility: Facility, graph: Path) -> Job:
    cpus = how["cpus"] or facility.cpus
    return Job(
        name=how["name"] or new_session_id(str(graph)),
        graph=f"{GRAPHS}/{graph.name}",
        facility=how["facility"],
        scheduler=facility.scheduler,
        launcher=facility.starts_ranks(),
        nodes=how["nodes"] or facility.nodes,
        islands=how["islands"] or facility.islands,
        ranks_per_node=how["ranks_per_node"] or facility.ranks_per_node,
        apart=how["apart"],
        minutes=how["minutes"] or facility.minutes,
        cpus=cpus,
        threads=how["threads"] or cpus,  # not as many as the host has, which is shared
        processes=how["processes"],
        network=facility.network,
        submitting=tuple(_submitting(how)),
        unrolling=tuple(_unrolling(how)),
        proxy=tuple(_proxy(how)),
    )


def _submitting(how: Mapping[str, Any]) -> list[str]:
    """Return what `dlg submit` is told about filling and dividing the graph."""
    found = ["--repro", how["repro"], *(["--reuse"] if how["reuse"] else [])]
    found += ["--algorithm", how["algorithm"]] if how["algorithm"] else []
    options = [one for text in how["algorithm_options"] for one in text.split(",")]
    read_assignments([*options, *how["assignments"]])  # refuses what is not written so
    for text in options:
        found += ["-A", text]
    return found if _unrolling(how) else found + _filling(how)


def _filling(how: Mapping[str, Any]) -> list[str]:
    found = [word for text in how["assignments"] for word in ("--set", text)]
    return found + (["--config", how["config"]] if how["config"] else [])


def _unrolling(how: Mapping[str, Any]) -> list[str]:
    """Return what `dlg unroll` is told, where not the graph as it is is run."""
    found = ["--zerorun"] if how["zerorun"] else []
    found += ["--app", "2"] if how["sleepncopy"] else []
    if found and how["physical_graph"]:
        raise UsageError("--zerorun and --sleepncopy are for logical graphs")
    return found + _filling(how) if found else []


def _proxy(how: Mapping[str, Any]) -> list[str]:
    if not how["run_proxy"]:
        if how["monitor_host"] or how["monitor_port"]:
            raise UsageError("--monitor-host and --monitor-port are for --run-proxy")
        return []
    if not how["monitor_host"]:
        raise UsageError("--run-proxy needs --monitor-host")
    port = ["-o", str(how["monitor_port"])] if how["monitor_port"] else []
    return ["-m", how["monitor_host"], *port]
