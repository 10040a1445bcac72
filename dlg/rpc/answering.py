"""The side that is called: a table of methods, and rules for calls that come late or twice.

A network keeps calls for a side that is down or frozen and delivers them when it is back, long
after the caller gave up, and it may deliver one twice. So a call says for which life of this
process it is meant, when it left (on this side's clock, which the caller learns from `hello`) and
how long its caller waits. What is late or meant for an earlier life is not carried out. What comes
twice is carried out once, and both get the one answer.
"""

from __future__ import annotations

import heapq
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from dlg.exceptions import RunError, UsageError
from dlg.rpc.failures import take_apart
from dlg.rpc.messages import (
    Answer,
    Call,
    PackingError,
    pack_answer,
    unpack_body,
    unpack_call,
)
from dlg.support import clock

logger = logging.getLogger(__name__)


class LateCallError(RunError):
    """A call arrived after its caller had given up; it was not carried out."""


class OtherLifeError(RunError):
    """A call was meant for a process that has ended; it was not carried out."""


class UnknownMethodError(UsageError):
    """A method was called that the other side does not offer."""


class Answerer:
    """Answers packed calls from a table of methods; may be called from any thread.

    A call for no life in particular is a greeting: its answer tells the name of this one, and the
    time on this side's clock.
    """

    def __init__(self, methods: Mapping[str, Callable[..., Any]]) -> None:
        self.incarnation = uuid.uuid4().hex
        self._methods = dict(methods)
        self._lock = threading.Lock()
        self._known: dict[bytes, Future[bytes]] = {}
        self._due: list[tuple[float, bytes]] = []

    def answer(self, packed: bytes) -> bytes:
        """Carry out a call and return the packed answer. Whatever goes wrong is in the answer."""
        try:
            call = unpack_call(packed)
        except (ValueError, RecursionError) as error:
            return self._failed(UsageError(f"this is no call: {error}"))
        if not call.incarnation:
            return pack_answer(Answer(clock.monotonic(), self.incarnation))
        now = clock.monotonic()
        if call.incarnation != self.incarnation:
            return self._failed(OtherLifeError("the process that was called has ended"))
        if now - call.sent_s > call.remaining_s:
            late = now - call.sent_s - call.remaining_s
            return self._failed(LateCallError(f"the call came {late:.1f} s late"))
        first, result = self._enter(call, now)
        if first:
            result.set_result(self._carry_out(call))
        try:
            return result.result(call.remaining_s)
        except TimeoutError as error:
            return self._failed(error)

    def _enter(self, call: Call, now: float) -> tuple[bool, Future[bytes]]:
        """Return whether the call is here for the first time, and where its answer will be."""
        with self._lock:
            while self._due and self._due[0][0] < now:
                self._known.pop(heapq.heappop(self._due)[1], None)
            known = self._known.get(call.request_id)
            if known is not None:
                return False, known
            result: Future[bytes] = Future()
            self._known[call.request_id] = result
            # Later than that it would be refused as late: it need not be remembered for longer.
            heapq.heappush(self._due, (call.sent_s + call.remaining_s, call.request_id))
            return True, result

    def _carry_out(self, call: Call) -> bytes:
        try:
            body = unpack_body(call.body)
            value = self._method(body.method)(*body.args, **body.kwargs)
            return pack_answer(Answer(clock.monotonic(), value))
        except PackingError as error:
            return self._failed(error)
        except BaseException as error:
            logger.debug("a call failed", exc_info=True, extra={"action": "rpc-failed"})
            return self._failed(error)

    def _method(self, name: str) -> Callable[..., Any]:
        try:
            return self._methods[name]
        except KeyError:
            raise UnknownMethodError(f"there is no method {name!r} to call") from None

    def _failed(self, error: BaseException) -> bytes:
        return pack_answer(Answer(clock.monotonic(), failure=take_apart(error)))
