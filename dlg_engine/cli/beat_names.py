"""Completing the names of assets in a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dlg import settings
from dlg.beat.prefixes import FOLDERS, names_in

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completes(*kinds: str) -> Completer:
    """Return what completes the name of an asset of one of `kinds`, or of any kind."""

    def complete(
        ctx: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        prefix = ctx.params.get("prefix") or settings.current().prefix or Path.cwd()
        found: dict[str, str] = {}
        for kind in kinds or tuple(FOLDERS):
            for name in names_in(prefix, kind):
                found.setdefault(name, kind)
        return [
            CompletionItem(name, help=kind)
            for name, kind in sorted(found.items())
            if name.startswith(incomplete)
        ]

    return complete
