"""`dlg store`: what is kept of earlier runs, whether it is whole, and what may go."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg.support.paths import default_store
from dlg_engine.cli.group import FAILED, HELP
from dlg_engine.cli.tables import amount, clock_time, table_lines
from dlg_engine.reuse import upkeep
from dlg_engine.reuse.store import Store, is_store

SHOWN = 20
SHORT = 12
"""How many digits of a key are shown."""
SIZES: Mapping[str, int] = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
AGES: Mapping[str, float] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

GC_EXAMPLES = """
Examples:
  dlg store gc --dry-run --max-size 10G --max-age 30d    what would go
  dlg store gc --max-size 10G                            what was used last stays
"""

WHERE = click.option(
    "--store", "root", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="The directory of the store, if it is not that of the settings' root.",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Amount(click.ParamType[float]):
    """A number with a unit of a table."""

    def __init__(self, name: str, units: Mapping[str, float], tail: str) -> None:
        self.name, self._units = name, units
        self._form = re.compile(rf"(\d+(?:\.\d+)?)\s*([{''.join(units)}]?){tail}", re.IGNORECASE)

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number in bytes or seconds."""
        if not isinstance(value, str):
            return float(value)
        match = self._form.fullmatch(value.strip())
        unit = match[2] if match else ""
        known = {name.lower(): factor for name, factor in self._units.items()}
        if match is None or unit.lower() not in known:
            units = ", ".join(name for name in self._units if name)
            self.fail(f"{value!r}: a number and one of {units} is expected", param, ctx)
        return float(match[1]) * known[unit.lower()]


SIZE = _Amount("size", SIZES, "(?:i?B)?")
AGE = _Amount("age", AGES, "")


@click.group(context_settings=HELP)
def store() -> None:
    """Look after what `dlg run --reuse` keeps of runs, to use it again."""


@store.command(context_settings=HELP)
@WHERE
@click.option("--all", "show_all", is_flag=True, help="List all entries, not the first few.")
@AS_JSON
def ls(*, root: Path | None, show_all: bool, as_json: bool) -> None:
    """List what is in the store, the last used first."""
    where = _opened(root)
    found = upkeep.listed(where)
    if as_json:
        click.echo(json.dumps({"store": str(where.root), "entries": [_record(e) for e in found]}))
        return
    shown = found if show_all else found[:SHOWN]
    rows = [
        (e.entry.key[:SHORT], e.entry.form, amount(e.entry.size), clock_time(e.used), e.entry.app)
        for e in shown
    ]
    for line in table_lines(("key", "form", "size", "last used", "made by"), rows):
        click.echo(line)
    if len(found) > len(shown):
        click.echo(f"and {len(found) - len(shown):,} more: --all lists them")
    total = sum(e.file_size for e in found) + sum(
        {e.entry.content: e.entry.size for e in found if e.entry.held is None}.values()
    )
    click.echo(f"{len(found):,} entries, {amount(total)}, in {where.root}")


@store.command(context_settings=HELP, short_help="Name what is not as it was put there.")
@WHERE
@AS_JSON
def verify(*, root: Path | None, as_json: bool) -> int:
    """Read all that is in the store, and name what is not as it was put there.

    The exit code is 1 if there is any. It is never used, and `dlg store gc` or the next use of it
    clears it away.
    """
    where = _opened(root)
    found = list(upkeep.verify(where))
    if as_json:
        damages = [{"key": d.key, "path": str(d.path), "reason": d.reason} for d in found]
        click.echo(json.dumps({"store": str(where.root), "damaged": damages}))
    elif not found:
        click.echo(f"all is well in {where.root}")
    else:
        for damage in found:
            reason = damage.reason.removeprefix(f"entry {damage.key}: ")
            click.echo(f"{damage.key or 'no entry'}: {reason}\n  {damage.path}")
    return FAILED if found else 0


@store.command(
    cls=ExampleCommand, epilog=GC_EXAMPLES, context_settings=HELP,
    short_help="Clear away what was not used for long.",
)  # fmt: skip
@WHERE
@click.option("--max-size", type=SIZE, metavar="SIZE", help="Keep no more than that: 500M, 10G.")
@click.option("--max-age", type=AGE, metavar="AGE", help="Keep what was used since: 12h, 30d.")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and leave it.")
@AS_JSON
def gc(
    *,
    root: Path | None,
    max_size: float | None,
    max_age: float | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Clear away what was not used for long, and what killed processes have left.

    Without limits only leftovers go. Runs that use the store meanwhile are not disturbed.
    """
    where = _opened(root)
    size = None if max_size is None else int(max_size)
    cleared = upkeep.gc(where, size, max_age, dry_run=dry_run)
    if as_json:
        told = {
            "store": str(where.root), "dry_run": dry_run,
            "entries": [one.entry.key for one in cleared.entries],
            "contents": cleared.contents, "leftovers": cleared.leftovers,
            "freed": cleared.freed, "kept": cleared.kept,
        }  # fmt: skip
        click.echo(json.dumps(told))
        return
    done = "would go" if dry_run else "gone"
    click.echo(
        f"{len(cleared.entries):,} entries and {cleared.leftovers:,} leftovers {done}: "
        f"{amount(cleared.freed)}; {amount(cleared.kept)} kept in {where.root}"
    )


def _opened(root: Path | None) -> Store:
    """Return the store; raise `UsageError` if there is none, as looking must not make one."""
    where = root or default_store()
    if not where.is_dir():
        raise UsageError(f"there is no store {where}: dlg run --reuse makes one")
    if not is_store(where):
        raise UsageError(f"{where} is no store: dlg run --reuse makes one")
    return Store(where)


def _record(one: upkeep.Listed) -> dict[str, Any]:
    entry = one.entry
    return {
        "key": entry.key, "content": entry.content, "size": entry.size, "form": entry.form,
        "made": entry.made, "used": one.used, "app": entry.app, "node": entry.node,
        "session": entry.session,
    }  # fmt: skip
