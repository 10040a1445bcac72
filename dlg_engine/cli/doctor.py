"""`dlg doctor`: what may be wrong with this host or a cluster, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import click

from dlg.clients import ManagerClient, NodeManagerClient, find_access
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.connection import NoManagerError, Wanted, json_option, manager_options
from dlg_engine.cli.group import FAILED, HELP
from dlg_engine.doctor.contract import Finding, Scope
from dlg_engine.doctor.nodes import TIMEOUT_S
from dlg_engine.doctor.table import CHECKS, examine
from dlg_engine.doctor.verdicts import Outcome, Verdict
from dlg_engine.managers.addresses import read_address

EXAMPLES = """
Examples:
  dlg doctor                            this host, and the cluster that its manager has
  dlg doctor -H head -P 8002            this host, and the nodes of that master
  dlg doctor --nodes host1,host2:8000   ... and these nodes
  dlg doctor --check ports --check keys
  dlg doctor --json                     for programs

Exit codes: 0 nothing is wrong, or only a little (warnings); 1 something will fail.
"""
COLOURS = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.PROBLEM: "red"}
NAMES = click.Choice([check.name for check in CHECKS])


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@manager_options
@click.option(
    "-N", "--nodes", default="", metavar="NODES",
    help="Nodes to be looked at, as host or host:port, with commas between.",
)  # fmt: skip
@click.option(
    "--database", "databases", multiple=True, metavar="URL",
    help="A database that has to be reached, besides those of the settings.",
)  # fmt: skip
@click.option("--check", "only", multiple=True, type=NAMES, help="Make only this check.")
@json_option
def doctor(
    *, at: Wanted, nodes: str, databases: Sequence[str], only: Sequence[str], as_json: bool
) -> int:
    """Find what may be wrong with this host or a cluster, and say what to do.

    It looks at settings, Python, disks, limits, ports, the network, the file of the cluster,
    docker and databases of this host; at whether nodes answer, their releases and their clocks.
    It changes nothing.
    """
    named = [_node(one, at) for one in nodes.split(",") if one.strip()]
    manager, why = (None, "") if named else _manager(at)
    scope = Scope(manager, named, why, databases, at.cluster)
    findings = []
    for finding in examine(scope, only):
        findings.append(finding)
        if not as_json:
            for line in _lines(finding):
                click.echo(line)
    failed = any(finding.is_problem for finding in findings)
    if as_json:
        click.echo(json.dumps({"problems": failed, "checks": [_told(one) for one in findings]}))
    else:
        click.echo(_summary([v for finding in findings for v in finding.verdicts]))
    return FAILED if failed else 0


def _node(text: str, at: Wanted) -> ManagerClient:
    """Return a client of a node that was named."""
    found = read_address(text.strip())
    access = find_access(found.host, found.port, cluster=at.cluster, token_file=at.token_file)
    return NodeManagerClient(
        found.host, found.port, token=access.token, tls=access.tls, timeout=TIMEOUT_S
    )


def _manager(at: Wanted) -> tuple[ManagerClient | None, str]:
    """Return the manager whose nodes are looked at; where nobody was named, perhaps none."""
    try:
        return at.find().client, ""
    except NoManagerError as error:
        if at.host is not None or at.port is not None:
            raise
        return None, str(error).partition(":")[0]


def _lines(finding: Finding) -> Iterator[str]:
    name = finding.check
    for verdict in finding.verdicts:
        outcome = click.style(f"{verdict.outcome:<8}", fg=COLOURS[verdict.outcome])
        yield f"{outcome} {name:<10} {verdict.says}"
        if verdict.todo:
            yield f"{'':<19} -> {verdict.todo}"


def _summary(verdicts: Sequence[Verdict]) -> str:
    counts = [
        f"{number} {outcome}{'s' if number > 1 else ''}"
        for outcome in (Outcome.PROBLEM, Outcome.WARNING)
        if (number := sum(verdict.outcome is outcome for verdict in verdicts))
    ]
    return f"\n{', '.join(counts)}" if counts else "\nall is well"


def _told(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "verdicts": [
            {"outcome": str(one.outcome), "says": one.says, "todo": one.todo}
            for one in finding.verdicts
        ],
    }
