"""A task of a task graph as an app drop: it has a function called, as often as it takes."""

from __future__ import annotations

import base64
import contextvars
import pickle
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.away import Caller, Errand, Luggage, kept
from dlg.drops.parameters import dlg_any_param
from dlg.exceptions import RunError
from dlg.support.calls import Called, call
from dlg.taskgraph.attempts import SUCCESS, Order, Outcome

_mine = threading.local()


class CallAwayError(RunError):
    """A call was made in another process, and its result did not come here."""


class TaskApp(BarrierAppDROP):
    """Runs one task: tries it, waits, tries it again, and fails when it has failed for good.

    Where there are processes to call functions in, each call is made in one, which is killed if
    the call takes too long. Elsewhere a call that takes too long is left to itself.
    """

    __slots__ = ("_answers", "caller")

    runs_here: ClassVar[bool] = True
    calls_away: ClassVar[bool] = True
    cacheable: ClassVar[bool] = False

    work = dlg_any_param("the task of a run, or base64 of the pickle of a task that was sent here")

    caller: Caller
    _answers: SimpleQueue[Called | None]
    """Where the answer to the present call comes, if another thread makes it."""

    def interrupt(self) -> None:
        """The app was cancelled: end its call, or leave it to itself where it cannot be ended."""
        super().interrupt()
        answers: SimpleQueue[Called | None] | None = getattr(self, "_answers", None)
        if answers is not None:
            answers.put(None)

    def run(self) -> None:
        """Run the task."""
        work = self.work
        if isinstance(work, str):
            work = pickle.loads(base64.b64decode(work))  # noqa: S301  code of the graph, by design
        work.carry_out(self)

    def received(self, place: int) -> Any:
        """Return the value of an input."""
        return self.inputs[place].load()

    def deliver(self, outcome: Outcome, *, wanted: bool) -> None:
        """Store what came of the task in the second output, and its results in the first."""
        results, record = self.outputs
        if wanted and outcome.state == SUCCESS:
            results.store(outcome.results)
        record.store(outcome)
        record.setCompleted()  # a task that fails has a record as well

    def call_builder(self, order: Order, retry: int, timeout_s: float | None) -> Called:
        """Return what comes of a call; raise what keeps it from being made or its result away."""
        caller: Caller | None = getattr(self, "caller", None)
        if caller is not None and order.packed is not None:
            errand = Errand(call, Luggage(*order.packed), (order.func, retry, order.inputs))
            answer = caller(errand, timeout_s)
            if answer.trouble:
                raise CallAwayError(answer.trouble)
            called: Called = answer.value
            return called

        builder = order.builder
        if order.packed is not None:
            builder = kept(*order.packed)

        def make_call() -> Called:
            return call(builder, order.func, retry, order.inputs)

        if not order.limited:
            return make_call()
        self._answers = SimpleQueue()
        if not self.is_running:
            raise TimeoutError("it was cancelled")
        return _helper().call(make_call, timeout_s, self._answers)


class _Helper:
    """A thread that makes calls for another one, which need not wait for ever."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        thread = threading.Thread(target=_serve, args=(self._asked,), daemon=True)
        thread.name = f"{threading.current_thread().name}-calls"
        thread.start()

    def call(
        self,
        make_call: Callable[[], Called],
        timeout_s: float | None,
        answers: SimpleQueue[Called | None],
    ) -> Called:
        """Return what `make_call` returns, which comes through `answers`.

        Raises `TimeoutError` if that takes too long, or somebody else puts None there.
        """
        context = contextvars.copy_context()
        self._asked.put(lambda: answers.put(context.run(make_call)))
        try:
            answer = answers.get(timeout=None if timeout_s is None else max(0.0, timeout_s))
            if answer is not None:
                return answer
            why = "it was cancelled"
        except Empty:
            why = f"it took longer than {timeout_s:g} s"
        del _mine.helper  # the thread ends once the call has; the next call gets another one
        raise TimeoutError(why)

    def __del__(self) -> None:
        """Let the thread end, as nobody will ask it again."""
        self._asked.put(None)


def _helper() -> _Helper:
    """Return the helper of this thread."""
    found: _Helper | None = getattr(_mine, "helper", None)
    if found is None:
        found = _mine.helper = _Helper()
    return found


def _serve(asked: SimpleQueue[Callable[[], None] | None]) -> None:
    while (make_call := asked.get()) is not None:
        make_call()
        del make_call  # it may hold what is big
