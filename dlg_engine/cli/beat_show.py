"""`dlg beat show`: what an asset is, in words and tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from dlg.beat.algorithm import Algorithm
from dlg.beat.asset import Asset, CodeAsset
from dlg.beat.catalogue import Catalogue
from dlg.beat.database import Database
from dlg.beat.dataformat import DataFormat
from dlg.beat.declarations import dumps
from dlg.beat.experiment import Experiment
from dlg.beat.library import Library
from dlg.beat.plotter import Plotter
from dlg.beat.plotterparameter import Plotterparameter
from dlg.beat.protocoltemplate import ProtocolTemplate
from dlg.beat.toolchain import Toolchain
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.beat_names import completes
from dlg_engine.cli.group import HELP, USAGE
from dlg_engine.cli.tables import table_lines

EXAMPLES = """
Examples:
  dlg beat show user/sum/1                     its inputs, outputs, parameters, libraries
  dlg beat show user/user/tc/1/exp             its blocks in the order to run them
  dlg beat show toolchains/user/tc/1 --json    the declaration
"""
NONE = "-"


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("name", shell_complete=completes())
@prefix_option
@click.option("--json", "as_json", is_flag=True, help="Print the declaration.")
@click.option("--code", "as_code", is_flag=True, help="Print the code.")
def show(*, name: str, prefix: Path | None, as_json: bool, as_code: bool) -> int:
    """Tell what the asset NAME is; the exit code is 2 if it is not valid."""
    catalogue = Catalogue(chosen_prefix(prefix))
    named = catalogue.find(name)
    asset = catalogue.load(named)
    if as_json:
        click.echo(dumps(asset.data))
    elif as_code:
        click.echo(_code(asset), nl=False)
    else:
        click.echo(
            f"{named.kind} {asset.name}" + (f": {asset.description}" if asset.description else "")
        )
        for line in _facts(asset) if asset.valid else _errors(asset):
            click.echo(line)
    return 0 if asset.valid else USAGE


def _code(asset: Asset) -> str | bytes:
    if isinstance(asset, CodeAsset) and asset.code:
        return asset.code
    raise click.UsageError(f"{asset.kind} {asset.name} has no code")


def _errors(asset: Asset) -> Iterator[str]:
    yield "it is not valid:"
    for text in asset.errors:
        yield "  " + text.replace("\n", "\n  ")


def _facts(asset: Asset) -> Iterator[str]:
    for kind, tell in TELLERS.items():
        if isinstance(asset, kind):
            yield from tell(asset)
    yield f"hash: {asset.hash()}"
    if asset.documentation:
        yield ""
        yield asset.documentation.rstrip()


def _dataformat(asset: DataFormat) -> Iterator[str]:
    rows = [(name, _type_name(field)) for name, field in asset.resolved.items()]
    if rows:
        yield from table_lines(("field", "type"), rows)
    if asset.extends:
        yield f"extends: {asset.extends}"


def _type_name(field: Any) -> str:
    if isinstance(field, list):
        sizes = "".join(f"[{size or ''}]" for size in field[:-1])
        return _type_name(field[-1]) + sizes
    return field.name if isinstance(field, DataFormat) else str(field)


def _algorithm(asset: Algorithm) -> Iterator[str]:
    kind = (
        "analyzer" if asset.isAnalyzer else "splittable" if asset.splittable else "not splittable"
    )
    yield f"type: {asset.type}, API {asset.api_version}, {asset.language}, {kind}"
    rows = [
        (str(index), what.removesuffix("s"), name, one["type"])
        for index, group in enumerate(asset.groups, 1)
        for what in ("inputs", "outputs", "loop")
        for name, one in group.get(what, {}).items()
    ]
    rows += [(NONE, "result", name, one["type"]) for name, one in (asset.results or {}).items()]
    yield from table_lines(("group", "what", "name", "type"), rows)
    yield from _parameters(asset.parameters or {})
    yield from _uses(asset.uses)


def _parameters(parameters: Mapping[str, Any]) -> Iterator[str]:
    plain = json.loads(dumps(parameters))  # numbers and types of numpy as they are declared
    rows = [
        (
            name,
            one["type"],
            json.dumps(one["default"]) if "default" in one else NONE,
            json.dumps(one.get("choice") or one["range"])
            if {"choice", "range"} & one.keys()
            else NONE,
        )
        for name, one in plain.items()
    ]
    if rows:
        yield from table_lines(("parameter", "type", "default", "choice or range"), rows)


def _uses(uses: Mapping[str, str]) -> Iterator[str]:
    for alias, name in uses.items():
        yield f"uses: {name} as {alias}"


def _plotter(asset: Plotter) -> Iterator[str]:
    yield f"draws: {asset.data['dataformat']}"
    yield from _parameters(asset.parameters or {})
    yield from _uses(asset.uses)


def _database(asset: Database) -> Iterator[str]:
    yield f"root folder: {asset.data['root_folder']}"
    if asset.environment:
        yield "environment: {name} ({version})".format_map(asset.environment)
    if asset.is_database_rawdata_access_enabled:
        yield "algorithms may read its files"
    rows = [
        (protocol, name, output, form)
        for protocol in asset.protocol_names
        for name, one in asset.sets(protocol).items()
        for output, form in one["outputs"].items()
    ]
    yield from table_lines(("protocol", "set", "output", "format"), rows)


def _library(asset: Library) -> Iterator[str]:
    yield f"language: {asset.language}"
    yield from _uses(asset.uses)


def _protocoltemplate(asset: ProtocolTemplate) -> Iterator[str]:
    rows = [
        (one["name"], output, form)
        for one in asset.sets()
        for output, form in one["outputs"].items()
    ]
    yield from table_lines(("set", "output", "format"), rows)


def _plotterparameter(asset: Plotterparameter) -> Iterator[str]:
    yield f"plotter: {asset.data['plotter']}"
    rows = [(name, str(value)) for name, value in asset.data["data"].items()]
    if rows:
        yield from table_lines(("parameter", "value"), rows)


def _toolchain(asset: Toolchain) -> Iterator[str]:
    for name, dataset in asset.datasets.items():
        yield f"dataset {name}: {', '.join(dataset['outputs'])}"
    order = asset.execution_order()
    kinds = {node.name: node.kind.name.lower() for node in asset.wiring.running()}
    rows = [(name, kinds[name], ", ".join(sorted(needs)) or NONE) for name, needs in order.items()]
    if rows:
        yield from table_lines(("in this order", "kind", "after"), rows)


def _experiment(asset: Experiment) -> Iterator[str]:
    for name, one in asset.data["datasets"].items():
        yield f"dataset {name}: {one['database']}, protocol {one['protocol']}, set {one['set']}"
    rows = []
    for name, one in asset.setup().items():
        configuration = one["configuration"]
        algorithms = [configuration["algorithm"]]
        if "loop" in configuration:
            algorithms.append(configuration["loop"]["algorithm"])
        environment = configuration["environment"]
        rows.append(
            (
                name,
                " + ".join(algorithms),
                ", ".join(sorted(one["dependencies"])) or NONE,
                str(configuration["nb_slots"]),
                configuration["queue"],
                f"{environment['name']} ({environment['version']})",
            )
        )
    head = ("in this order", "algorithm", "after", "slots", "queue", "environment")
    yield from table_lines(head, rows)


TELLERS: Mapping[type[Asset], Callable[[Any], Iterator[str]]] = {
    DataFormat: _dataformat,
    Library: _library,
    Algorithm: _algorithm,
    Plotter: _plotter,
    Plotterparameter: _plotterparameter,
    ProtocolTemplate: _protocoltemplate,
    Database: _database,
    Toolchain: _toolchain,
    Experiment: _experiment,
}
"""What tells of the assets of a kind."""
