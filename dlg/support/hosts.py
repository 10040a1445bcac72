"""Addresses of this computer, and addresses as others need them written.

This is the one place that asks psutil for network interfaces.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from dataclasses import dataclass

ANY_ADDRESS = frozenset({"", "*", "0.0.0.0", "::", "[::]"})  # noqa: S104  looked for, not bound
LOCALHOST = "127.0.0.1"


def get_all_ipv4_addresses() -> list[str]:
    """Return the IPv4 addresses of all interfaces of this computer, loopback included."""
    import psutil  # noqa: PLC0415  takes long to load; few programs ask

    interfaces = psutil.net_if_addrs().values()
    return [a.address for found in interfaces for a in found if a.family == socket.AF_INET]


def get_local_ip_addr() -> list[str]:
    """Return the IPv4 addresses of this computer without those of the loopback interface."""
    return [a for a in get_all_ipv4_addresses() if not ipaddress.ip_address(a).is_loopback]


def to_externally_contactable_host(host: str, prefer_local: bool = False) -> str:
    """Return a host by which a service that is bound to `host` can be reached.

    That is `host` itself unless it stands for all interfaces. Then it is this computer's loopback
    address if `prefer_local`, else its first other address, else (no network) loopback again.
    """
    if host not in ANY_ADDRESS:
        return host
    others = [] if prefer_local else get_local_ip_addr()
    return others[0] if others else LOCALHOST


def resources(directory: str) -> dict[str, float]:
    """Return what this computer has and how much of it is in use, of which disk `directory` is.

    `load` is how many processes wanted to run in the last minute; sizes are in bytes.
    """
    import psutil  # noqa: PLC0415  as above

    memory = psutil.virtual_memory()
    return {
        "cpus": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 2),
        "memory_total": memory.total,
        "memory_used": memory.total - memory.available,
        "disk_free": shutil.disk_usage(directory).free,
    }


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens at a port of this computer."""

    pid: int | None
    """Its number; None where this user may not know."""
    command: str = ""

    @property
    def is_ours(self) -> bool:
        """Return whether it is a manager, or another program of this project."""
        return any(
            word in {"dlg_engine.cli", "dlg"} or word.endswith("/bin/dlg")
            for word in self.command.split()
        )

    def __str__(self) -> str:
        """Return who it is, for people."""
        if self.pid is None:
            return "a process of another user"
        return f"process {self.pid} ({self.command[:80] or 'unknown'})"


def listeners() -> dict[int, Listener]:
    """Return who listens at which port, of TCP and any address of this computer."""
    import psutil  # noqa: PLC0415  as above

    found: dict[int, Listener] = {}
    for one in psutil.net_connections("tcp"):
        if one.status != psutil.CONN_LISTEN or not one.laddr:
            continue
        command = ""
        if one.pid is not None:
            try:
                command = " ".join(psutil.Process(one.pid).cmdline())
            except psutil.Error:  # it has ended, or is not ours to ask
                command = ""
        found[one.laddr.port] = Listener(one.pid, command)
    return found


def zmq_safe(host_or_addr: str) -> str:
    """Return `host_or_addr` as ZeroMQ can bind it: an address, or `*` for all interfaces.

    ZeroMQ takes a name for that of an interface, so names of hosts are looked up here; IPv6
    addresses get brackets. A name that nobody knows raises `OSError`.
    """
    if host_or_addr in ANY_ADDRESS:
        return "*"
    bare = host_or_addr.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return socket.gethostbyname(bare)
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
