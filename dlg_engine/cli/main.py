"""The table of commands, and what `dlg` itself does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

import click

from dlg import settings
from dlg.support.logs import stream_handler
from dlg_engine.cli.group import HELP, CommandTable, Entry

COMMANDS: Mapping[str, Entry] = {
    "run": Entry("dlg_engine.cli.run:run", "Run a graph in this process and report."),
    "resume": Entry("dlg_engine.cli.resume:resume", "Go on with a run that was broken off."),
    "submit": Entry("dlg_engine.cli.submit:submit", "Run a graph on the nodes of a manager."),
    "sessions": Entry("dlg_engine.cli.sessions:sessions", "List the sessions of a manager."),
    "status": Entry("dlg_engine.cli.sessions:status", "Tell how a session stands."),
    "logs": Entry("dlg_engine.cli.sessions:logs", "Print what a session has logged."),
    "cancel": Entry("dlg_engine.cli.sessions:cancel", "Give a session up."),
    "delete": Entry("dlg_engine.cli.sessions:delete", "Forget a session."),
    "record": Entry("dlg_engine.cli.replay:record", "Write a session down that is over."),
    "replay": Entry("dlg_engine.cli.replay:replay", "Show a session that was written down."),
    "cluster": Entry("dlg_engine.cli.cluster:cluster", "Tell which nodes there are."),
    "health": Entry("dlg_engine.cli.health:health", "Tell whether a manager answers."),
    "repro": Entry("dlg_engine.cli.repro:repro", "Compare runs: the same, and if not, why?"),
    "explain": Entry("dlg_engine.cli.explain:explain_", "Say why a drop was made again."),
    "store": Entry("dlg_engine.cli.store:store", "Look after results that are kept for reuse."),
    "check": Entry("dlg_engine.cli.check:check", "Find everything that is wrong with a graph."),
    "draw": Entry("dlg_engine.cli.draw:draw", "Draw a graph as SVG, PNG, HTML or DOT."),
    "fill": Entry("dlg_translator.commands:fill", "Fill parameters into a logical graph."),
    "fill-config": Entry(
        "dlg_translator.commands:fill_config", "Apply a graph configuration to a logical graph."
    ),
    "unroll": Entry("dlg_translator.commands:unroll", "Unroll a logical graph into drops."),
    "partition": Entry("dlg_translator.commands:partition", "Divide an unrolled graph."),
    "unroll-and-partition": Entry(
        "dlg_translator.commands:unroll_and_partition", "Unroll a logical graph and divide it."
    ),
    "map": Entry("dlg_translator.commands:map_", "Assign a divided graph to nodes."),
    "tm": Entry("dlg_translator.rest.command:tm", "Serve the translator: a page, and REST."),
    "lgt-info": Entry("dlg_translator.commands:lgt_info", "Tell what a logical graph needs."),
    "beat": Entry("dlg_engine.cli.beat:beat", "Work with the assets of BEAT, and run them."),
    "tasks": Entry("dlg_engine.cli.tasks:tasks", "Keep tasks in a database, and work on them."),
    "local-cluster": Entry(
        "dlg_engine.cli.local_cluster:local_cluster", "Run a whole cluster on this machine."
    ),
    "nm": Entry("dlg_engine.cli.managers:nm", "Run the manager of a node."),
    "dim": Entry("dlg_engine.cli.managers:dim", "Run the manager of a data island."),
    "mm": Entry("dlg_engine.cli.managers:mm", "Run the master of data islands."),
    "daemon": Entry(
        "dlg_engine.cli.daemon:daemon", "Run the managers of this host, and find others."
    ),
    "monitor": Entry("dlg_engine.cli.proxy:monitor", "Serve managers behind firewalls."),
    "proxy": Entry("dlg_engine.cli.proxy:proxy", "Go out to a monitor with a manager."),
    "keys": Entry("dlg_engine.cli.keys:keys", "Make the file of a cluster, or tell what it is."),
    "create-job": Entry(
        "dlg_engine.cli.create_job:create_job", "Make a job for Slurm, PBS or LSF."
    ),
    "remote-submit": Entry(
        "dlg_engine.cli.remote_submit:remote_submit", "Run a graph on another machine's Slurm."
    ),
    "config": Entry("dlg_engine.cli.config:config", "Describe facilities, where jobs can run."),
    "job": Entry("dlg_engine.cli.job:job", "Do a part of a job; scripts of jobs call it."),
    "doctor": Entry("dlg_engine.cli.doctor:doctor", "Find what is wrong, and what to do."),
    "completion": Entry("dlg_engine.cli.completion:completion", "Print shell completion."),
}
"""All our commands: where each is, and its line in `dlg --help`."""

SECTIONS: Mapping[str, str] = {
    "sessions": "Commands for sessions on managers",
    "repro": "Commands for results",
    "check": "Commands for graphs",
    "beat": "Commands for experiments of BEAT",
    "tasks": "Commands for databases of tasks",
    "local-cluster": "Commands that start managers",
    "create-job": "Commands for batch systems",
    "doctor": "Other commands",
}
"""The sections of `dlg --help`, by the command that each begins with."""

EXAMPLES = """
Examples:
  dlg run graphs/tutorial/tutorial.graph     run a graph and see what came of it
  dlg run my.graph --set Scatter.num_of_copies=16 --runner processes
  dlg check my.graph                         find everything that is wrong, before running
  dlg draw my.graph -o my.svg                look at it
  dlg local-cluster                          start a cluster on this machine; in another terminal:
  dlg submit my.graph                        run a graph on it, and say where to watch it
  dlg tasks run job.yaml                     do the tasks of a job, with a database of them
  dlg doctor                                 what is wrong here, and what to do?
  dlg unroll my.graph | dlg partition -N 2 | dlg map -N head,node1,node2 -o my.pg

Exit codes: 0 all is well, 1 a drop failed, 2 the command or the graph is wrong, 130 interrupted.
"""


def _show_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    # Reads the metadata of the installed packages, which few calls need.
    from importlib.metadata import version  # noqa: PLC0415

    click.echo(f"dlg {version('dlg')} (Python {sys.version.split()[0]})")
    ctx.exit()


@click.group(
    cls=CommandTable, table=COMMANDS, sections=SECTIONS, epilog=EXAMPLES, context_settings=HELP
)
@click.option(
    "--version", is_flag=True, callback=_show_version, expose_value=False, is_eager=True,
    help="Show the version and exit.",
)  # fmt: skip
@click.option(
    "-v", "--verbose", count=True, help="Show log messages: -v what happens, -vv every detail."
)
def cli(verbose: int) -> None:
    """Run scientific graphs: from one process to a cluster."""
    if settings.no_color():
        click.get_current_context().color = False
    level = {0: settings.current().log_level, 1: "INFO"}.get(verbose, "DEBUG")
    logging.basicConfig(level=level, handlers=[stream_handler(sys.stderr, level)])


def main() -> None:
    """Run the command line of this process: the entry point of `dlg`."""
    cli(prog_name="dlg")
