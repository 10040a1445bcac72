"""`dlg beat new` and `export`: begin an asset, and copy one with all that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlg.beat.catalogue import CLASSES, Catalogue
from dlg.beat.prefixes import FOLDERS
from dlg.exceptions import InvalidAssetError, UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.beat_names import completes
from dlg_engine.cli.group import HELP

NEW_EXAMPLES = """
Examples:
  dlg beat new dataformat me/sample/1 --prefix ~/work
  dlg beat new algorithm me/mean/1              a declaration, and code to fill in
"""
EXPORT_EXAMPLES = """
Examples:
  dlg beat export user/user/tc/1/exp ../other      with toolchain, databases, algorithms, ...
"""
MADE = tuple(kind for kind in FOLDERS if kind != "experiment")
"""The kinds that have a prototype: an experiment is about other assets from the start."""


@click.command(cls=ExampleCommand, epilog=NEW_EXAMPLES, context_settings=HELP)
@click.argument("kind", type=click.Choice(MADE))
@click.argument("name")
@prefix_option
def new(*, kind: str, name: str, prefix: Path | None) -> None:
    """Begin an asset of a KIND, named NAME: its files are written, to be changed by you.

    What is there already is never overwritten.
    """
    root = chosen_prefix(prefix, to_write=True)
    asset: Any = CLASSES[kind](root, None)
    asset.name = name
    if asset.storage.json.exists():
        raise UsageError(f"{asset.storage.json.path} exists already")
    if asset.errors and not asset.data:  # there is nothing yet that it could begin with
        raise InvalidAssetError("\n".join(asset.errors))
    asset.write()
    click.echo(asset.storage.json.path)
    code = getattr(asset.storage, "code", None)
    if code is not None and code.exists():
        click.echo(code.path)
    for text in asset.errors:
        click.echo(f"to be mended: {text}", err=True)


@click.command(cls=ExampleCommand, epilog=EXPORT_EXAMPLES, context_settings=HELP)
@click.argument("name", shell_complete=completes())
@click.argument("destination", type=click.Path(file_okay=False, path_type=Path))
@prefix_option
def export(*, name: str, destination: Path, prefix: Path | None) -> None:
    """Copy the asset NAME, with all that it needs, into the prefix DESTINATION."""
    catalogue = Catalogue(chosen_prefix(prefix))
    asset: Any = catalogue.load(catalogue.find(name))
    if not hasattr(asset, "export"):
        asset.write(type(asset).storage_class(str(destination), asset.name))
    else:
        asset.export(str(destination))
    click.echo(f"{asset.kind} {asset.name} is in {destination}", err=True)
