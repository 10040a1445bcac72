"""Tests of dlg.support.discovery, on the loopback interface."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator

import pytest
from zeroconf import ServiceStateChange, Zeroconf

from dlg.support.discovery import browse_service, deregister_service, register_service


@pytest.fixture
def zc() -> Iterator[Zeroconf]:
    try:
        zeroconf = Zeroconf(interfaces=["127.0.0.1"])
    except OSError as error:
        pytest.skip(f"no multicast on loopback here: {error}")
    yield zeroconf
    zeroconf.close()


def test_a_service_is_seen_to_come_and_to_go(zc: Zeroconf) -> None:
    seen: queue.Queue[tuple[Zeroconf, str, str, ServiceStateChange]] = queue.Queue()
    kind, name = "_dlgtest._tcp.local.", "node-7._dlgtest._tcp.local."

    returned = browse_service(zc, "dlgtest", "tcp", lambda *what: seen.put(what))
    assert returned is zc
    returned, info = register_service(zc, "dlgtest", "node-7", "127.0.0.1", 8000)
    assert returned is zc
    assert (info.port, info.addresses) == (8000, [socket.inet_aton("127.0.0.1")])
    assert seen.get(timeout=30) == (zc, kind, name, ServiceStateChange.Added)

    deregister_service(zc, info)
    assert seen.get(timeout=30) == (zc, kind, name, ServiceStateChange.Removed)
