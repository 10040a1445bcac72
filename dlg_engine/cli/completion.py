"""`dlg completion`: what makes a shell complete commands, options and file names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP

EXAMPLES = """
Set it up once:
  bash    dlg completion bash > ~/.local/share/bash-completion/completions/dlg
  zsh     dlg completion zsh > ~/.zfunc/_dlg      (with ~/.zfunc in $fpath)
  fish    dlg completion fish > ~/.config/fish/completions/dlg.fish

or for this shell only, in bash or zsh:
  eval "$(dlg completion bash)"
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish."""
    script = get_completion_class(shell)
    root = ctx.find_root()
    if script is None:  # click has all three; only a broken installation comes here
        raise click.UsageError(f"click knows no shell {shell!r}")
    click.echo(script(root.command, {}, "dlg", "_DLG_COMPLETE").source())
