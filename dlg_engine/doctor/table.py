"""All checks, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from dlg_engine.doctor import databases, keys, network, nodes, ports, resources, software
from dlg_engine.doctor.contract import Check, Finding, Scope

CHECKS: tuple[Check[Any], ...] = (
    software.SETTINGS,
    software.SOFTWARE,
    resources.DISKS,
    resources.LIMITS,
    ports.CHECK,
    network.NAME,
    network.MULTICAST,
    network.ZEROCONF,
    keys.CHECK,
    software.DOCKER,
    databases.CHECK,
    nodes.NODES,
    nodes.VERSIONS,
    nodes.CLOCKS,
)


def examine(scope: Scope, only: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what each check finds, or each of those that are wanted."""
    for check in CHECKS:
        if not only or check.name in only:
            yield Finding(check.name, check.run(scope))
