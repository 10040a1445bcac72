"""The state of every drop of a graph, as a program without I/O: events in, effects out.

A drop is a row in a few columns. An event (`complete`, `finish`, `fail`, ...) changes the states
of its row and of everything that follows from it, in one loop without recursion, and leaves two
things behind: rows that may run now (`ready`) and `effects` that somebody who owns drop objects,
locks and threads has to carry out (`dlg.drops.live`). `_set_data` and `_set_app` are the only
places that change a status.

The loop is what a graph's execution costs, so it works on plain lists and bytearrays and looks
anything unusual up in sparse dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterable

from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import UnexpectedEventError
from dlg.states import firing
from dlg.states.columns import Columns
from dlg.states.firing import NOTHING_BAD, Decision, Tally
from dlg.states.steps import (
    APP,
    APP_CANCEL,
    APP_FAIL,
    APP_OPEN,
    APP_SKIP,
    APP_STATUS,
    BAD_ENDS,
    CLOSED_WELL,
    COMPLETE,
    COMPLETED,
    DATA_CANCEL,
    DATA_ENDS,
    DATA_FAIL,
    DATA_OPEN,
    DATA_SKIP,
    DELETE,
    EXPIRE,
    FINISH,
    FINISHED,
    GATE,
    HOLDS,
    LOOKED_AFTER,
    MANUAL,
    NOT_RUN,
    REFUSED,
    RUN,
    RUNNING,
    SEALED,
    TOLD,
    UNCHANGED,
    WATCHED,
    WRITE,
    Effect,
    Steps,
)


class Flow(Columns):
    """The states of a graph's drops and the rules by which they move."""

    __slots__ = ()

    def start(self, rows: Iterable[int]) -> None:
        """Complete the data among `rows` and make the apps among them ready."""
        for row in rows:
            if not self.traits[row] & APP:
                self.complete(row)
            elif self.exec_status[row] == NOT_RUN:
                self.ready.append(row)

    # -- events of apps -------------------------------------------------------------------

    def claim(self, row: int) -> bool:
        """Set app `row` to RUNNING; return False if it ran, was skipped or cancelled before."""
        if self.exec_status[row] != NOT_RUN:
            return False
        self._set_app(row, RUN)
        return True

    def finish(self, row: int) -> None:
        """App `row` has done its work."""
        if self._set_app(row, FINISH) == FINISHED:
            self._spread(row)

    def fail(self, row: int, failure: BaseException) -> None:
        """`row`, an app or data, failed by itself."""
        before = self.status[row]
        if self.traits[row] & APP:
            self._set_app(row, APP_FAIL)
        else:
            self._set_data(row, DATA_FAIL)
        if self.status[row] != before:
            self.failures[row] = failure
            if before in DATA_OPEN:  # those after it have heard of no other end before
                self._spread(row)

    def skip(self, row: int) -> None:
        """Skip `row`; data with several producers and `block_skip` waits until all have."""
        if self.traits[row] & APP:
            if self.exec_status[row] in APP_OPEN:
                self._set_app(row, APP_SKIP)
                self._spread(row)
            return
        producers = len(self.before[row])
        if producers > 1 and self.options(row).block_skip:
            tally = self.tallies.setdefault(row, Tally())
            tally.add(S.SKIPPED, row)
            if tally.skipped < producers:
                return
        if self.status[row] in DATA_OPEN:
            self._set_data(row, DATA_SKIP)
            self._spread(row)

    def cancel(self, row: int) -> None:
        """Give `row` up; what has ended already stays as it is."""
        if self.traits[row] & APP:
            if self.exec_status[row] in APP_OPEN:
                if self.exec_status[row] == RUNNING:
                    self.effects.append((Effect.STOP, row, row))
                self._set_app(row, APP_CANCEL)
                self._spread(row)
        elif self.status[row] in DATA_OPEN:
            self._set_data(row, DATA_CANCEL)
            self._spread(row)

    def end(self) -> None:
        """Skip everything that has not begun: an end marker was reached.

        The outputs of an app that is running have; they end with it.
        """
        exec_status = self.exec_status
        for row, status in enumerate(self.status):
            if status not in DATA_OPEN or exec_status[row] != NOT_RUN:
                continue
            if self.traits[row] & APP or all(exec_status[i] != RUNNING for i in self.before[row]):
                self.skip(row)

    # -- events of data -------------------------------------------------------------------

    def write(self, row: int) -> None:
        """Data is being written to `row`."""
        self._set_data(row, WRITE)

    def complete(self, row: int) -> None:
        """All data of `row` has arrived (through its object first, where that has work to do)."""
        if self.traits[row] & SEALED and self.status[row] in DATA_OPEN:
            self.effects.append((Effect.SEAL, row, row))
        else:
            self.sealed(row)

    def sealed(self, row: int) -> None:
        """All data of `row` has arrived and its object has done its work."""
        if self.status[row] in DATA_OPEN:
            self._set_data(row, COMPLETE)
            self._spread(row)

    def expire(self, row: int) -> None:
        """The data of `row` may no longer be read."""
        self._set_data(row, EXPIRE)

    def delete(self, row: int) -> None:
        """The data of `row` is gone."""
        self._set_data(row, DELETE)

    def report(self, row: int, state: S, cause: int | None = None) -> None:
        """Something before `row` has ended in `state`, here or in another graph.

        `cause` is the row whose fault it is, if it is one of this graph.
        """
        self.waiting[row] -= 1
        if state is not S.COMPLETED:
            self.tallies.setdefault(row, Tally()).add(state, row if cause is None else cause)
        if not self.waiting[row] and self._settle(row):
            self._spread(row)

    # -- the rules ------------------------------------------------------------------------

    def _spread(self, row: int) -> None:  # noqa: C901, PLR0912  what running a graph costs
        """Report the end of `row` to all after it, and so on, until nothing moves any more."""
        traits, waiting, tallies, after = self.traits, self.waiting, self.tallies, self.after
        status, exec_status = self.status, self.exec_status
        stack = [row]
        while stack:
            row = stack.pop()
            good, trait = status[row] == COMPLETED, traits[row]
            if trait & APP:
                if self.users or self.readers:
                    self.used(row)
            elif good and trait & HOLDS:
                stack += self._completed_around(row)
                continue
            for target in after[row]:
                kind = traits[target]
                if not good or kind & MANUAL or target in tallies:
                    if self._hear(target, row):
                        stack.append(target)
                    continue
                left = waiting[target] = waiting[target] - 1
                if left:
                    continue
                if kind & APP:
                    if exec_status[target] == NOT_RUN:
                        self.ready.append(target)
                elif self._arrived(target):
                    stack.append(target)

    def _completed_around(self, row: int) -> list[int]:
        """Tell the container of `row`, but no app, of its end; return it if that ends it."""
        around = [target for target in self.after[row] if not self.traits[target] & APP]
        return [target for target in around if self._hear(target, row)]

    def _hear(self, target: int, row: int) -> bool:
        """Tell `target` of the end of `row`, where something is unusual; return if it ends it."""
        if self.traits[target] & MANUAL:
            self.effects.append((Effect.INFORM, target, row))
            return False
        left = self.waiting[target] = self.waiting[target] - 1
        if self.status[row] != COMPLETED:
            cause = self.stopped_by.get(row, row)
            self.tallies.setdefault(target, Tally()).add(S(self.status[row]), cause)
        return not left and self._settle(target)

    def _arrived(self, row: int) -> bool:
        """Complete data of which everything before has ended well; return whether that ends it."""
        if self.status[row] not in DATA_OPEN:
            return False
        if self.traits[row] & SEALED:
            self.effects.append((Effect.SEAL, row, row))
            return False
        self._set_data(row, COMPLETE)
        return True

    def _settle(self, row: int) -> bool:
        """Decide about `row`, of which all has ended, not all well; return whether it ended."""
        tally = self.tallies.get(row, NOTHING_BAD)
        options = self.options(row)
        if not self.traits[row] & APP:
            if self.status[row] not in DATA_OPEN:
                return False
            state = firing.outcome(len(self.before[row]), tally, options)
            if state is S.COMPLETED and self.traits[row] & SEALED:
                self.effects.append((Effect.SEAL, row, row))
                return False
            self.blame(row, tally, state)
            self._set_data(row, DATA_ENDS[state])
            return True
        if self.exec_status[row] != NOT_RUN:
            return False
        effective = self.effective.get(row, len(self.before[row]))
        decision = firing.decide(effective, effective, tally, options)
        if decision is Decision.RUN:
            self.ready.append(row)
            return False
        steps = BAD_ENDS[decision]
        self.blame(row, tally, S(APP_STATUS[steps[NOT_RUN]]))
        self._set_app(row, steps)
        return True

    def _set_data(self, row: int, steps: Steps) -> int:
        """Take one step of the data table: nothing else changes the status of data."""
        before = self.status[row]
        after = steps[before]
        if after == REFUSED:
            raise UnexpectedEventError(S(before).name, steps.event)
        if after != before:
            self.status[row] = after
            trait = self.traits[row]
            if not trait & TOLD:
                return after
            if trait & WATCHED:
                self.effects.append((Effect.TELL, row, after))
            if trait & SEALED and after not in CLOSED_WELL:
                self.effects.append((Effect.CLOSE, row, after))
            if trait & GATE and after == COMPLETED:
                self.effects.append((Effect.END, row, after))
            if trait & LOOKED_AFTER and after == COMPLETED:
                self.effects.append((Effect.LOOK_AFTER, row, after))
        return after

    def _set_app(self, row: int, steps: Steps) -> int:
        """Take one step of the app table: nothing else changes the status of an app.

        Returns the new execution status, or UNCHANGED.
        """
        before = self.exec_status[row]
        after = steps[before]
        if after == REFUSED:
            raise UnexpectedEventError(X(before).name, steps.event)
        if after != before:
            self.exec_status[row] = after
            self.status[row] = APP_STATUS[after]
            if self.traits[row] & WATCHED:
                self.effects.append((Effect.TELL, row, self.status[row]))
            return after
        return UNCHANGED
