"""`dlg cluster`: which nodes a manager has, and how they fare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from dlg.support.examples import ExampleCommand
from dlg_engine.cli.connection import Wanted, json_option, manager_options
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import amount, clock_time, table_lines

EXAMPLES = """
Examples:
  dlg cluster                      below the manager of this host
  dlg cluster -H head -P 8002 --json
"""

HEAD = ("NODE", "ISLAND", "STATE", "CPUS", "LOAD", "MEMORY", "OF", "DISK FREE", "RUNNING",
        "SESSIONS", "SINCE")  # fmt: skip


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@manager_options
@json_option
def cluster(*, at: Wanted, as_json: bool) -> None:
    """Tell who is there: islands and nodes, their load, memory and sessions."""
    found = at.find().client.cluster()
    if as_json:
        click.echo(json.dumps(found))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['level']} {found['name']} at {found['url']}"
    for island in found["islands"]:
        if not island["alive"]:
            yield click.style(f"island {island['name']} does not answer", fg="red")
    if not found["nodes"]:
        yield "no nodes yet: start some with  dlg nm"
        return
    yield ""
    yield from table_lines(HEAD, [_row(node) for node in found["nodes"]])


def _row(node: Mapping[str, Any]) -> tuple[str, ...]:
    alive = bool(node["alive"])
    state = click.style("alive", fg="green") if alive else click.style("lost", fg="red")
    load = node.get("load")
    return (
        str(node["name"]),
        str(node.get("island") or "-"),
        state,
        _number(node.get("cpus")),
        "-" if load is None else f"{load:.2f}",
        amount(node.get("memory_used")),
        amount(node.get("memory_total")),
        amount(node.get("disk_free")),
        _number(node.get("running")),
        _number(node.get("sessions")),
        clock_time(node.get("since")),
    )


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:,}"
