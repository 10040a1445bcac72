"""`dlg resume`: go on with a session that failed, was cancelled, or was killed."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import check_place
from dlg_engine.cli.run import WORKDIR, execute, tell, tell_how_to_go_on
from dlg_engine.embedded import resume_session

EXAMPLES = """
Examples:
  dlg run my.graph --resumable
  dlg resume my-20260101T120000-0a1b2c               by the name of the session ...
  dlg resume dlg-runs/my-20260101T120000-0a1b2c      ... or by its directory
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("session")
@click.option(
    "--runner",
    type=click.Choice(["threads", "processes", "inline"]),
    help="Who runs the apps; by default the same as before.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="How many apps at once.")
@click.option(
    "--workdir", type=click.Path(file_okay=False, path_type=Path), default=WORKDIR,
    show_default=True, metavar="DIR", help="Where the directory of the session is.",
)  # fmt: skip
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Cancel the run after so long.",
)
@click.option(
    "--report", "report_file", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE",
    help="Write the report as JSON ('-': to standard output).",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something fails.")
def resume(
    *, session: str, workdir: Path, report_file: str | None, quiet: bool, **changed: object
) -> int:
    """Go on with SESSION, which was run with --resumable, from what is complete.

    Failed drops are run again, and so is what was under way, what has changed since (code, files
    from outside, variables), and everything behind them. The graph and its parameters are those
    of the session. The exit code is that of `dlg run`.
    """
    if report_file is not None:
        check_place(report_file)
    directory = session_directory(session, workdir)
    go = functools.partial(resume_session, directory, **changed)  # type: ignore[arg-type]
    report, code = execute(go, quiet=quiet)
    tell(report, code, report_file, source=str(directory), quiet=quiet)
    if code:
        tell_how_to_go_on(report)
    return code


def session_directory(session: str, workdir: Path) -> Path:
    """Return the directory of a session, given by its path or its name; refuse what is neither."""
    for place in (Path(session), workdir / session):
        if place.is_dir() and session:
            return place.absolute()
    raise UsageError(f"there is no session {session!r}, neither here nor in {workdir}")
