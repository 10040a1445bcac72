"""Calls within one process, for tests and for running managers without a network."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from dlg.rpc.contract import Address, Answering, PeerLostError

WORKERS = 16


class InProcessTransport:
    """Servers and their callers share this object; calls are still packed, as over a network."""

    def __init__(self) -> None:
        self._servers: dict[Address, Answering] = {}
        self._lock = threading.Lock()
        self._next_port = 1
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="dlg-rpc")

    def serve(self, address: Address, answer: Answering) -> InProcessServing:
        """Answer calls to `address`; port 0 finds one."""
        with self._lock:
            if address.port == 0:
                while Address(address.host, self._next_port) in self._servers:
                    self._next_port += 1
                address = Address(address.host, self._next_port)
            if address in self._servers:
                raise PeerLostError(f"{address} is in use")
            self._servers[address] = answer
        return InProcessServing(self, address)

    def send(self, address: Address, packed: bytes, timeout_s: float) -> Future[bytes]:
        """Call the server at `address`, if there is one, in a thread of the pool."""
        del timeout_s  # an answer comes as soon as the method returns
        with self._lock:
            answer = self._servers.get(address)
        if answer is None:
            lost: Future[bytes] = Future()
            lost.set_exception(PeerLostError(f"nobody answers at {address}"))
            return lost
        return self._pool.submit(answer, packed)

    def forget(self, address: Address) -> None:
        """Do nothing: nothing is open."""

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)

    def _end(self, address: Address) -> None:
        with self._lock:
            self._servers.pop(address, None)


class InProcessServing:
    """A server in this process."""

    def __init__(self, transport: InProcessTransport, address: Address) -> None:
        self.address = address
        self._transport = transport

    def close(self) -> None:
        """Stop listening."""
        self._transport._end(self.address)  # noqa: SLF001  the two are one thing
