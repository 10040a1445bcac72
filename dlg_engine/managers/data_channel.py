"""Data between nodes: a TCP connection on which the contents of drops stream.

TCP holds the sender back when the receiver is slow. A transfer that breaks off is taken up where
it stopped. Each is summed on both sides. A connection begins with a greeting in which both sides
show that they know the token of the cluster, under TLS if the cluster has a certificate. Contents
may be pickles: they are opened only where the sender has shown that he may run code here, as a
node of the same cluster or, without one, as a process of the same user on this host.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException, RunError, UsageError
from dlg.rpc.contract import Address
from dlg.rpc.failures import put_together, take_apart
from dlg.rpc.messages import Failure
from dlg.support import checksums, clock
from dlg.support.peers import user_of_peer
from dlg_engine.managers import cargo
from dlg_engine.managers.greeting import StrangerError, greet, welcome
from dlg_engine.managers.wire import (
    END,
    FAILED,
    WireError,
    fill,
    receive_frame,
    receive_length,
    send_frame,
    send_mark,
)

logger = logging.getLogger(__name__)

STALLED_S = 30.0
"""A transfer that gets no byte for so long has broken off."""
CONNECT_S = 10.0
TRIES = 5
PAUSE_S = 0.1
"""Before the second try; doubled before each further one."""
MOST_LINKS = 256
LONGEST_REQUEST = 1 << 16

Provide = Callable[[str, str], tuple[str, Iterator[Any]]]
"""Gives the form and the pieces of data `oid` of a session; raises what it cannot."""


_SAME_FILE = "is the same file of the cluster there?"
_STRANGER = "no data is brought from {}: it belongs to another cluster, or to none; " + _SAME_FILE
_NOT_OPENED = (
    "{} sends an object, which only a node of the same cluster may: opening it can run any code. "
    "Give both nodes the file of a cluster (dlg keys new), or let the data be bytes"
)


class DataLostError(RunError):
    """Data of another node could not be brought."""


class Request(msgspec.Struct, array_like=True, frozen=True):
    """Asks for data, from byte `offset` of its form on."""

    session_id: str
    oid: str
    offset: int


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """What comes before the pieces."""

    form: str = ""
    failure: Failure | None = None


class DataServer:
    """Streams data to other nodes; a thread a connection, which lives as long as that."""

    def __init__(
        self,
        address: Address,
        provide: Provide,
        *,
        token: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen at `address`; raise UsageError if that cannot be."""
        self._provide, self._token, self._tls = provide, token, tls
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            self._listening = socket.create_server(address, family=family, backlog=128)
        except OSError as error:
            raise UsageError(f"cannot listen for data at {address}: {error.strerror}") from error
        self.address = Address(address.host, self._listening.getsockname()[1])
        self.sent_bytes = 0
        self._links: set[socket.socket] = set()
        self._room = threading.Semaphore(MOST_LINKS)
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="dlg-data", daemon=True).start()

    def close(self) -> None:
        """Stop listening and break off what is being sent."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for link in self._links:
                with suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                link, _ = self._listening.accept()
                if self._room.acquire(blocking=False):
                    threading.Thread(
                        target=self._serve, args=(link,), name="dlg-data-out", daemon=True
                    ).start()
                else:
                    link.close()

    def _serve(self, bare: socket.socket) -> None:
        link = bare
        try:
            bare.settimeout(STALLED_S)
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = bare if self._tls is None else self._tls.wrap_socket(bare, server_side=True)
            with self._lock:
                self._links.add(link)
            welcome(link, self._token)
            while True:
                self._answer(link, receive_frame(link, LONGEST_REQUEST))
                link.settimeout(None)  # it may be idle for as long as it likes
        except StrangerError:
            logger.warning("data was asked for with a wrong token", extra={"action": "refused"})
        except (WireError, OSError, ValueError, RecursionError) as error:
            logger.debug("a connection for data ended: %s", error)
        finally:
            with self._lock:
                self._links.discard(link)
            link.close()
            self._room.release()

    def _answer(self, link: socket.socket, packed: bytes) -> None:
        """Send what is asked for."""
        request = _REQUEST.decode(packed)
        link.settimeout(STALLED_S)
        try:
            form, pieces = self._provide(request.session_id, request.oid)
        except DaliugeException as error:
            send_frame(link, _ENCODER.encode(Reply(failure=take_apart(error))))
            return
        send_frame(link, _ENCODER.encode(Reply(form)))
        self._send(link, pieces, request.offset)

    def _send(self, link: socket.socket, pieces: Iterator[Any], offset: int) -> None:
        passed, crc = 0, 0
        try:
            for piece in _guarded(pieces):
                view = memoryview(piece).cast("B")
                skipped = min(max(0, offset - passed), view.nbytes)
                passed += view.nbytes
                crc = checksums.crc32c(view, crc)
                if skipped < view.nbytes:
                    send_frame(link, view[skipped:])
                    with self._lock:
                        self.sent_bytes += view.nbytes - skipped
        except _RefusedError as refused:
            send_mark(link, FAILED)
            send_frame(link, _ENCODER.encode(Reply(failure=take_apart(refused.error))))
            return
        send_mark(link, END)
        send_frame(link, _ENCODER.encode(crc))


@dataclass(slots=True)
class _Progress:
    """How far a transfer has come."""

    received: int = 0
    crc: int = 0
    form: str = ""


class _RefusedError(Exception):
    """Something is wrong that another try would not mend."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


class DataClient:
    """Brings data from other nodes; connections are kept for the next time.

    `trusting` opens pickles of whoever answers: for networks on which nobody else is.
    """

    def __init__(
        self, *, token: str = "", tls: ssl.SSLContext | None = None, trusting: bool = False
    ) -> None:
        self._token, self._tls, self._trusting = token, tls, trusting
        self._idle: dict[Address, list[socket.socket]] = {}
        self._busy: dict[socket.socket, Address] = {}
        self._losses: Counter[Address] = Counter()
        """How often each node was lost."""
        self._lock = threading.Lock()

    def bring(self, address: Address, session_id: str, oid: str, into: Any) -> None:
        """Write data `oid` of a session of the node at `address` into the data drop `into`.

        Raises what the node says it cannot do, and DataLostError if it cannot be reached or the
        sums differ.
        """
        progress = _Progress()
        with closing(self._pieces(address, session_id, oid, progress)) as arriving:
            try:
                first = next(arriving, None)
                cargo.receive(into, progress.form, _after(first, arriving))
            except _RefusedError as refused:
                raise refused.error from None

    def forget(self, address: Address) -> None:
        """Break off what comes from an address: the node there is lost."""
        with self._lock:
            self._losses[address] += 1
            for link in self._idle.pop(address, ()):
                link.close()
            busy = [link for link, source in self._busy.items() if source == address]
        for link in busy:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close connections that are kept."""
        with self._lock:
            for links in self._idle.values():
                for link in links:
                    link.close()
            self._idle.clear()

    def _pieces(
        self, address: Address, session_id: str, oid: str, progress: _Progress
    ) -> Generator[memoryview, None, None]:
        """Yield pieces; a connection that breaks is replaced and goes on where it broke."""
        pause_s, losses = PAUSE_S, self._losses[address]
        for left in reversed(range(TRIES)):
            before = progress.received
            try:
                yield from self._try(address, session_id, oid, progress, fresh=left < TRIES - 1)
            except (WireError, OSError) as error:
                if not left or self._losses[address] != losses:  # nobody waits for one who is lost
                    raise DataLostError(
                        f"{oid} cannot be brought from {address}: {error}"
                    ) from None
                logger.info("data from %s broke off, trying again: %s", address, error)
                if progress.received == before and left < TRIES - 1:
                    clock.sleep(pause_s)
                    pause_s *= 2
            else:
                return

    def _try(
        self, address: Address, session_id: str, oid: str, progress: _Progress, *, fresh: bool
    ) -> Iterator[memoryview]:
        """Yield pieces of one connection, which is closed unless all of them came."""
        link = self._link(address, fresh=fresh)
        finished = False
        try:
            request = Request(session_id, oid, progress.received)
            send_frame(link, _ENCODER.encode(request))
            yield from self._receive(link, address, progress)
            finished = True
        except _RefusedError:
            finished = True
            raise
        finally:
            with self._lock:
                self._busy.pop(link, None)
                if finished:
                    self._idle.setdefault(address, []).append(link)
            if not finished:
                link.close()

    def _receive(
        self, link: socket.socket, address: Address, progress: _Progress
    ) -> Iterator[memoryview]:
        reply = _REPLY.decode(receive_frame(link))
        if reply.failure is not None:
            raise _RefusedError(put_together(reply.failure, str(address)))
        if reply.form == cargo.OBJECT and not self._may_open_pickles(link):
            raise _RefusedError(DataLostError(_NOT_OPENED.format(address)))
        progress.form = reply.form
        buffer = memoryview(bytearray(cargo.PIECE))
        while (length := receive_length(link)) < FAILED:
            if length > buffer.nbytes:
                buffer = memoryview(bytearray(length))
            view = buffer[:length]
            fill(link, view)
            progress.received += length
            progress.crc = checksums.crc32c(view, progress.crc)
            yield view
        ending = receive_frame(link)
        failure = _REPLY.decode(ending).failure if length == FAILED else None
        if failure is not None:
            raise _RefusedError(put_together(failure, str(address)))
        if length == END and msgspec.msgpack.decode(ending) != progress.crc:
            text = f"data from {address} arrived with another sum than it left with"
            raise _RefusedError(DataLostError(text))

    def _link(self, address: Address, *, fresh: bool) -> socket.socket:
        """Return a connection; the first try may take one that was kept."""
        with self._lock:
            kept = self._idle.get(address)
            if kept and not fresh:
                link = kept.pop()
                self._busy[link] = address
                return link
        link = self._connect(address)
        with self._lock:
            self._busy[link] = address
        return link

    def _connect(self, address: Address) -> socket.socket:
        """Return a new connection to a node of the same cluster."""
        link = socket.create_connection(address, timeout=CONNECT_S)
        try:
            link.settimeout(STALLED_S)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = link if self._tls is None else self._tls.wrap_socket(link)
            greet(link, self._token)
        except (StrangerError, ssl.SSLCertVerificationError) as error:
            link.close()
            raise _RefusedError(DataLostError(_STRANGER.format(address))) from error
        except WireError as error:
            link.close()
            raise WireError(f"{error} at the greeting; {_SAME_FILE}") from error
        except BaseException:
            link.close()
            raise
        return link

    def _may_open_pickles(self, link: socket.socket) -> bool:
        """Return whether the other side may run code here anyway."""
        return bool(self._token) or self._trusting or user_of_peer(link) == os.geteuid()


def _guarded(pieces: Iterator[Any]) -> Iterator[Any]:
    """Yield the pieces; what goes wrong in making them is not the connection's fault."""
    try:
        yield from pieces
    except Exception as error:
        raise _RefusedError(error) from error


def _after(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    if first is not None:
        yield first
        yield from rest


_ENCODER = msgspec.msgpack.Encoder()
_REQUEST = msgspec.msgpack.Decoder(Request)
_REPLY = msgspec.msgpack.Decoder(Reply)
