"""`dlg beat results` and `dlg beat plot`: what the analyzers of an experiment found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dlg.beat.catalogue import Catalogue
from dlg.beat.experiment import Experiment
from dlg.beat.results import (
    has_result,
    parameters_of,
    plot,
    plots_of,
    plotter_for,
    result_at,
    values_of,
)
from dlg.exceptions import InvalidAssetError, RunError, UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import cache_of
from dlg_engine.cli.tables import table_lines

Found = Mapping[str, Mapping[str, Any]]
"""The results of each analyzer by name."""

RESULTS_EXAMPLES = """
Examples:
  dlg beat results user/user/tc/1/exp
  dlg beat results user/user/tc/1/exp --json
"""
PLOT_EXAMPLES = """
Examples:
  dlg beat plot user/user/tc/1/exp                       a picture of each result to plot
  dlg beat plot user/user/tc/1/exp -o pictures --with plot/roc/1
"""
cache_option = click.option(
    "--cache", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="The cache, if not that of the prefix.",
)  # fmt: skip


@click.command(cls=ExampleCommand, epilog=RESULTS_EXAMPLES, context_settings=HELP)
@click.argument("name")
@prefix_option
@cache_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with what is to be plotted.")
def results(*, name: str, prefix: Path | None, cache: Path | None, as_json: bool) -> None:
    """Show what the analyzers of the experiment NAME found when it was run last."""
    experiment = load_experiment(chosen_prefix(prefix), name)
    found = found_in(experiment, cache or cache_of(experiment.prefix))
    click.echo(json.dumps(found, indent=1) if as_json else "\n".join(result_lines(found)))


@click.command("plot", cls=ExampleCommand, epilog=PLOT_EXAMPLES, context_settings=HELP)
@click.argument("name")
@prefix_option
@cache_option
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path(),
    metavar="DIR", help="Where to write the pictures.",
)  # fmt: skip
@click.option("--with", "asset", metavar="NAME", help="A plotterparameter with values to plot by.")
def plot_(
    *, name: str, prefix: Path | None, cache: Path | None, output: Path, asset: str | None
) -> None:
    """Plot what the analyzers of the experiment NAME found, by the plotters of the prefix."""
    experiment = load_experiment(chosen_prefix(prefix), name)
    made = plots(experiment, cache or cache_of(experiment.prefix), output, asset)
    if not made:
        raise UsageError(f"experiment {experiment.name} has no results to be plotted")
    for file in made:
        click.echo(str(file))


def load_experiment(prefix: str, name: str, *, compat: bool = False) -> Experiment:
    """Return the experiment that a name, or the end of one, means; it is valid.

    Raises `UsageError` if there is none, `InvalidAssetError` with all that is wrong with it.
    """
    catalogue = Catalogue(prefix, compat=compat)
    found = catalogue.load(catalogue.find(name, ("experiment",)))
    assert isinstance(found, Experiment)  # noqa: S101  the catalogue was asked for one
    if not found.valid:
        reasons = "\n  * ".join(found.errors)
        raise InvalidAssetError(f"experiment {found.name} is not valid:\n  * {reasons}")
    return found


def found_in(experiment: Experiment, cache: Path) -> dict[str, dict[str, Any]]:
    """Return the results of each analyzer of an experiment; raise `UsageError` without any."""
    return {
        name: values_of(result_at(cache / block["result"]["path"], experiment.prefix))
        for name, block in _analyzers(experiment, cache).items()
    }


def _analyzers(experiment: Experiment, cache: Path) -> dict[str, dict[str, Any]]:
    """Return the analyzers that have results; raise `UsageError` if some have none yet."""
    blocks = {name: one["configuration"] for name, one in experiment.setup().items()}
    found = {name: block for name, block in blocks.items() if "result" in block}
    for name, block in found.items():
        if not has_result(cache / block["result"]["path"]):
            raise UsageError(
                f"analyzer {name} has no results in the cache {cache}: dlg beat run makes them "
                f"(experiment {experiment.name}, or --cache is another one)"
            )
    return found


def result_lines(found: Found) -> list[str]:
    """Return a table of the results; of what is to be plotted it says only that."""
    rows = [
        (analyzer, name, shown(value))
        for analyzer, values in found.items()
        for name, value in values.items()
    ]
    return list(table_lines(("analyzer", "result", "value"), rows))


def shown(value: Any) -> str:
    """Return a value in few words."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "to be plotted: " + ", ".join(value)
    text = str(value)
    return json.dumps(text) if "\n" in text else text


def plots(
    experiment: Experiment, cache: Path, directory: Path, asset: str | None = None
) -> list[Path]:
    """Plot all results of an experiment for which its prefix has a plotter; return the files."""
    made = []
    for name, block in _analyzers(experiment, cache).items():
        algorithm = experiment.algorithms[block["algorithm"]]
        for result, dataformat in plots_of(algorithm).items():
            plotter = plotter_for(experiment.prefix, dataformat)
            if plotter is None:
                continue
            values = parameters_of(experiment.prefix, asset, plotter) if asset else {}
            directory.mkdir(parents=True, exist_ok=True)
            target = directory / f"{name}-{result}.png"
            place = cache / block["result"]["path"]
            plot(experiment.prefix, plotter, values, {name: (place, result)}, target)
            made.append(target)
    return made


def plots_or_reason(experiment: Experiment, cache: Path, directory: Path) -> list[str]:
    """Return the files of the plots or, in place of them, why there are none."""
    try:
        return [str(file) for file in plots(experiment, cache, directory)]
    except RunError as error:  # the experiment has run all the same
        return [f"not plotted: {error}"]
