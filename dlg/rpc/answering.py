"""The side that is called: a table of methods, and rules for calls that come late or twice.

A network keeps calls for a side that is down or frozen and delivers them when it is back, long
after the caller gave up, and it may deliver one twice. So a call says for which life of this
process it is meant, when it left (on this side's clock, which the caller learns from `hello`) and
how long its caller waits. What is late or meant for an earlier life is not carried out. What comes
twice is carried out once, and both get the one answer.

Callers number their calls, and with each tell below which number nobody waits for an answer: so
answers need not be kept for as long as a call could come twice, and what stays is little.
"""

from __future__ import annotations

import heapq
import logging
import threading
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
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


KEPT = 1 << 14
"""How many bytes an answer may have to be kept until its call would be too late."""


class LateCallError(RunError):
    """A call arrived after its caller had given up; it was not carried out."""


class OtherLifeError(RunError):
    """A call was meant for a process that has ended; it was not carried out."""


class UnknownMethodError(UsageError):
    """A method was called that the other side does not offer."""


@dataclass(slots=True)
class _Caller:
    """What is known of the calls of one caller."""

    settled: int = 0
    due_s: float = 0.0
    """From then on all its calls would be late."""
    answers: OrderedDict[int, Future[bytes] | bytes] = field(default_factory=OrderedDict)
    """By number; nearly in the order of the numbers."""

    def settle(self, number: int) -> None:
        """Forget the answers to calls below `number`."""
        self.settled = max(self.settled, number)
        while self.answers and next(iter(self.answers)) < self.settled:
            self.answers.popitem(last=False)


class Answerer:
    """Answers packed calls from a table of methods; may be called from any thread.

    A call for no life in particular is a greeting: its answer tells the name of this one, and the
    time on this side's clock.
    """

    def __init__(self, methods: Mapping[str, Callable[..., Any]]) -> None:
        self.incarnation = uuid.uuid4().hex
        self._methods = dict(methods)
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        """How often each method was called."""
        self.failures: Counter[str] = Counter()
        """How often a call of it ended in an error."""
        self._callers: dict[bytes, _Caller] = {}
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
        if isinstance(result, bytes):
            return result
        if first:
            packed = self._carry_out(call)
            result.set_result(packed)
            self._keep(call, packed)
            return packed
        try:
            return result.result(call.remaining_s)
        except TimeoutError as error:
            return self._failed(error)

    def _keep(self, call: Call, packed: bytes) -> None:
        """Keep an answer for those who call again, unless it is big: it could be many for long."""
        if len(packed) > KEPT:
            packed = self._answered()
        with self._lock:
            caller = self._callers.get(call.caller)
            if caller is not None and call.number in caller.answers:
                caller.answers[call.number] = packed

    def _answered(self) -> bytes:
        return self._failed(LateCallError("the call was answered before"))

    def _enter(self, call: Call, now: float) -> tuple[bool, Future[bytes] | bytes]:
        """Return whether the call is here for the first time, and its answer or where it comes."""
        with self._lock:
            self._forget(now)
            caller = self._callers.get(call.caller)
            # Later than that it would be refused as late: it need not be remembered for longer.
            due = call.sent_s + call.remaining_s
            if caller is None:
                caller = self._callers[call.caller] = _Caller()
                heapq.heappush(self._due, (due, call.caller))
            caller.due_s = max(caller.due_s, due)
            caller.settle(call.settled)
            if call.number < caller.settled:
                return False, self._answered()
            known = caller.answers.get(call.number)
            if known is not None:
                return False, known
            result: Future[bytes] = Future()
            caller.answers[call.number] = result
            return True, result

    def _forget(self, now: float) -> None:
        """Forget callers all of whose calls would be late."""
        while self._due and self._due[0][0] < now:
            _, name = heapq.heappop(self._due)
            due = self._callers[name].due_s
            if due < now:
                del self._callers[name]
            else:
                heapq.heappush(self._due, (due, name))

    def _carry_out(self, call: Call) -> bytes:
        name = ""
        try:
            body = unpack_body(call.body)
            method = self._method(body.method)
            name = body.method
            packed = pack_answer(Answer(clock.monotonic(), method(*body.args, **body.kwargs)))
        except PackingError as error:
            return self._count(name, self._failed(error), failed=True)
        except BaseException as error:
            logger.debug("a call failed", exc_info=True, extra={"action": "rpc-failed"})
            return self._count(name, self._failed(error), failed=True)
        return self._count(name, packed, failed=False)

    def _count(self, method: str, packed: bytes, *, failed: bool) -> bytes:
        """Return the answer to a call of `method`; "" stands for one that is not offered."""
        with self._lock:
            self.calls[method] += 1
            self.failures[method] += failed
        return packed

    def _method(self, name: str) -> Callable[..., Any]:
        try:
            return self._methods[name]
        except KeyError:
            raise UnknownMethodError(f"there is no method {name!r} to call") from None

    def _failed(self, error: BaseException) -> bytes:
        return pack_answer(Answer(clock.monotonic(), failure=take_apart(error)))
