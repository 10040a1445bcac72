"""`dlg beat list`, `check` and `hash`: what is in a prefix, whether it is right, its hashes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from dlg.beat.catalogue import Catalogue, Named
from dlg.beat.code_checks import code_warnings
from dlg.beat.experiment import Experiment
from dlg.beat.prefixes import FOLDERS
from dlg.beat.signatures import experiment_signatures
from dlg.exceptions import InvalidAssetError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.beat_names import completes
from dlg_engine.cli.group import HELP, USAGE
from dlg_engine.cli.tables import table_lines

KINDS = tuple(FOLDERS)


class _Kind(click.Choice[str]):
    """A kind of assets, which may be named as its folder is."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the kind."""
        named = {folder: kind for kind, folder in FOLDERS.items()}
        return super().convert(named.get(value, value), param, ctx)


KIND = _Kind(KINDS)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
COMPAT = click.option(
    "--compat", is_flag=True, help="Judge as the existing packages do, which let more pass."
)

LIST_EXAMPLES = """
Examples:
  dlg beat list                      how many there are of each kind, and their names
  dlg beat list experiment --json

Kinds are dataformat, library, algorithm, protocoltemplate, database, toolchain, experiment,
plotter and plotterparameter.
"""
CHECK_EXAMPLES = """
Examples:
  dlg beat check                     all that is in the prefix
  dlg beat check user/sum/1          one of them, whatever it is
  dlg beat check experiments/user/user/tc/1/exp --compat

The exit code is 2 if something is not valid. Warnings do not count.
"""
HASH_EXAMPLES = """
Examples:
  dlg beat hash user/sum/1
  dlg beat hash --blocks user/user/tc/1/exp     where the results of its blocks are in a cache
"""


class Finding(NamedTuple):
    """What is known of an asset after looking at it."""

    named: Named
    errors: Sequence[str]
    warnings: Sequence[str]


@click.command("list", cls=ExampleCommand, epilog=LIST_EXAMPLES, context_settings=HELP)
@click.argument("kind", type=KIND, required=False, metavar="[KIND]")
@prefix_option
@AS_JSON
def list_(*, kind: str | None, prefix: Path | None, as_json: bool) -> None:
    """List the assets of a prefix, all or those of one KIND."""
    catalogue = Catalogue(chosen_prefix(prefix))
    found = {each: catalogue.names(each) for each in ([kind] if kind else KINDS)}
    if as_json:
        click.echo(
            json.dumps({each: [one.name for one in names] for each, names in found.items()})
        )
        return
    for each, names in found.items():
        if names and not kind:
            click.echo(f"{FOLDERS[each]} ({len(names):,})")
        for one in names:
            click.echo(one.name if kind else f"  {one.name}")


@click.command(cls=ExampleCommand, epilog=CHECK_EXAMPLES, context_settings=HELP)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completes())
@click.option("--kind", type=KIND, help="Only assets of this kind.")
@prefix_option
@COMPAT
@AS_JSON
def check(
    *,
    names: tuple[str, ...],
    kind: str | None,
    prefix: Path | None,
    compat: bool,
    as_json: bool,
) -> int:
    """Find everything that is wrong with the assets named, or with all of a prefix."""
    catalogue = Catalogue(chosen_prefix(prefix), compat)
    kinds = (kind,) if kind else KINDS
    if names:
        chosen = [catalogue.find(name, kinds) for name in names]
    else:
        chosen = [named for each in kinds for named in catalogue.names(each)]
    findings = [_finding(catalogue, named) for named in chosen]
    if as_json:
        click.echo(json.dumps([_record(finding) for finding in findings], indent=1))
    else:
        for line in _told(findings):
            click.echo(line)
    return USAGE if any(finding.errors for finding in findings) else 0


@click.command("hash", cls=ExampleCommand, epilog=HASH_EXAMPLES, context_settings=HELP)
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=completes())
@click.option(
    "--blocks", is_flag=True,
    help="Of experiments: the hashes of outputs, which name files in a cache, and signatures of "
    "blocks, in which all counts that they can depend on.",
)  # fmt: skip
@prefix_option
@AS_JSON
def hash_(*, names: tuple[str, ...], blocks: bool, prefix: Path | None, as_json: bool) -> None:
    """Print the hash of each asset NAMEd: of its declaration, without description, and code."""
    catalogue = Catalogue(chosen_prefix(prefix))
    kinds = ("experiment",) if blocks else KINDS
    loaded = [catalogue.load(catalogue.find(name, kinds)) for name in names]
    if not blocks:
        hashes = {asset.name: asset.hash() for asset in loaded}
        click.echo(json.dumps(hashes) if as_json else _lines(hashes))
        return
    digests = {
        asset.name: _block_hashes(asset) for asset in loaded if isinstance(asset, Experiment)
    }
    if as_json:
        click.echo(json.dumps(digests))
        return
    for found in digests.values():
        rows = [
            (block, output, digest, one["signature"])
            for block, one in found.items()
            for output, digest in one["outputs"].items()
        ]
        for line in table_lines(("block", "output", "hash", "signature of the block"), rows):
            click.echo(line)


def _finding(catalogue: Catalogue, named: Named) -> Finding:
    try:
        asset = catalogue.load(named)
    except InvalidAssetError as error:
        return Finding(named, [str(error)], [])
    return Finding(named, asset.errors, [*code_warnings(asset)] if asset.valid else [])


def _record(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.named.kind,
        "name": finding.named.name,
        "valid": not finding.errors,
        "errors": list(finding.errors),
        "warnings": list(finding.warnings),
    }


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        for text in finding.errors:
            yield f"{finding.named}: {_indented(text)}"
        for text in finding.warnings:
            yield f"{finding.named}: warning: {_indented(text)}"
    invalid = Counter(bool(finding.errors) for finding in findings)[True]
    if not findings:
        yield "nothing to check"
    elif invalid:
        yield f"{invalid:,} of {len(findings):,} are not valid{_warned(findings)}"
    elif len(findings) > 1:
        yield f"all {len(findings):,} are valid{_warned(findings)}"
    else:
        yield f"{findings[0].named} is valid{_warned(findings)}"


def _warned(findings: Sequence[Finding]) -> str:
    count = sum(len(finding.warnings) for finding in findings)
    return f"; {count:,} {'warning' if count == 1 else 'warnings'}" if count else ""


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n    ")


def _block_hashes(experiment: Experiment) -> dict[str, dict[str, Any]]:
    signatures = experiment_signatures(experiment)
    return {
        name: {"signature": signatures[name], "outputs": _output_hashes(one["configuration"])}
        for name, one in experiment.setup().items()
    }


def _output_hashes(configuration: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of outputs by the endpoints of the block: algorithms may share names."""
    outputs = [
        *configuration.get("outputs", {}).values(),
        *configuration.get("loop", {}).get("outputs", {}).values(),
    ]
    found = {one["endpoint"]: one["hash"] for one in outputs}
    return found | (
        {"result": configuration["result"]["hash"]} if "result" in configuration else {}
    )


def _lines(hashes: Mapping[str, str]) -> str:
    return "\n".join(f"{digest}  {name}" for name, digest in hashes.items())
