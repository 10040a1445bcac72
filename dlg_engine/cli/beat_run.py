"""`dlg beat run`: an experiment as a graph, run in this process, and what came of its blocks."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from dlg.beat.experiment import Experiment
from dlg.exceptions import UsageError
from dlg.graph.reading import read_physical_graph
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.beat_results import (
    cache_option,
    found_in,
    load_experiment,
    plots_or_reason,
    result_lines,
)
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import cache_of
from dlg_engine.cli.progress import span
from dlg_engine.cli.run import WORKDIR, execute
from dlg_engine.cli.summary import error_lines, shown_path
from dlg_engine.cli.tables import table_lines
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport
from dlg_translator.formats.experiment import ExperimentOptions, experiment_specs

EXAMPLES = """
Examples:
  dlg beat run user/user/tc/1/exp
  dlg beat run user/user/tc/1/exp --executor docker --memory 2000
  dlg beat run user/user/tc/1/exp --force               what the cache has counts for nothing

A block whose outputs the cache has is not run again, unless anything that it is made of has
changed: its algorithm, libraries, formats, parameters, views, or what comes before it.
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("name")
@prefix_option
@cache_option
@click.option(
    "--executor", type=click.Choice(["local", "subprocess", "docker"]), default="local",
    show_default=True, help="Who runs the code of the blocks.",
)  # fmt: skip
@click.option(
    "--compat", is_flag=True, help="Run what the existing packages would, though it is odd."
)
@click.option("--force", is_flag=True, help="Run each block, whatever the cache has.")
@click.option(
    "--memory", type=click.IntRange(min=0), default=0, metavar="MB", help="Most memory of a block."
)
@click.option(
    "--cpu", type=click.IntRange(min=0), default=0, metavar="PERCENT",
    help="Most of one processor that a block may use.",
)  # fmt: skip
@click.option(
    "--minutes", type=click.FloatRange(min=0), default=0.0, metavar="N",
    help="Most time of a block.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="How many blocks at once."
)
@click.option(
    "--workdir", type=click.Path(file_okay=False), default=WORKDIR, show_default=True,
    metavar="DIR", help="Where the directory of the session is made.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something fails.")
def run(
    *,
    name: str,
    prefix: Path | None,
    cache: Path | None,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> int:
    """Run the experiment NAME in this process, each block in processes of its own.

    Shows progress, and at the end the blocks and what the analyzers found, with plots. The exit
    code is 0 if everything finished, 1 if a block failed, 2 if the experiment is wrong.
    """
    experiment = load_experiment(chosen_prefix(prefix), name, compat=how.pop("compat"))
    place = (cache or cache_of(experiment.prefix)).absolute()
    engine = {"workers": how.pop("workers"), "workdir": how.pop("workdir")}
    wanted = ExperimentOptions(cache=str(place), **how)
    _check_place(place)
    graph = read_physical_graph(experiment_specs(experiment, wanted), experiment.name)
    go = functools.partial(run_graph, graph, **engine)
    report, code = execute(go, quiet=quiet or as_json)
    blocks = list(block_reports(report.session_dir, experiment.setup()))
    if code:
        click.echo("\n".join(error_lines(report.errors)), err=True)
    if as_json:
        click.echo(json.dumps(_document(experiment, report, blocks), indent=1))
    elif not quiet:
        _tell(experiment, report, blocks, place)
    return code


def _check_place(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the cache {cache} cannot be made: {error.strerror}") from error


def block_reports(session_dir: Path, order: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what the blocks of a session have told, in the order of their names in `order`."""
    texts = [file.read_text() for file in (session_dir / "reports").glob("*.json")]
    told = [json.loads(text) for text in texts if text]  # one that failed has told nothing
    places = {name: place for place, name in enumerate(order)}
    yield from sorted(told, key=lambda one: (places[one["block"]], one["slot"]))


def _tell(
    experiment: Experiment, report: RunReport, blocks: list[dict[str, Any]], cache: Path
) -> None:
    if blocks:
        rows = [_row(block) for block in blocks]
        for line in table_lines(("block", "what", "seconds", "written"), rows):
            click.echo(line)
        click.echo("")
    took = span(sum(report.timings.values()))
    click.echo(f"{report.status}: {experiment.name} in {took}")
    if report.status != "FINISHED":
        return
    click.echo("")
    for line in result_lines(found_in(experiment, cache)):
        click.echo(line)
    for line in plots_or_reason(experiment, cache, report.session_dir / "plots"):
        click.echo(f"\n{shown_path(Path(line)) if Path(line).is_file() else line}")


def _row(block: dict[str, Any]) -> tuple[str, str, str, str]:
    slots = f" [{block['slot'] + 1}/{block['slots']}]" if block["slots"] > 1 else ""
    name = f"{block['block']}{slots}"
    statistics = block.get("statistics")
    if not statistics:
        return name, "from the cache" if block.get("reused") else "had nothing to do", "-", "-"
    cpu = statistics["cpu"]
    return (
        name,
        "run",
        f"{cpu['user'] + cpu['system']:.2f}",
        str(statistics["data"]["volume"]["write"]),
    )


def _document(
    experiment: Experiment, report: RunReport, blocks: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "experiment": experiment.name,
        "status": report.status,
        "session": report.session_id,
        "directory": str(report.session_dir),
        "blocks": blocks,
    }
