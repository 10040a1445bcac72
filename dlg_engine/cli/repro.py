"""`dlg repro`: whether two runs are the same, and what a run says of its drops."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlg.exceptions import NoDropException, UsageError
from dlg.reproducibility.compare import Comparison, Difference, compare_runs
from dlg.reproducibility.evidence import STRICT, Run, run_of
from dlg.reproducibility.export.crate import UNLICENSED, write_crate
from dlg.reproducibility.export.facts import facts_of
from dlg.reproducibility.export.prov_json import to_prov_json
from dlg.reproducibility.levels import SEVEN, Level, parse_level
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.evidence import fetch
from dlg_engine.cli.group import FAILED, HELP
from dlg_engine.cli.tables import table_lines
from dlg_engine.cli.verifying import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "reprodata.out"
SHOWN = 20
"""How many causes are listed unless all are asked for."""
WIDE = 40
"""How much of a value is shown in a table."""

EXAMPLES = """
Examples:
  dlg run my.graph --repro all
  dlg repro compare dlg-runs/my-20260101T120000-0a1b2c dlg-runs/my-20260102T120000-3d4e5f
  dlg repro compare A B --level RECOMPUTE --json
"""
SHOW_EXAMPLES = """
Examples:
  dlg repro show dlg-runs/my-20260101T120000-0a1b2c            the signatures of the run
  dlg repro show dlg-runs/my-20260101T120000-0a1b2c -d mean    what counts of one drop
"""

EXPORT_EXAMPLES = """
Examples:
  dlg repro export dlg-runs/my-20260101T120000-0a1b2c --format prov-json -o run.json
  dlg repro export dlg-runs/my-20260101T120000-0a1b2c --format ro-crate -o crate
"""

RUN_PATH = click.Path(exists=True, path_type=Path)


@click.group(context_settings=HELP)
def repro() -> None:
    """Compare runs, and look at what they left behind."""


repro.add_command(fetch)
repro.add_command(verify)


@repro.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("run_a", type=RUN_PATH)
@click.argument("run_b", type=RUN_PATH)
@click.option("--level", metavar="LEVEL", help="Compare at this level only: a name or number.")
@click.option("--all", "show_all", is_flag=True, help="List all causes, not the first few.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(*, run_a: Path, run_b: Path, level: str | None, show_all: bool, as_json: bool) -> int:
    """Compare RUN_A with RUN_B: directories of sessions, or their reprodata.out.

    Tells at which levels they are the same, and which drops and fields were the first to differ.
    The exit code is 0 if they are the same at all levels asked for, 1 if they are not.
    """
    asked = None if level is None else parse_level(level)
    found = compare_runs(read_run(run_a), read_run(run_b), asked)
    if as_json:
        click.echo(json.dumps(as_record(found), indent=1, default=repr))
    else:
        for line in as_text(found, len(found.causes) if show_all else SHOWN):
            click.echo(line)
    return 0 if found.same else FAILED


@repro.command(cls=ExampleCommand, epilog=SHOW_EXAMPLES, context_settings=HELP)
@click.argument("run_path", metavar="RUN", type=RUN_PATH)
@click.option("-d", "--drop", metavar="OID", help="Show what counts of this drop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(*, run_path: Path, drop: str | None, as_json: bool) -> None:
    """Show the signatures of RUN, or what counts of one of its drops."""
    run = read_run(run_path)
    found = _signatures(run) if drop is None else _record_of(run, drop)
    if as_json:
        click.echo(json.dumps(found, indent=1, default=repr))
        return
    if drop is None:
        rows = [(name, signature or "not known") for name, signature in found.items()]
        lines = table_lines(("level", "signature"), rows)
    else:
        lines = table_lines(("part", "field", "value"), list(_fields(found)))
    for line in lines:
        click.echo(line)


@repro.command(cls=ExampleCommand, epilog=EXPORT_EXAMPLES, context_settings=HELP)
@click.argument("run_path", metavar="RUN", type=RUN_PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(("prov-json", "ro-crate")),
    required=True,
    help="W3C PROV-JSON, a file, or a Workflow Run RO-Crate, a new directory.",
)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), required=True, metavar="OUT",
    help="The file or directory to write.",
)  # fmt: skip
@click.option("--license", "licence", default=UNLICENSED, metavar="TEXT",
              help="How a crate may be used: an address, or words.")  # fmt: skip
def export(*, run_path: Path, form: str, target: Path, licence: str) -> None:
    """Tell what RUN read, made and ran, and when, in a form that others know.

    This needs two libraries: pip install 'dlg[provenance]'.
    """
    facts = facts_of(read_run(run_path))
    if form == "ro-crate":
        write_crate(facts, run_path / FILE if run_path.is_dir() else run_path, target, licence)
        return
    written = to_prov_json(facts)
    try:
        target.write_bytes(written)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error


def read_run(path: Path) -> Run:
    """Return the run that a file, or the directory of a session, tells of."""
    file = path / FILE if path.is_dir() else path
    try:
        return run_of(json.loads(file.read_bytes()))
    except OSError as error:
        cure = f": was it run with --repro? {file.name} is missing" if path.is_dir() else ""
        raise UsageError(f"cannot read {path}{cure or f': {error.strerror}'}") from error
    except ValueError as error:
        raise UsageError(f"{file} is no JSON: {error}") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error


def as_record(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    return {
        "same": found.same,
        "levels": {level.name: same for level, same in found.levels.items()},
        "causes": [
            {
                "drop": d.drop, "layer": d.layer, "field": d.field, "left": d.left,
                "right": d.right, "levels": [level.name for level in d.levels],
                "follows": d.follows,
            }
            for d in found.causes
        ],
        "consequences": found.consequences,
        "only_left": list(found.only_left),
        "only_right": list(found.only_right),
    }  # fmt: skip


def as_text(found: Comparison, shown: int) -> Iterator[str]:
    """Yield a comparison as lines for people."""
    known = found.levels
    words = {True: "same", False: "different", None: "not known"}
    yield from table_lines(
        ("level", "runs"),
        [(one.name, words[known.get(one)]) for one in SEVEN if one in known or len(known) > 1],
    )
    if found.causes:
        yield ""
        yield from _causes(found.causes[:shown])
        if len(found.causes) > shown:
            yield f"... and {len(found.causes) - shown} more (--all lists them)"
    if found.consequences:
        yield ""
        yield f"{found.consequences} more drops came out otherwise after these"
    for side, oids in (("first", found.only_left), ("second", found.only_right)):
        if oids:
            named = ", ".join(oids[:shown])
            yield f"{len(oids)} drops are only in the {side} run: {named}"


def _causes(causes: Sequence[Difference]) -> Iterator[str]:
    rows = [
        (d.drop, f"{d.layer} {d.field}", _short(d.left), _short(d.right), _levels(d.levels))
        for d in causes
    ]
    yield from table_lines(("drop", "what", "first run", "second run", "matters at"), rows)


def _levels(levels: Sequence[Level]) -> str:
    basic = [level.name for level in levels if level not in _JOINT]
    return ", ".join(basic or [level.name for level in levels])


_JOINT = frozenset({Level.REPLICATE_SCI, Level.REPLICATE_COMP, Level.REPLICATE_TOTAL})


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    text = text.replace("\n", "\\n")
    return text if len(text) <= WIDE else f"{text[: WIDE - 3]}..."


def _signatures(run: Run) -> dict[str, str | None]:
    return {level.name: run.signature(level) for level in SEVEN if level.name in run.data}


def _record_of(run: Run, oid: str) -> Mapping[str, Any]:
    if oid not in run.drops:
        raise NoDropException(oid, "the run has no such drop")
    record: Mapping[str, Any] = run.drops[oid].get("reprodata", {})
    found: Mapping[str, Any] = record.get(STRICT, record)
    return found


def _fields(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for part, held in record.items():
        for name, value in held.items() if isinstance(held, Mapping) else [("", held)]:
            yield part, name, _short(value)
