"""Connections that are held open without a request, or with a part of one."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

HEAD = b"POST /raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
SOON_S = 15.0


def _connect(client: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", client.server.port), timeout=SOON_S)


def _all_that_comes(link: socket.socket) -> bytes:
    found = b""
    while piece := link.recv(4096):
        found += piece
    return found


@pytest.mark.parametrize("begun", [b"", b"GET /echo HT", HEAD])
def test_a_head_that_does_not_come_is_not_waited_for(open_shop: Any, begun: bytes) -> None:
    client = open_shop(idle_s=0.2)
    with _connect(client) as link:
        link.sendall(begun)
        assert _all_that_comes(link) == b""
    assert client.get("/health").status == 200


@pytest.mark.parametrize("path", [b"/raw", b"/nowhere", b"/only"])
def test_a_body_that_does_not_come_is_not_waited_for(open_shop: Any, path: bytes) -> None:
    client = open_shop(stalled_s=0.2)
    with _connect(client) as link:
        link.sendall(HEAD.replace(b"/raw", path) + b"\r\nonly this")
        assert _all_that_comes(link).startswith(b"HTTP/1.1 408 ")
    assert not client.shop.asked


def test_a_body_in_chunks_that_stops_is_not_waited_for(open_shop: Any) -> None:
    client = open_shop(stalled_s=0.2)
    head = HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked")
    with _connect(client) as link:
        link.sendall(head + b"\r\n4\r\nonly\r\n")
        assert _all_that_comes(link).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_not_waited_for(open_shop: Any) -> None:
    client = open_shop(stalled_s=0.2)
    with _connect(client) as link:
        link.sendall(HEAD.replace(b"1000", b"100000") + b"\r\n")
        link.settimeout(0.02)
        answer, end = b"", time.monotonic() + SOON_S
        while not answer and time.monotonic() < end:
            try:
                answer = link.recv(4096)
            except TimeoutError:
                link.sendall(b"x")
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_comes_slowly_but_steadily_is_taken(open_shop: Any) -> None:
    client = open_shop(stalled_s=0.5)
    with _connect(client) as link:
        link.sendall(HEAD + b"\r\n")
        link.settimeout(0.1)
        for _ in range(9):
            link.sendall(b"x" * 100)
            with pytest.raises(TimeoutError):
                link.recv(1)
        link.settimeout(SOON_S)
        link.sendall(b"x" * 100)
        assert link.recv(4096).startswith(b"HTTP/1.1 200 ")
