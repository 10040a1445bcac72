"""The side that calls: one `Peer` for each process that is called, over any transport."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from dlg.rpc.answering import OtherLifeError
from dlg.rpc.contract import Address, CallTimeoutError, Transport
from dlg.rpc.failures import put_together
from dlg.rpc.messages import Answer, Call, pack_body, pack_call, unpack_answer
from dlg.support import clock

DEFAULT_TIMEOUT_S = 30.0
GRACE_S = 0.05
"""For how much longer an answer is waited for than the other side is told: so that a clock that
is a little ahead there, or behind here, does not let it carry out what was given up here."""
_FRESH_S = 60.0
"""For how long a comparison of two clocks is good: they may run at different speeds."""


@dataclass(slots=True)
class _Known:
    """What is known of the other side: its present life, and how far ahead its clock is."""

    incarnation: str
    ahead_s: float
    since_s: float


@dataclass(slots=True)
class _Pending:
    """A call on its way."""

    number: int
    body: bytes
    deadline_s: float
    result: Future[Any]


class Peer:
    """Another process, to be called. May be used by any number of threads."""

    def __init__(self, transport: Transport, address: Address) -> None:
        self.address = address
        self._transport = transport
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._name = uuid.uuid4().bytes
        self._last = 0
        self._waiting: OrderedDict[int, None] = OrderedDict()
        """The numbers of calls whose answers somebody waits for, the lowest first."""

    def call(
        self, method: str, *args: Any, timeout_s: float = DEFAULT_TIMEOUT_S, **kwargs: Any
    ) -> Any:
        """Call a method there and return what it returns.

        Raises what the method raises, as its class and with the remote traceback as a note;
        PackingError if an argument cannot be sent; CallTimeoutError or PeerLostError.
        """
        return self.submit(method, *args, timeout_s=timeout_s, **kwargs).result()

    def submit(
        self, method: str, *args: Any, timeout_s: float = DEFAULT_TIMEOUT_S, **kwargs: Any
    ) -> Future[Any]:
        """Start a call and return its future; only PackingError is raised at once."""
        body = pack_body(method, args, kwargs)
        deadline = clock.monotonic() + timeout_s
        with self._lock:
            self._last += 1
            number = self._last
            self._waiting[number] = None
        pending = _Pending(number, body, deadline, Future())
        pending.result.set_running_or_notify_cancel()
        pending.result.add_done_callback(partial(self._settle, number))
        self._go(pending)
        return pending.result

    def _settle(self, number: int, _: Future[Any]) -> None:
        """Note that nobody waits for a call any more; later calls tell the other side."""
        with self._lock:
            self._waiting.pop(number, None)

    # -- on the way --------------------------------------------------------------------------

    def _go(self, pending: _Pending) -> None:
        """Send a call, or first ask who is there."""
        with self._lock:
            known = self._known
            settled = next(iter(self._waiting), pending.number)
        if known is None:
            hello = Call(self._name, 0, 0, "", 0.0, 0.0, b"")
            self._send(pending, hello, self._learn)
            return
        now = clock.monotonic()
        call = Call(
            self._name,
            pending.number,
            settled,
            known.incarnation,
            now + known.ahead_s,
            pending.deadline_s - now,
            pending.body,
        )
        self._send(pending, call, self._finish)

    def _send(
        self, pending: _Pending, call: Call, then: Callable[[_Pending, Answer], None]
    ) -> None:
        remaining = pending.deadline_s - clock.monotonic()
        if remaining <= 0:
            pending.result.set_exception(
                CallTimeoutError(f"{self.address} did not answer in time")
            )
            return

        def came(sent: Future[bytes]) -> None:
            try:
                answer = unpack_answer(sent.result())
                self._compare_clocks(answer)
                then(pending, answer)
            except Exception as error:  # noqa: BLE001  whoever waits is told
                if not pending.result.done():
                    pending.result.set_exception(error)

        sent = self._transport.send(self.address, pack_call(call), remaining + GRACE_S)
        sent.add_done_callback(came)

    def _learn(self, pending: _Pending, answer: Answer) -> None:
        ahead = answer.now_s - clock.monotonic()
        with self._lock:
            self._known = _Known(str(answer.value), ahead, clock.monotonic())
        self._go(pending)

    def _compare_clocks(self, answer: Answer) -> None:
        """Take the answer that was quickest: how far ahead the other clock is at least.

        With less than the truth a call counts as older than it is, never as younger: what its
        caller has given up is not carried out.
        """
        now = clock.monotonic()
        ahead = answer.now_s - now
        with self._lock:
            known = self._known
            if known and (ahead > known.ahead_s or now - known.since_s > _FRESH_S):
                known.ahead_s, known.since_s = ahead, now

    def _finish(self, pending: _Pending, answer: Answer) -> None:
        if answer.failure is None:
            pending.result.set_result(answer.value)
            return
        error = put_together(answer.failure, str(self.address))
        if isinstance(error, OtherLifeError):
            # It was started anew; the call has not been carried out, so it may be sent again.
            with self._lock:
                self._known = None
            self._go(pending)
            return
        pending.result.set_exception(error)
