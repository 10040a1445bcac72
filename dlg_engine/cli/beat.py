"""`dlg beat`: the table of the commands for assets of BEAT, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dlg import settings
from dlg.exceptions import UsageError
from dlg_engine.cli.group import HELP, CommandTable, Entry

BEAT_COMMANDS: Mapping[str, Entry] = {
    "list": Entry("dlg_engine.cli.beat_assets:list_", "List the assets of a prefix."),
    "show": Entry("dlg_engine.cli.beat_show:show", "Tell what an asset is."),
    "check": Entry("dlg_engine.cli.beat_assets:check", "Find everything that is wrong."),
    "run": Entry("dlg_engine.cli.beat_run:run", "Run an experiment on this machine."),
    "results": Entry("dlg_engine.cli.beat_results:results", "Show what an experiment found."),
    "plot": Entry("dlg_engine.cli.beat_results:plot_", "Plot what an experiment found."),
    "hash": Entry("dlg_engine.cli.beat_assets:hash_", "Print the hashes of assets and blocks."),
    "draw": Entry("dlg_engine.cli.beat_draw:draw", "Draw a toolchain or an experiment."),
    "new": Entry("dlg_engine.cli.beat_files:new", "Begin a new asset."),
    "export": Entry("dlg_engine.cli.beat_files:export", "Copy an asset and what it needs."),
    "scheduler": Entry(
        "dlg_engine.cli.beat_scheduling:scheduler", "Give the blocks of experiments to workers."
    ),
    "worker": Entry("dlg_engine.cli.beat_scheduling:worker", "Run blocks for a scheduler."),
    "schedule": Entry("dlg_engine.cli.beat_asking:schedule", "Schedule an experiment."),
    "jobs": Entry("dlg_engine.cli.beat_asking:jobs", "List the experiments of a scheduler."),
    "cancel": Entry("dlg_engine.cli.beat_asking:cancel", "Cancel an experiment."),
}
"""The commands of the group: where each is, and its line of help."""

SECTIONS: Mapping[str, str] = {
    "list": "Commands for assets",
    "scheduler": "Commands for jobs on several hosts",
}
"""The sections of `dlg beat --help`, by the command that each begins with."""

EXAMPLES = """
Examples:
  dlg beat list experiment                              what there is to run
  dlg beat check                                        is everything right in here?
  dlg beat draw user/user/tc/1/exp -o exp.svg           look at an experiment

Assets are in a prefix: --prefix, the setting `prefix`, or the current directory.
"""
FOLDERS_LIKE = ("dataformats", "algorithms", "toolchains", "experiments", "databases")


@click.group(
    cls=CommandTable,
    table=BEAT_COMMANDS,
    sections=SECTIONS,
    plugins_of="",
    epilog=EXAMPLES,
    context_settings=HELP,
)
def beat() -> None:
    """Work with the assets of BEAT: look, check, copy, run."""


def prefix_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that says which prefix to work on."""
    return click.option(
        "--prefix", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help="The prefix, if not that of the settings or the current directory.",
    )(command)  # fmt: skip


def chosen_prefix(prefix: Path | None, *, to_write: bool = False) -> str:
    """Return the prefix that is meant; raise `UsageError` if it holds no assets.

    To write, it need not hold any yet.
    """
    found = prefix or settings.current().prefix or Path.cwd()
    if not to_write and not any((found / folder).is_dir() for folder in FOLDERS_LIKE):
        raise UsageError(
            f"{found} is no prefix: it has none of the folders {', '.join(FOLDERS_LIKE)}; "
            "name one by --prefix, DLG_PREFIX or the setting `prefix`"
        )
    return str(found)
