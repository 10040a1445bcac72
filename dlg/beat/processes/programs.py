"""A process that a warden has forked: whoever gives it work holds its socket and its output."""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from typing import Any

from dlg.beat.processes import frames

TAIL_B = 1 << 20
"""Bytes that are kept of what a process prints: its last ones."""
_PIECE_B = 1 << 16


class Tail:
    """The last bytes of what comes out of a pipe."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._pieces: deque[bytes] = deque()
        self._held = self._dropped = 0

    def take(self) -> bool:
        """Read what is there; return whether there may come more."""
        try:
            while piece := os.read(self.descriptor, _PIECE_B):
                self._pieces.append(piece)
                self._held += len(piece)
                while self._held - len(self._pieces[0]) >= TAIL_B:
                    lost = len(self._pieces.popleft())
                    self._held, self._dropped = self._held - lost, self._dropped + lost
                if len(piece) < _PIECE_B:
                    return True
        except BlockingIOError:
            return True
        return False

    def forget(self) -> None:
        """Keep nothing of what has come so far."""
        self._pieces.clear()
        self._held = self._dropped = 0

    def text(self) -> str:
        """Return what was kept, and how much was not."""
        text = b"".join(self._pieces).decode(errors="replace")
        return f"[{self._dropped} bytes before this]\n{text}" if self._dropped else text


class Program:
    """A process that waits for its call, or makes it, or has made it."""

    def __init__(self, pid: int, descriptors: list[int]) -> None:
        """Hold the process `pid` by its socket, its standard output and its standard error."""
        self.pid = pid
        sock, out, err = descriptors
        self.sock = socket.socket(fileno=sock)
        self.out, self.err = Tail(out), Tail(err)
        self._inbox = frames.Inbox()
        self.answer: Any = None
        self.answered = self.calm = self.again = False
        self.usage: dict[str, float] = {}

    def call(self, message: dict[str, Any], links: list[int]) -> None:
        """Let the process make a call; it gets what is open under `links`."""
        frames.send(self.sock, message, links)
        self.sock.setblocking(False)

    def hear(self) -> bool:
        """Take in what the process says; return whether it may say more."""
        try:
            data = self.sock.recv(_PIECE_B)
            for message in self._inbox.feed(data):
                self.answer, self.usage = message["answer"], message["usage"]
                self.calm, self.again = message["calm"], message["again"]
                self.answered = True
        except BlockingIOError:
            return True
        except (ConnectionError, EOFError, ValueError, KeyError, TypeError):
            return False  # the user's code has written into our socket: it will be missed
        return bool(data)

    def hear_all(self) -> None:
        """Take in all that the process, which has ended, has said."""
        news = select.poll()
        news.register(self.sock.fileno(), select.POLLIN)
        while not self.answered and news.poll(0) and self.hear():
            continue

    def renewed(self) -> Program:
        """Return the same process as one that waits for its next call."""
        self.sock.setblocking(True)
        self.out.forget()
        self.err.forget()
        self.answer, self.usage = None, {}
        self.answered = self.calm = self.again = False
        return self

    def close(self) -> None:
        """Let go of the process."""
        self.sock.close()
        os.close(self.out.descriptor)
        os.close(self.err.descriptor)
