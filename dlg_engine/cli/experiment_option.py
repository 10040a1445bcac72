"""`--experiment`: an experiment of a prefix, by its name, where a file of a graph would stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg_engine.cli.beat import prefix_option
from dlg_engine.cli.beat_names import completes


def experiment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name an experiment instead of a file."""
    command = prefix_option(command)
    return click.option(
        "--experiment", metavar="NAME", shell_complete=completes("experiment"),
        help="Take this experiment of BEAT in the prefix as the graph.",
    )(command)  # fmt: skip


def chosen_graph(graph: str | None, experiment: str | None, prefix: Path | None) -> str:
    """Return the file of the graph, or of the experiment that is named instead of one.

    Raises `UsageError` unless there is just one of them.
    """
    if experiment is None:
        if graph is None:
            raise UsageError("which graph? Name its file, or an experiment by --experiment NAME")
        if prefix is not None:
            raise UsageError("--prefix is for --experiment; a graph is a file")
        return graph
    if graph is not None:
        raise UsageError(f"{graph} or the experiment {experiment}? Only one graph is submitted")
    # Only who names experiments needs what knows assets.
    from dlg.beat.experiment import Storage  # noqa: PLC0415
    from dlg_engine.cli.beat import chosen_prefix  # noqa: PLC0415
    from dlg_engine.cli.beat_results import load_experiment  # noqa: PLC0415

    found = load_experiment(chosen_prefix(prefix), experiment)
    return str(Storage(found.prefix, found.name).json.path)
