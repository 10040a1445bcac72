"""News between nodes over ZeroMQ: one thread, one socket to listen and one for each other node.

What is sent, again or for the first time, is decided by `numbering`; this is the shell. Nobody
polls: the thread sleeps until a message comes, somebody has news to send, or an acknowledgement is
overdue. On an idle link news leave at once; on a busy one those that came meanwhile go together.
Messages are MessagePack of closed types, whatever they claim to be.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException, UsageError
from dlg.rpc.contract import Address, Keys
from dlg.rpc.curve import ZAP, secure, verdict
from dlg.support import clock
from dlg_engine.managers.news import News
from dlg_engine.managers.numbering import Batch, Inbox, Outbox

logger = logging.getLogger(__name__)

RESEND_S = 0.5
"""How long an acknowledgement may be overdue before news are sent again."""
LONGEST_RESEND_S = 5.0
LINGER_MS = 200
START_TIMEOUT_S = 10.0


class Message(msgspec.Struct, array_like=True, frozen=True):
    """News from one node to another."""

    sender: str
    incarnation: str
    first: int
    oldest: int
    news: list[News]


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """The answer: which number is expected next."""

    incarnation: str
    expected: int


class _Line:
    """What the thread knows of one other node."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.outbox = socket, Outbox()
        # The numbers begin anew with the outbox, also after the other node was lost for a while.
        self.incarnation = uuid.uuid4().hex
        self.pause_s = RESEND_S
        self.due_s = 0.0


class EventLinks:
    """Sends news to other nodes and hands on what they send."""

    def __init__(
        self,
        node: str,
        address: Address,
        hear: Callable[[list[News]], None],
        *,
        where: Callable[[str], Address],
        keys: Keys | None = None,
    ) -> None:
        """Listen at `address`; `where` tells at which address another node listens.

        `hear` is called in the thread, with new news only. Raises UsageError if the address
        cannot be had.
        """
        self.node = node
        self._hear, self._where, self._keys = hear, where, keys
        self._asked: deque[tuple[str, News | None]] = deque()
        self._lines: dict[str, _Line] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._messages = msgspec.msgpack.Decoder(Message)
        self._receipts = msgspec.msgpack.Decoder(Receipt)
        self._gate: Any = None
        self._closing = self._signalled = False
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        self._ready = threading.Event()
        self._refused: Exception | None = None
        self.address = address
        self._thread = threading.Thread(target=self._run, name="dlg-events", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S) or self._refused:
            raise UsageError(f"cannot listen for events at {address}: {self._refused}")

    def tell(self, node: str, news: News) -> None:
        """Send news to a node, now or when it can be reached; may be called from any thread."""
        self._ask(node, news)

    def forget(self, node: str) -> None:
        """Let go of a node that is lost, and of what was not delivered to it."""
        self._ask(node, None)

    def close(self) -> None:
        """End the thread; what is not acknowledged by then is lost."""
        self._closing = True
        self._wake()
        self._thread.join(START_TIMEOUT_S)
        os.close(self._wake_r)
        os.close(self._wake_w)

    def figures(self) -> dict[str, tuple[int, int, int]]:
        """Return for each other node how many news arrived there, wait, and came from there."""
        found: dict[str, tuple[int, int, int]] = {}
        for node, line in list(self._lines.items()):
            found[node] = line.outbox.oldest, len(line.outbox.kept), 0
        for node, inbox in list(self._inboxes.items()):
            arrived, waiting, _ = found.get(node, (0, 0, 0))
            found[node] = arrived, waiting, inbox.expected
        return found

    # -- in any thread -----------------------------------------------------------------------

    def _ask(self, node: str, news: News | None) -> None:
        self._asked.append((node, news))
        if not self._signalled:
            self._wake()

    def _wake(self) -> None:
        self._signalled = True
        try:
            os.write(self._wake_w, b"x")
        except BlockingIOError:
            return  # it is awake: the pipe is full of such calls

    # -- in the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        import zmq  # noqa: PLC0415  a node alone has nobody to talk to

        context = zmq.Context()
        try:
            self._serve(zmq, context)
        finally:
            context.destroy(linger=LINGER_MS)

    def _serve(self, zmq: Any, context: Any) -> None:
        self._zmq, self._context, self._poller = zmq, context, zmq.Poller()
        try:
            listening = self._listen()
        except zmq.ZMQError as error:
            self._refused = error
            self._ready.set()
            return
        self._poller.register(listening, zmq.POLLIN)
        self._poller.register(self._wake_r, zmq.POLLIN)
        self._ready.set()
        while not self._closing:
            for ready, _ in self._poller.poll(self._pause_ms()):
                if ready == self._wake_r:
                    self._drain()
                elif ready is listening:
                    self._take_messages(listening)
                elif ready is self._gate:
                    self._gate.send_multipart(verdict(self._gate.recv_multipart()))
                else:
                    self._take_receipts(ready)
            self._take_asked()
            self._send_again()

    def _listen(self) -> Any:
        zmq = self._zmq
        listening = self._context.socket(zmq.ROUTER)
        listening.linger = 0
        if self._keys is not None:
            self._gate = self._context.socket(zmq.REP)
            self._gate.bind(ZAP)
            self._poller.register(self._gate, zmq.POLLIN)
            secure(listening, self._keys, serving=True)
        listening.bind(f"tcp://{_bracketed(self.address.host)}:{self.address.port or '*'}")
        port = int(listening.last_endpoint.decode().rpartition(":")[2])
        self.address = Address(self.address.host, port)
        return listening

    def _line(self, node: str) -> _Line:
        line = self._lines.get(node)
        if line is None:
            socket = self._context.socket(self._zmq.DEALER)
            socket.linger = 0
            socket.sndhwm = socket.rcvhwm = 0
            socket.reconnect_ivl, socket.reconnect_ivl_max = 50, 1000
            if self._keys is not None:
                secure(socket, self._keys, serving=False)
            address = self._where(node)
            socket.connect(f"tcp://{_bracketed(address.host)}:{address.port}")
            line = self._lines[node] = _Line(socket)
            self._poller.register(socket, self._zmq.POLLIN)
        return line

    def _drain(self) -> None:
        try:
            while os.read(self._wake_r, 4096):
                pass
        except BlockingIOError:
            return

    def _take_asked(self) -> None:
        """Send what others have asked for: all that has come meanwhile together."""
        touched: dict[str, _Line] = {}
        self._signalled = False  # first: whoever asks from now on wakes this thread
        while self._asked:
            node, news = self._asked.popleft()
            if news is None:
                self._drop(node)
                touched.pop(node, None)
                continue
            try:
                line = touched[node] = self._line(node)
            except (DaliugeException, self._zmq.ZMQError) as error:  # the others still need it
                logger.error("news for %s cannot be sent: %s", node, error)  # noqa: TRY400
                continue
            line.outbox.put(news)
        for line in touched.values():
            self._send(line)

    def _send(self, line: _Line) -> None:
        waiting = line.outbox.unacknowledged
        for batch in line.outbox.batches():
            message = Message(self.node, line.incarnation, batch.first, batch.oldest, batch.news)
            line.socket.send(self._encoder.encode(message))
        if not waiting:
            line.due_s = clock.monotonic() + line.pause_s

    def _take_messages(self, listening: Any) -> None:
        receipts: dict[bytes, bytes] = {}
        try:
            while True:
                who, packed = listening.recv_multipart(self._zmq.NOBLOCK)
                receipts[who] = self._receipt(packed)
        except self._zmq.Again:
            pass
        except (ValueError, RecursionError):
            logger.warning("a message that is none was dropped", extra={"action": "bad-message"})
        for who, receipt in receipts.items():
            listening.send_multipart([who, receipt])

    def _receipt(self, packed: bytes) -> bytes:
        """Hand on what is new in a message; return the receipt."""
        message = self._messages.decode(packed)
        inbox = self._inboxes.setdefault(message.sender, Inbox())
        batch = Batch(message.first, message.oldest, message.news)
        fresh = inbox.take(message.incarnation, batch)
        if fresh:
            try:
                self._hear(fresh)
            except Exception:
                logger.exception("news could not be taken", extra={"action": "news-failed"})
        return self._encoder.encode(Receipt(message.incarnation, inbox.expected))

    def _take_receipts(self, socket: Any) -> None:
        line = next((one for one in self._lines.values() if one.socket is socket), None)
        try:
            while line is not None:
                receipt = self._receipts.decode(socket.recv(self._zmq.NOBLOCK))
                if receipt.incarnation == line.incarnation:
                    line.outbox.acknowledged(receipt.expected)
                    line.pause_s = RESEND_S
                    line.due_s = clock.monotonic() + line.pause_s
                    self._send(line)
        except (self._zmq.Again, ValueError, RecursionError):
            return

    def _pause_ms(self) -> int | None:
        """Return for how long nothing is to be done; None for as long as nobody asks."""
        due = [line.due_s for line in self._lines.values() if line.outbox.unacknowledged]
        return None if not due else max(0, round((min(due) - clock.monotonic()) * 1000) + 1)

    def _send_again(self) -> None:
        """Send again what should have been acknowledged, ever more rarely."""
        now = clock.monotonic()
        for line in self._lines.values():
            if line.outbox.unacknowledged and line.due_s <= now:
                line.outbox.again()
                line.pause_s = min(2 * line.pause_s, LONGEST_RESEND_S)
                self._send(line)

    def _drop(self, node: str) -> None:
        line = self._lines.pop(node, None)
        if line is not None:
            self._poller.unregister(line.socket)
            line.socket.close(0)
        self._inboxes.pop(node, None)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
