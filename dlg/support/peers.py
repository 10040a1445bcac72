"""Who is on the other side of a connection within this host."""

from __future__ import annotations

import ipaddress
import socket
import struct
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_OWN, _OTHER, _USER = 1, 2, 7
"""Columns of the tables."""


def user_of_peer(link: socket.socket) -> int | None:
    """Return the number of the user whose process has the other end of a TCP connection.

    None where that is not known: the other end is on another host, or the system does not tell.
    """
    here, there = _written(link.getsockname()), _written(link.getpeername())
    for table in map(Path, TABLES):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            words = line.split()
            if words[_OWN] in there and words[_OTHER] in here:
                return int(words[_USER])
    return None


def _written(address: tuple[str, int]) -> set[str]:
    """Return how an address may stand in the tables: as itself, and as an IPv6 one."""
    found = ipaddress.ip_address(address[0])
    forms = [found.packed]
    if isinstance(found, ipaddress.IPv4Address):
        forms.append(bytes(10) + b"\xff\xff" + found.packed)
    port = f"{address[1]:04X}"
    return {f"{_as_words(packed)}:{port}" for packed in forms}


def _as_words(packed: bytes) -> str:
    """Return an address as the kernel writes it: words of four bytes in the order of the host."""
    count = len(packed) // 4
    return "".join(f"{word:08X}" for word in struct.unpack(f"={count}I", packed))
