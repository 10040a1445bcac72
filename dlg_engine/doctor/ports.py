"""The usual ports: who has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dlg.clients.daemon import DAEMON_PORT
from dlg.support.hosts import Listener, listeners
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, warning
from dlg_engine.managers.addresses import (
    EVENTS_PORT,
    ISLAND_PORT,
    MASTER_PORT,
    NODE_PORT,
    RPC_PORT,
)

USUAL: Mapping[int, tuple[str, str]] = {
    NODE_PORT: ("REST of a node", "dlg nm -P PORT"),
    ISLAND_PORT: ("REST of an island", "dlg dim -P PORT"),
    MASTER_PORT: ("REST of a master", "dlg mm -P PORT"),
    EVENTS_PORT: ("news of a node", "dlg nm --event-port PORT"),
    RPC_PORT: ("calls of a node", "dlg nm --rpc-port PORT"),
    DAEMON_PORT: ("REST of a daemon", "dlg daemon -P PORT"),
    8084: ("translator", "dlg tm --port PORT"),
}
"""What each is for, and how another is chosen."""


@dataclass(frozen=True)
class Port:
    """A port of this host."""

    number: int
    owner: Listener | None = None
    """Who listens there; None for nobody."""


def measure(_scope: Scope) -> Sequence[Port]:
    """Return the usual ports, and who has each."""
    found = listeners()
    return [Port(number, found.get(number)) for number in USUAL]


def judge(ports: Sequence[Port]) -> Iterator[Verdict]:
    """Say whether the usual ports are free, or used by managers."""
    free = [str(port.number) for port in ports if port.owner is None]
    if free:
        yield ok(f"free: {', '.join(free)}")
    for port in ports:
        if port.owner is None:
            continue
        what, how = USUAL.get(port.number, ("manager", "another port"))
        if port.owner.is_ours:
            yield ok(f"{port.number} ({what}) is used by {port.owner}")
        else:
            yield warning(
                f"{port.number} ({what}) is taken by {port.owner}",
                f"end that, or use another port: {how}",
            )


CHECK = Check("ports", measure, judge)
