"""The socket at which workers are heard, and by which they are told."""

from __future__ import annotations

import logging
from typing import Any

import zmq

from dlg.exceptions import UsageError
from dlg.rpc.contract import Keys
from dlg.rpc.curve import ZAP, secure, verdict

logger = logging.getLogger(__name__)

FIRST_PORT = 50_000
"""From which on a port is taken where none is named."""
LONGEST_FRAME = 1 << 28
LINGER_MS = 200


class Door:
    """A socket that knows its peers by their names. Raises UsageError if it cannot listen.

    With `keys` only those are let in who have them too.
    """

    def __init__(self, host: str, port: int | None, keys: Keys | None) -> None:
        self.context = zmq.Context()
        self.poller = zmq.Poller()
        self._gate: Any = None
        self.socket = self._listen(host, port, keys)
        self.address: str = self.socket.last_endpoint.decode()
        self.poller.register(self.socket, zmq.POLLIN)

    def _listen(self, host: str, port: int | None, keys: Keys | None) -> Any:
        socket = self.context.socket(zmq.ROUTER)
        socket.linger = LINGER_MS
        socket.maxmsgsize = LONGEST_FRAME
        socket.router_mandatory = 1  # say so where a worker is not connected any more
        socket.router_handover = 1  # a worker that comes again has its name back at once
        socket.heartbeat_ivl, socket.heartbeat_timeout = 2500, 10_000  # notices dead hosts
        if keys is not None:
            self._gate = self.context.socket(zmq.REP)
            self._gate.bind(ZAP)
            self.poller.register(self._gate, zmq.POLLIN)
            secure(socket, keys, serving=True)
        host = host.removeprefix("tcp://")
        try:
            if port is None:
                socket.bind_to_random_port(f"tcp://{host}", min_port=FIRST_PORT)
            else:
                socket.bind(f"tcp://{host}:{port or '*'}")
        except zmq.ZMQError as error:
            self.context.destroy(linger=0)
            raise UsageError(f"cannot listen for workers at {host}:{port}: {error}") from error
        return socket

    def pending(self) -> bool:
        """Return whether something can be heard at once."""
        return bool(self.socket.getsockopt(zmq.EVENTS) & zmq.POLLIN)

    def hear(self, timeout_ms: int) -> list[bytes] | None:
        """Return a message, first the name of who says it; None if nothing comes in time."""
        ready = dict(self.poller.poll(timeout_ms))
        if self._gate is not None and self._gate in ready:
            self._gate.send_multipart(verdict(self._gate.recv_multipart()))
        if self.socket not in ready:
            return None
        message: list[bytes] = self.socket.recv_multipart()
        return message

    def send(self, name: bytes, *parts: bytes) -> bool:
        """Tell somebody something; return whether he is connected."""
        try:
            self.socket.send_multipart([name, *parts], zmq.NOBLOCK)
        except zmq.Again:
            logger.warning("worker %r takes nothing any more", name)
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return False
        return True

    def close(self) -> None:
        """Let go of the socket, when what was said last has left."""
        self.context.destroy(linger=LINGER_MS)
