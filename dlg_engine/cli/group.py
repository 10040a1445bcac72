"""A group of commands whose code is imported only when it is used.

The table has a command's place and its line of help, so that listing, completing and misspelling
commands import none of them. What goes wrong becomes an exit code here and nowhere else.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from dlg import plugins
from dlg.exceptions import DaliugeException, RunError
from dlg.support.examples import write_verbatim

GROUP = "dlg.commands"
"""The entry-point group of commands that third parties add."""

USAGE, FAILED, INTERRUPTED = 2, 1, 130
"""The exit codes besides 0: the user's mistake, a run that failed, Ctrl-C."""


class Entry(NamedTuple):
    """Where a command is and what it does."""

    target: str
    help: str


class CommandTable(click.Group):
    """A click group over a table of commands; third parties' are found by entry point."""

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, Entry],
        sections: Mapping[str, str] | None = None,
        plugins_of: str = GROUP,
        **kwargs: Any,
    ) -> None:
        """`sections` gives the title of each section of the help by its first command.

        `plugins_of` is the entry-point group of what others add; "" if nobody may.
        """
        super().__init__(*args, **kwargs)
        self.table, self.sections = table, sections or {}
        self.plugins_of = plugins_of

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names: ours in the order of the table, then those of third parties."""
        return [*self.table, *self._added()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`, imported now, or None if nobody has it."""
        entry = self.table.get(cmd_name)
        if entry is not None:
            return _command(plugins.resolve(entry.target), cmd_name)
        if cmd_name not in self._added():
            return None
        return _command(plugins.find(self.plugins_of, cmd_name), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; name the nearest if there is none."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            cure = f"did you mean {near[0]!r}?" if near else f"see {ctx.command_path} --help"
            raise click.UsageError(f"there is no command {name!r}; {cure}", ctx)
        return name if command else None, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing any."""
        sections: dict[str, list[tuple[str, str]]] = {}
        title = "Commands"
        for name, entry in self.table.items():
            title = self.sections.get(name, title)
            sections.setdefault(title, []).append((name, entry.help))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)
        others = self._added()
        if others:
            with formatter.section("Commands of installed packages"):
                formatter.write_dl(
                    [(name, f"see {ctx.command_path} {name} --help") for name in others]
                )

    def _added(self) -> list[str]:
        """Return the names of the commands that others add."""
        names = plugins.names(self.plugins_of) if self.plugins_of else ()
        return [name for name in names if name not in self.table]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are, without filling their lines."""
        write_verbatim(formatter, self.epilog or "")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that `incomplete` may become, without importing any."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        helps = {name: entry.help for name, entry in self.table.items()}
        found = [CompletionItem(name, help=helps.get(name, "")) for name in names]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return found + [item for item in options if item.value not in names]

    def main(  # type: ignore[override]  # click overloads it on standalone_mode
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line; unless `standalone_mode` is off, end the process with its code."""
        call = super().main
        if not standalone_mode:
            return call(args, prog_name, standalone_mode=False, **extra)
        sys.exit(guarded(lambda: call(args, prog_name, standalone_mode=False, **extra)))


def guarded(work: Callable[[], object]) -> int:
    """Do `work` and return the exit code; print what the user did wrong, without a traceback."""
    try:
        result = work()
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.exceptions.Exit as error:
        return error.exit_code
    except DaliugeException as error:
        click.echo(f"dlg: {error}", err=True)
        return FAILED if isinstance(error, RunError) else USAGE
    except BrokenPipeError:
        # Whoever read our output has gone; a second complaint at exit would be noise.
        _drop_output()
        return FAILED
    except OSError as error:  # a full disk, say: no traceback helps against it
        place = f"{error.filename}: " if error.filename else "cannot write the output: "
        click.echo(f"dlg: {place}{error.strerror or error}", err=True)
        _drop_output()
        return USAGE
    return result if isinstance(result, int) else 0


def _drop_output() -> None:
    """Let what is still to be written to standard output go nowhere, also when we exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(found: object, name: str) -> click.Command:
    if isinstance(found, click.Command):
        return found
    raise plugins.PluginLoadError(f"{name!r} of the group {GROUP} is no click command")


HELP: MutableMapping[str, Any] = {"help_option_names": ["-h", "--help"]}
"""Settings of all our commands."""
