"""`dlg repro verify`: whether what a run has left behind is still what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from dlg.exceptions import UsageError
from dlg.reproducibility.verify import Checked, Wrong, verify_run
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import FAILED, HELP
from dlg_engine.cli.tables import table_lines
from dlg_engine.recovery.about import About
from dlg_engine.recovery.verifying import verify_session
from dlg_engine.sessions.evidence import FILE

EXAMPLES = """
Examples:
  dlg run my.graph --repro all
  dlg repro verify dlg-runs/my-20260101T120000-0a1b2c
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("run_path", metavar="RUN", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(*, run_path: Path, as_json: bool) -> int:
    """Compute every hash of RUN once more, and name what is not what it was.

    RUN is the directory of a session, or its reprodata.out. Looked at are the evidence (what was
    run with --repro), the files that it names, the journal (--resumable) and what the session has
    put into a store (--reuse). The exit code is 1 if anything has changed.
    """
    checked = Checked()
    found = list(_wrong(run_path, checked))
    if as_json:
        told = [
            {"drop": w.drop, "what": w.what, "file": w.file, "reason": w.reason} for w in found
        ]
        counts = {"hashes": checked.hashes, "not_kept": checked.not_kept}
        click.echo(json.dumps({"run": str(run_path), **counts, "wrong": told}))
        return FAILED if found else 0
    if found:
        rows = [(w.drop or "the run", w.what, w.reason) for w in found]
        for line, w in zip(_with_head(rows), [None, *found], strict=True):
            click.echo(line if w is None else f"{line}\n  {w.file}")
        click.echo("")
    well = f"{len(found)} of them wrong" if found else "all is as it was"
    click.echo(f"{checked.hashes:,} hashes computed again: {well}")
    if checked.not_kept:
        what = "content is" if checked.not_kept == 1 else "contents are"
        click.echo(f"{checked.not_kept:,} {what} in no file that could be looked at")
    return FAILED if found else 0


def _with_head(rows: list[tuple[str, str, str]]) -> list[str]:
    return list(table_lines(("drop", "what", "why"), rows))


def _wrong(path: Path, checked: Checked) -> Iterator[Wrong]:
    file = path / FILE if path.is_dir() else path
    about = About(path if path.is_dir() else path.parent)
    session = path.is_dir() and about.place.is_dir()
    if file.is_file():
        try:
            yield from verify_run(file, checked)
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from error
    elif not session:
        text = "it was run with none of --repro, --resumable and --reuse"
        raise UsageError(f"{path} has left nothing that could be verified: {text}")
    if session:
        yield from verify_session(about, checked)
