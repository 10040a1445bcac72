"""`dlg explain`: why a drop was made again, or was not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.resume import session_directory
from dlg_engine.cli.run import WORKDIR
from dlg_engine.cli.tables import table_lines
from dlg_engine.recovery.about import About
from dlg_engine.recovery.explaining import EVIDENCE, Explanation, explain, known_of

SHOWN = 10
WIDE = 40
EXAMPLES = """
Examples:
  dlg run my.graph --reuse
  dlg explain fit                                    in the last session here
  dlg explain fit --run my-20260101T120000-0a1b2c --with my-20251231T120000-3d4e5f
"""


@click.command("explain", cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("drop")
@click.option("--run", metavar="SESSION", help="In this session, by name or directory.")
@click.option("--with", "other", metavar="SESSION", help="Compared with this one.")
@click.option(
    "--workdir", type=click.Path(file_okay=False, path_type=Path), default=WORKDIR,
    show_default=True, metavar="DIR", help="Where the directories of sessions are.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain_(
    *, drop: str, run: str | None, other: str | None, workdir: Path, as_json: bool
) -> None:
    """Say why DROP was run again, or was not: which code, input or parameter has changed.

    DROP is an oid or a name; of data, the app that makes it is looked at. Sessions are known by
    what they have left, so they must have been run with --reuse, --resumable or --repro. If none
    is named it is the last one in DIR, compared with the one before it that had the drop.
    """
    session = known_of(session_directory(run, workdir) if run else _last(workdir))
    compared = known_of(session_directory(other, workdir)) if other else None
    found = explain(session, drop, compared)
    if as_json:
        click.echo(json.dumps({"run": session.name, **_record(found)}, default=repr))
        return
    for line in _lines(session.name, found):
        click.echo(line)


def _last(workdir: Path) -> Path:
    """Return the last session in a directory that has left anything."""
    places = [p for p in workdir.iterdir() if p.is_dir()] if workdir.is_dir() else []
    begun = {
        place: About(place).how().began if About(place).is_there else place.stat().st_mtime
        for place in places
        if About(place).is_there or (place / EVIDENCE).is_file()
    }
    if not begun:
        cure = "run one with --reuse, --resumable or --repro"
        raise UsageError(f"no session in {workdir} can be explained: {cure}")
    return max(begun, key=lambda place: begun[place]).absolute()


def _record(found: Explanation) -> dict[str, Any]:
    causes = [
        {"drop": c.drop, "what": c.what, "before": c.before, "now": c.now, "way": list(c.way)}
        for c in found.causes
    ]
    return {
        "drop": found.drop, "what": found.what, "why": found.why, "earlier": found.earlier,
        "causes": causes,
    }  # fmt: skip


def _lines(session: str, found: Explanation) -> Iterator[str]:
    yield f"{found.drop} {found.what} in {session}: {found.why}"
    if not found.causes:
        return
    yield ""
    rows = [(c.drop or "-", c.what, _short(c.before), _short(c.now)) for c in found.causes[:SHOWN]]
    yield from table_lines(("drop", "what", f"in {found.earlier}"[:WIDE], "now"), rows)
    if len(found.causes) > SHOWN:
        yield f"... and {len(found.causes) - SHOWN} more (--json lists them)"
    way = found.causes[0].way
    if len(way) > 1:
        yield ""
        yield f"which led to it by {_shortened(way)}"


def _shortened(way: tuple[str, ...]) -> str:
    shown = way if len(way) <= SHOWN else (*way[:4], "...", *way[-4:])
    return " -> ".join(shown)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    text = text.replace("\n", "\\n")
    return text if len(text) <= WIDE else f"{text[: WIDE - 3]}..."
