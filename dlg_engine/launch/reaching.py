"""By which address the hosts of a job reach each other."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import closing

from dlg.exceptions import UsageError
from dlg.support.hosts import LOCALHOST, get_local_ip_addr

ANY_PORT = 9
"""Nothing is sent there: the system is only asked which way it would go."""


def own_address(network: str = "", *, alone: bool = False) -> str:
    """Return the address of this host for others: in `network`, or where its name leads.

    If all of the job runs here (`alone`) and no network was named, that is loopback. Raises
    UsageError if this host is not in the network.
    """
    if network:
        return _within(network)
    if alone:
        return LOCALHOST
    try:
        named = socket.gethostbyname(socket.gethostname())
    except OSError:
        named = LOCALHOST
    if not ipaddress.ip_address(named).is_loopback:
        return named
    others = get_local_ip_addr()
    return others[0] if others else LOCALHOST


def _within(network: str) -> str:
    try:
        wanted = ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise UsageError(f"{network!r} is no network, as 10.1.0.0/16: {error}") from error
    found = [one for one in get_local_ip_addr() if ipaddress.ip_address(one) in wanted]
    if not found:
        raise UsageError(f"this host, {socket.gethostname()}, has no address in {network}")
    return found[0]


def address_towards(host: str) -> str:
    """Return the address of this host that `host` sees when it is reached from here."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect((host, ANY_PORT))
        return str(probe.getsockname()[0])
