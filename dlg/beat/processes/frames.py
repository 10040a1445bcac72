"""Messages between processes of one machine: JSON with its length before it, over a socket.

Descriptors of open files may travel with a message. Nothing here unpickles.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

_LENGTH = struct.Struct("<I")
MOST_B = 1 << 28
"""Bytes of the longest message that is accepted; what is longer comes from a broken process."""
MOST_DESCRIPTORS = 16


def encoded(message: Any) -> bytes:
    """Return `message` as it travels."""
    data = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(data)) + data


def send(sock: socket.socket, message: Any, descriptors: Sequence[int] = ()) -> None:
    """Send `message`, and the files that are open under `descriptors`, over `sock`."""
    packet = encoded(message)
    if descriptors:
        sent = socket.send_fds(sock, [packet], list(descriptors))
        packet = packet[sent:]
    if packet:
        sock.sendall(packet)


def receive(sock: socket.socket) -> tuple[Any, list[int]]:
    """Return the next message and the descriptors that came with it.

    Raises `EOFError` when the other side has closed or ended.
    """
    head, descriptors, _flags, _address = socket.recv_fds(sock, _LENGTH.size, MOST_DESCRIPTORS)
    if not head:
        raise EOFError
    head += _exactly(sock, _LENGTH.size - len(head))
    (length,) = _LENGTH.unpack(head)
    _check(length)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return json.loads(_exactly(sock, length)), descriptors


def _exactly(sock: socket.socket, length: int) -> bytes:
    parts, missing = [], length
    while missing:
        part = sock.recv(missing)
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _check(length: int) -> None:
    if length > MOST_B:
        raise EOFError(f"a message of {length} bytes is announced")


class Inbox:
    """Messages put together from whatever pieces a socket gives at the moment."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take `data` in and yield the messages that are whole now.

        Raises `EOFError` or `ValueError` for what is no message.
        """
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            _check(length)
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                return
            text = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield json.loads(text)
