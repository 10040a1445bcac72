"""How packed calls get to another process: the contract that every transport keeps.

A transport knows nothing of what it carries: bytes go there, bytes come back, or the future that
was returned ends with `PeerLostError` or `CallTimeoutError`. It may lose calls, carry them late or
carry them twice: `answering` and `calling` see to it that nothing is done twice or too late.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dlg.exceptions import RunError

Answering = Callable[[bytes], bytes]
"""What a server does with a packed call; it is called in a thread of its own and may block."""


class Address(NamedTuple):
    """Where a process can be called."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class CallTimeoutError(RunError):
    """No answer came in time. Whether the call was carried out is not known."""


class PeerLostError(RunError):
    """The other side cannot be reached, or went away during the call."""


@dataclass(frozen=True, slots=True)
class Keys:
    """CURVE keys (Z85 texts): one's own pair, and the public key of the servers of the cluster."""

    public: bytes
    secret: bytes
    server: bytes


class Serving(Protocol):
    """A server that listens."""

    @property
    def address(self) -> Address:
        """Return where it listens, with the port that was found if port 0 was asked for."""

    def close(self) -> None:
        """Stop listening. Calls that are being carried out go on; their answers are lost."""


class Transport(Protocol):
    """Carries packed calls."""

    def serve(self, address: Address, answer: Answering) -> Serving:
        """Listen at an address; raise PeerLostError if that cannot be."""

    def send(self, address: Address, packed: bytes, timeout_s: float) -> Future[bytes]:
        """Carry a call; the future has the packed answer, a CallTimeoutError or PeerLostError."""

    def forget(self, address: Address) -> None:
        """Close what is open to an address: nothing will be sent there for now."""

    def close(self) -> None:
        """Close everything that is open."""
