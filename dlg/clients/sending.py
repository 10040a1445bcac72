"""What those share who send calls of Python functions to the nodes of a manager.

Functions and values travel as pickles, functions of the user's own modules with their code:
whoever lets graphs in lets code in. The other way it is not so: a pickle from a manager is opened
only if the manager is on this host or has shown the certificate that is expected of it, unless the
user trusts the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from dlg.clients.access import find_access
from dlg.clients.http import ON_THIS_HOST
from dlg.clients.managers import DataIslandManagerClient, ManagerClient
from dlg.exceptions import DaliugeException, UsageError

SLACK = 1.1
"""How much more than its share a node may get, so that calls stay beside what they need."""


class UntrustedManagerError(UsageError):
    """Results would come from a manager that may be anybody."""


def connect(manager: str, *, trust: bool) -> DataIslandManagerClient:
    """Return a client of the manager at `host:port`; refuse a text that names none.

    Raises `UntrustedManagerError` if nothing shows that pickles of it may be opened, unless the
    caller has `trust`.
    """
    try:
        parts = urlsplit(f"//{manager}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.path:
        raise UsageError(f"{manager!r} is no manager; one is written host:port")
    access = find_access(host, port)
    client = DataIslandManagerClient(host, port, token=access.token, tls=access.tls, timeout=600.0)
    if not (trust or may_open_pickles(client)):
        raise UntrustedManagerError(
            f"results of {client.link.url} would be pickles, which run code, and nothing shows "
            "that it is yours: use the file of a cluster with a certificate, or say trust=True"
        )
    return client


def may_open_pickles(client: ManagerClient) -> bool:
    """Return whether who answers is known: this host, or the owner of the certificate."""
    return client.link.host in ON_THIS_HOST or client.link.tls is not None


def nodes_of(client: DataIslandManagerClient) -> list[str]:
    """Return the nodes of a manager; a node is its only one."""
    about = client.info()
    nodes = [str(about["node"])] if "node" in about else client.nodes()
    if not nodes:
        raise UsageError(f"the manager at {client.link.url} has no nodes yet")
    return nodes


def spread(needs: Iterable[Sequence[int]], count: int) -> list[int]:
    """Return which of `count` nodes makes each call: where its first input is, unless too full.

    `needs` are, in an order in which they can be made, the earlier calls that each needs.
    """
    listed = list(needs)
    share = max(1.0, len(listed) / count * SLACK)
    loads, home = [0] * count, [0] * len(listed)
    for call, before in enumerate(listed):
        near = next((home[one] for one in before if loads[home[one]] < share), None)
        home[call] = loads.index(min(loads)) if near is None else near
        loads[home[call]] += 1
    return home


def forget(client: ManagerClient, session_id: str, error: BaseException | None) -> None:
    """Let the manager forget a session, which cancels it if it runs; `error` is on its way."""
    try:
        client.destroy_session(session_id)
    except DaliugeException as second:
        if error is None:
            raise
        error.add_note(f"the session {session_id} could not be deleted: {second}")
