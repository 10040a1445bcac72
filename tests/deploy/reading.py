"""What tests of files under `deploy` share: reading them, and trying the command lines in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from dlg_engine.cli.main import cli

VARIABLE = re.compile(r"\$\(\w+\)")
DEPLOY = Path(__file__).parents[2] / "deploy"


def documents(text: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML text."""
    return [one for one in yaml.safe_load_all(text) if one]


def parse(words: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that `dlg` gets from a command line; fail for one it refuses.

    What Kubernetes fills in is a host, and the directory of the service is one that is here.
    """
    command: click.Command = cli
    rest = [VARIABLE.sub("host", word).replace("/var/lib/dlg", "/") for word in words]
    context = click.Context(cli, info_name="dlg")
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, f"dlg {' '.join(words)}: there is no {name}"
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.parse_args(context, rest)
    return context.params
