"""Frames on a TCP connection between nodes: a length, then so many bytes."""

from __future__ import annotations

import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")
LARGEST = 1 << 26
"""No frame is longer: who announces more is no node."""
END, FAILED = 0xFFFFFFFF, 0xFFFFFFFE
"""Lengths that say something else: the pieces end here, or broke off."""


class WireError(Exception):
    """The connection broke, or what came over it is not what nodes send each other."""


def send_frame(link: socket.socket, content: Any) -> None:
    """Send a frame; large contents are not copied."""
    view = memoryview(content).cast("B")
    if view.nbytes < 1 << 14:
        link.sendall(_LENGTH.pack(view.nbytes) + view)
    else:
        link.sendall(_LENGTH.pack(view.nbytes))
        link.sendall(view)


def send_mark(link: socket.socket, mark: int) -> None:
    """Send `END` or `FAILED` in the place of a length."""
    link.sendall(_LENGTH.pack(mark))


def receive_length(link: socket.socket) -> int:
    """Return the length of the next frame, or a mark."""
    head = bytearray(_LENGTH.size)
    fill(link, memoryview(head))
    length = int(_LENGTH.unpack(head)[0])
    if length > LARGEST and length not in {END, FAILED}:
        raise WireError(f"a frame of {length} bytes was announced")
    return length


def receive_frame(link: socket.socket, most: int = LARGEST) -> bytes:
    """Return the next frame; raise WireError for one of more than `most` bytes, unread."""
    length = receive_length(link)
    if length > most:
        raise WireError(f"a frame of at most {most} bytes was expected")
    content = bytearray(length)
    fill(link, memoryview(content))
    return bytes(content)


def fill(link: socket.socket, view: memoryview) -> None:
    """Receive as many bytes as fit into `view`; raise WireError if the connection ends before."""
    while view.nbytes:
        try:
            count = link.recv_into(view)
        except OSError as error:
            raise WireError(f"the connection broke: {error}") from error
        if not count:
            raise WireError("the connection was closed")
        view = view[count:]
