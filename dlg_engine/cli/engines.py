"""Options of commands that run a graph on an engine of the user's choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from dlg import plugins
from dlg.exceptions import UsageError

EMBEDDED = "embedded"
REMOTE = "managers"
"""Has a command of its own, `dlg submit`."""


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    options = (
        click.option(
            "--engine",
            default=EMBEDDED,
            show_default=True,
            metavar="NAME",
            help="Who runs the graph: embedded (this process), dask, or one that was installed.",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="The scheduler of a Dask cluster, as tcp://host:8786 (default: start one here).",
        ),
        click.option(
            "--tls",
            nargs=3,
            type=click.Path(exists=True, dir_okay=False),
            metavar="CA CERT KEY",
            help="Files with which that cluster is protected.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def engine_of(name: str) -> Any:
    """Return the engine `name`, to be called with a graph; refuse those that run nothing here."""
    if name == REMOTE:
        raise UsageError("graphs are run on managers by `dlg submit`")
    return plugins.engine(name)


def on_dask(scheduler: str | None, tls: tuple[str, str, str] | None) -> dict[str, Any]:
    """Return what those options mean to the engine."""
    files = dict(zip(("ca_file", "cert", "key"), tls or (), strict=False))
    return {"scheduler": scheduler, "tls": files}


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given: engines refuse those that they do not know."""
    return {name: value for name, value in options.items() if value}
