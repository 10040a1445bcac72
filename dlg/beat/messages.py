"""The messages between an executor, users' processes and those that serve them: ZeroMQ pairs.

A message has several parts of bytes; the first is a command or, in an answer, often the only one.

    ifo INPUT            count, then start and end of each unit
    get INPUT UNIT       start, end, packed data
    don [STATISTICS]     ack
    err usr|sys TEXT     ack
    val REQUEST, wrt OUTPUT END, rdi    see `dlg.beat.blocks.loops`

An error in an answer has the parts `err`, `usr` or `sys`, and a text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import zmq

Socket = zmq.Socket[bytes]
ACK, DONE, ERROR = b"ack", b"don", b"err"
USER, SYSTEM = b"usr", b"sys"
LINGER_MS = 5000
"""Milliseconds for which a message that was sent last is kept for whoever is slow."""


def connect(address: str) -> Socket:
    """Return a socket whose other end is, or will be, at an address."""
    socket = _pair()
    socket.connect(completed(address))
    return socket


def bind(address: str) -> Socket:
    """Return a socket at an address; port `*` stands for any that is free."""
    socket = _pair()
    socket.bind(completed(address))
    return socket


def address_of(socket: Socket) -> str:
    """Return where a bound socket is."""
    found = socket.getsockopt(zmq.LAST_ENDPOINT)
    return found.decode() if isinstance(found, bytes) else str(found)


def completed(address: str) -> str:
    """Return an address with its protocol: `host:port` is one of TCP."""
    return address if "://" in address else f"tcp://{address}"


@contextlib.contextmanager
def delivered() -> Iterator[None]:
    """Before this process ends, close all sockets and send off what was sent last in there.

    Without this an interpreter that ends takes with it what has not left yet, such as the answer
    that someone waits for.
    """
    try:
        yield
    finally:
        zmq.Context.instance().destroy(LINGER_MS)


def _pair() -> Socket:
    socket: Socket = zmq.Context.instance().socket(zmq.PAIR)
    socket.setsockopt(zmq.LINGER, LINGER_MS)
    return socket


def wait(socket: Socket, wakes: int, timeout_s: float | None = None) -> tuple[bool, bool]:
    """Wait for a message, or until descriptor `wakes` can be read; tell which of them it is."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(wakes, zmq.POLLIN)
    ready = dict(poller.poll(None if timeout_s is None else int(timeout_s * 1000)))
    return socket in ready, wakes in ready
