"""A live graph: drops that are being run, the objects that stand for them, and one lock.

The states and rules are `dlg.states.flow.Flow`, which knows no objects. This shell owns what the
flow must not: the lock, the drop objects (made only when somebody needs one), the threads'
traffic. Effects of an event are carried out after the lock has been released, because they call
drops and listeners, which call back.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.hashing import Hashes
from dlg.drops.mailboxes import Letter, hand_over
from dlg.drops.objects import LiveObjects
from dlg.drops.surroundings import ALONE, Surroundings
from dlg.states.flow import Flow
from dlg.states.steps import Effect
from dlg.support import context
from dlg.support.interrupts import is_interrupt

logger = logging.getLogger(__name__)

Effects = list[tuple[Effect, int, int]]

RUNNING = int(AppDROPStates.RUNNING)
WRITING = int(DROPStates.WRITING)
HANDED_OUT = 32
"""How many apps are set out for the workers at a time, so that they need the lock less often."""


class LiveDrop(Protocol):
    """What a live graph asks of the objects that stand for its rows: see `AbstractDROP`."""

    def interrupt(self) -> None:
        """End what the drop waits for."""

    def release(self) -> None:
        """Let the data go."""

    def _close_writer(self) -> None: ...


class WorkerSource(Protocol):
    """What a live graph asks of its runner (`dlg.drops.runners.Runner` is the whole contract)."""

    workers: int

    def submit(self, live: LiveGraph) -> None:
        """Let one worker call `live.work(self)`."""

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run app `row`; return what it failed with."""


class LiveGraph(LiveObjects):
    """Drops that are being run.

    Workers note in `_ended` what they have run, and one of them, who holds the turn, tells the
    flow. A worker that finds the turn taken does not wait for it: whoever has the turn looks
    again after giving it back. Were they to wait for a lock, two workers would take turns at
    every single app, since a released lock goes to the thread that waits for it while the
    interpreter stays with the thread that released it.
    """

    __slots__ = (
        "_delivering", "_ended", "_left", "_out", "_turn", "boxes", "children", "flow",
        "hashes", "manual", "parents", "pending", "runner", "streams", "surroundings", "tokens",
        "warnings",
    )  # fmt: skip

    def __init__(self, flow: Flow, oids: list[str], uids: list[str], runner: WorkerSource) -> None:
        super().__init__(oids, uids)
        self.flow = flow
        flow.options = self.options
        self.streams: dict[int, list[int]] = {}
        """For each row of data with streaming consumers: those apps."""
        self.children: dict[int, list[int]] = {}
        self.parents: dict[int, int] = {}
        self.manual: list[int] = []
        """Apps that decide by themselves when they run and when they have finished."""
        self.boxes: dict[int, deque[Letter]] = {}
        """For each app that is being called: the calls that wait (`dlg.drops.mailboxes`)."""
        self.warnings: list[str] = []
        """What went wrong without being the failure of a drop."""
        self.surroundings: Surroundings = ALONE
        self.hashes: Hashes | None = None
        """Who takes the hashes of data while it is written, if somebody wants them."""
        self.runner = runner
        self.tokens = 0
        """Workers that run apps of this graph or have been asked to."""
        self.pending = 0
        """Other threads that are at work for this graph."""
        self._out: deque[int] = deque()
        """Apps handed out: RUNNING, though perhaps no worker has come to them yet."""
        self._ended: deque[tuple[int, BaseException | None]] = deque()
        """Apps that have ended, which nobody has told the flow yet."""
        self._left: deque[None] = deque()
        """Tokens given back, likewise."""
        self._turn: deque[None] = deque([None])
        """Empty while a worker has the turn: taking the one element is atomic."""
        self._delivering: dict[int, deque[tuple[Effect, int, int]]] = {}

    # -- events ---------------------------------------------------------------------------

    def apply(self, event: Callable[..., Any], *args: Any) -> Any:
        """Let the flow take `event`, a method of it, and carry out what follows from it."""
        inner = self._delivering.get(threading.get_ident())
        effects: Effects = []
        with self.lock:
            result = event(*args)
            more = self._take_note(0, effects)
            if inner is not None and effects:
                self.pending -= 1  # whoever carries effects out in this thread sees to these too
        if more:
            self.runner.submit(self)
        if inner is not None:
            inner.extend(effects)
        elif effects:
            self._deliver(effects, own=0)
        return result

    def step_in(self) -> None:
        """Say that a thread without a token is at work for this graph."""
        with self.lock:
            self.pending += 1

    def step_back(self) -> None:
        """Undo `step_in`."""
        effects: Effects = []
        with self.lock:
            self.pending -= 1
            more = self._take_note(0, effects)
        if more:
            self.runner.submit(self)
        if effects:
            self._deliver(effects, own=0)

    def start(self, rows: Iterable[int]) -> None:
        """Complete the data among `rows` and execute the apps among them."""
        self.apply(self.flow.start, rows)

    def cancel(self) -> None:
        """Cancel whatever has not ended."""
        with self.lock:
            statuses = list(self.flow.status)
        self.apply(self.cancel_rows, [r for r, s in enumerate(statuses) if s <= WRITING])

    def cancel_rows(self, rows: Iterable[int]) -> None:
        """Cancel `rows`, as one event: give it to `apply`."""
        for row in rows:
            self.flow.cancel(row)
        self.changed.notify_all()

    # -- work -----------------------------------------------------------------------------

    def work(self, runner: WorkerSource) -> None:
        """Run ready apps until there are none; the caller has been given a token by `submit`."""
        out, ended, exec_status = self._out, self._ended, self.flow.exec_status
        context.session_id.set(self.surroundings.session_id)
        if not self._go_on():  # asks for the next worker, too, before this one is busy
            return
        while True:
            try:
                row = out.popleft()
            except IndexError:
                if not self._go_on():
                    return
                continue
            if exec_status[row] == RUNNING:  # not cancelled since it was handed out
                try:
                    failure = runner.call(self, row)
                except BaseException as error:  # a mistake of the runner, and the app has not run
                    if is_interrupt(error):
                        raise
                    failure = error
                ended.append((row, failure))
                self._settle(own=1)

    def _settle(self, own: int) -> None:
        """Tell the flow of the apps that have ended, or leave it to the worker whose turn it is.

        `own` is 1 when the caller will run one of the apps that wait itself.
        """
        turn = self._turn
        effects: Effects = []
        while self._ended or self._left:
            try:
                turn.pop()
            except IndexError:
                break
            try:
                with self.lock:
                    more = self._take_note(own, effects)
            finally:
                turn.append(None)
            if more:
                self.runner.submit(self)
        if effects:
            self._deliver(effects, own)

    def _go_on(self) -> bool:
        """Return whether a worker who finds nothing to run stays; if not, its token is gone."""
        try:
            self._turn.pop()
        except IndexError:
            self._left.append(None)  # whose turn it is asks for a worker again if there is work
            self._settle(own=0)
            return False
        effects: Effects = []
        try:
            with self.lock:
                more = self._take_note(1, effects)
                stays = bool(self._out or effects)
                if not stays:
                    self.tokens -= 1
                    self._tell_if_idle()
        finally:
            self._turn.append(None)
        if more:
            self.runner.submit(self)
        self._settle(own=int(stays))  # for those who found the turn taken
        if effects:
            self._deliver(effects, own=1)
        return stays

    def _take_note(self, own: int, effects: Effects) -> bool:
        """With the lock held, tell the flow what has ended and set out what may run next.

        What must be carried out is added to `effects`; where that was empty before, the caller
        counts as `pending` from now on. Returns whether the caller must ask for one more worker,
        for which there is a token then.
        """
        flow, ended, out = self.flow, self._ended, self._out
        while self._left:  # first: who has left noted what it had run before that
            self._left.pop()
            self.tokens -= 1
        while ended:
            row, failure = ended.popleft()
            if failure is None:
                flow.finish(row)
            else:
                flow.fail(row, failure)
        while flow.ready and len(out) < HANDED_OUT:
            row = flow.ready.popleft()
            if flow.claim(row):
                out.append(row)
        if flow.effects:
            self.pending += not effects
            effects += flow.effects
            flow.effects.clear()
        if self.tokens < self.runner.workers and len(out) > own:
            self.tokens += 1
            return True
        if not self.tokens:
            self._tell_if_idle()
        return False

    def leave(self) -> None:
        """Give a token back without having worked."""
        with self.lock:
            self.tokens -= 1
            self._tell_if_idle()

    @property
    def idle(self) -> bool:
        """Whether nothing is running, ready, or about to be."""
        if self.tokens or self.pending or self.flow.ready or self._out:
            return False
        return not any(self.flow.exec_status[row] == RUNNING for row in self.manual)

    @property
    def handed_out(self) -> int:
        """How many apps are RUNNING of which no worker has come to yet."""
        return len(self._out)

    def _tell_if_idle(self) -> None:
        if self.idle:
            self.changed.notify_all()

    # -- effects --------------------------------------------------------------------------

    def _deliver(self, effects: Effects, own: int) -> None:
        """Carry out `effects`, which count as `pending`, and whatever has come up meanwhile."""
        while effects:
            try:
                self._carry_out(effects)
            except BaseException:
                with self.lock:
                    self.pending -= 1
                raise
            effects = []
            with self.lock:
                self.pending -= 1
                more = self._take_note(own, effects)
            if more:
                self.runner.submit(self)

    def _carry_out(self, effects: Effects) -> None:
        """Do what an event asks for; what that asks for in turn is queued, not nested."""
        me = threading.get_ident()
        if me in self._delivering:  # a runner that works inline has been asked to from in there
            self._delivering[me].extend(effects)
            return
        queue = self._delivering[me] = deque(effects)
        try:
            while queue:
                self._carry_out_one(*queue.popleft())
        finally:
            del self._delivering[me]

    def _carry_out_one(self, effect: Effect, row: int, other: int) -> None:
        try:
            if effect is Effect.SEAL:
                self.drop(row).setCompleted()
            elif effect is Effect.INFORM:
                status = DROPStates(self.flow.status[other])
                hand_over(self, row, "dropCompleted", self.uids[other], status)
            elif effect is Effect.TELL:
                self.drop(row)._tell(DROPStates(other))
            elif effect is Effect.END:
                self.apply(self._end)
            elif effect is Effect.LOOK_AFTER:
                self.surroundings.look_after(self, row)
            elif self.objects[row] is not None:
                self._close_up(effect, self.objects[row])
        except BaseException as error:
            if is_interrupt(error):
                raise
            logger.warning("drop %s failed", self.uids[row], exc_info=error)
            if effect is Effect.RELEASE:
                self.warnings.append(f"{self.uids[row]}: the data could not be deleted: {error!r}")
            else:
                self.apply(self.flow.fail, row, error)

    def _end(self) -> None:
        """Skip all that has not begun, apps that were handed out as well; give it to `apply`."""
        with suppress(IndexError):  # workers take from it meanwhile
            while True:
                self.flow.skip(self._out.popleft())
        self.flow.end()

    def _close_up(self, effect: Effect, drop: LiveDrop) -> None:
        if effect is Effect.CLOSE:
            drop._close_writer()
        elif effect is Effect.RELEASE and self.surroundings.expires:
            drop.release()
        elif effect is Effect.STOP:
            drop.interrupt()
