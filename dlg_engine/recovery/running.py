"""A session that can go on after its end: what is written down as it runs, and what is done again.

A runner in front of another one writes into the journal that an app begins, and, when it has
returned, what it has made, before anybody after it can know. In a session that is run once more
the apps that the plan leaves out are not called: what they made is given back.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.live import RUNNING, LiveGraph
from dlg.drops.runners import Runner, RunnerInFront
from dlg.exceptions import DaliugeException, RunError, UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.states.steps import APP, MANUAL
from dlg.support import clock
from dlg_engine.recovery.about import About, How, Outcome
from dlg_engine.recovery.journal import Attempt, Began, Done, Failed, Journal, Over, Told
from dlg_engine.recovery.keeping import CannotKeepError, Keeper, can_be_kept, remove
from dlg_engine.recovery.made import changed_rows, made_of
from dlg_engine.recovery.planning import Past, Plan, Reason, Shape, Why, past_of, plan
from dlg_engine.reuse.running import GOOD, variables_told

if TYPE_CHECKING:
    from dlg_engine.reuse.running import Reuse

logger = logging.getLogger(__name__)

_SKIPPED = int(AppDROPStates.SKIPPED)
_NOT_KEPT = "what it made could not be kept"
_NO_PLAN = Plan({}, frozenset())


class Recovery:
    """What one session leaves beside it, and, in a session that goes on, takes from there."""

    def __init__(self, directory: Path, how: How) -> None:
        """`directory` is that of the session; nothing is made there before `open`."""
        self.how = how
        self.about = About(directory)
        self.plan = _NO_PLAN
        self.changed: Mapping[int, str] = {}
        """What is not what it was when the session ran last, by rows."""
        self.restored: list[int] = []
        """The rows of the apps that did not have to run."""
        self.held: tuple[int, ...] = ()
        """Descriptors that the commands of apps keep open as long as they run."""
        self._past = Past()
        self._is_writing = True
        self._kept_apps: frozenset[int] = frozenset()
        self._remade: set[int] = set()
        self._ends: dict[int, tuple[tuple[int, int], ...]] = {}
        self._in_use: frozenset[str] = frozenset()
        self.journal: Journal | None = None
        self._keeper = Keeper(directory, self.about.data)

    # -- the beginning and the end --------------------------------------------------------

    def open(self) -> None:
        """Get hold of the session; raise `JournalInUseError` if somebody else is at work on it.

        This waits for commands that an earlier run has left behind.
        """
        self.about.make()
        if self.how.resumable:
            self.journal = Journal(self.about.journal)
            self.held = (_wait_for_commands(self.about.lock),)

    def begin(self, graph: PhysicalGraph, live: LiveGraph, reuse: Reuse | None = None) -> None:
        """Write down what is run, and find out what of it has been done before."""
        journal = self.journal
        try:
            found = {} if reuse is None else reuse.contents
            made = made_of(graph, live, variables_told(), found)
            if not self.about.is_there:
                self.about.write_graph(graph)
        except UsageError:
            if journal is not None:
                raise
            return  # of a run that need not go on, nothing is lost but its explanation
        if journal is not None and self.about.is_there:
            old = self.about.made()
            self._past = past_of(journal.records)
            self.changed = changed_rows(old, made)
            self._make_plan(live)
            for row in self._past.done.keys() - self.plan.restored:
                journal.append(Failed(row, str(self.plan.again[row].why)))
            journal.sync()  # before it is forgotten why
        self._kept_apps = frozenset(
            row for row in range(len(graph))
            if live.flow.traits[row] & APP and _may_be_kept(live, row)
        )  # fmt: skip
        self.about.forget_outcome()
        self.about.write("made.json", made)
        self.about.write("run.json", self.how)
        if journal is not None:
            journal.records = []
            journal.append(Attempt(os.getpid(), clock.now()))

    def _make_plan(self, live: LiveGraph) -> None:
        flow = live.flow
        apps = [row for row, traits in enumerate(flow.traits) if traits & APP]
        outputs = {kept.row: kept for done in self._past.done.values() for kept in done.outputs}

        def is_lost(row: int, whole: bool) -> bool:
            kept = outputs.get(row)
            return kept is None or self._keeper.is_lost(live, kept, whole=whole)

        def is_passing(row: int) -> bool:
            drop = live.drop(row)
            return bool(drop.expireAfterUse and not drop.persist)

        shape = Shape(flow.after, flow.before, apps, is_passing)
        self.plan = plan(shape, self._past, self.changed, is_lost)
        self._in_use = frozenset(
            str(self.about.directory / kept.path)
            for row in self.plan.restored
            for kept in self._past.done[row].outputs
            if kept.path
        )

    def end(self, live: LiveGraph, status: str, reuse: Reuse | None = None) -> None:
        """Write down what came of the run, and let others go on with it."""
        if not self.about.is_there:
            return
        outcome = Outcome(
            status=status, ended=clock.now(), statuses=bytes(live.flow.status),
            reused=[] if reuse is None else reuse.reused, restored=self.restored,
            errors={row: repr(error) for row, error in list(live.flow.failures.items())},
            again=self.told(live)["again"], left_alone={} if reuse is None else reuse.left_alone,
        )  # fmt: skip
        try:
            self.about.write("outcome.json", outcome)
        except RunError as error:
            live.warnings.append(str(error))
        self._write(live, Over(status, outcome.ended))

    def close(self) -> None:
        """Give everything back; nothing can be written any more."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        for descriptor in self.held:
            os.close(descriptor)
        self.held = ()

    # -- in the run -----------------------------------------------------------------------

    def give_back(self, live: LiveGraph, row: int) -> bool:
        """Let the outputs of app `row` be what it has made before; False if it must run."""
        if row not in self.plan.restored:
            return False
        before, after = live.flow.before[row], live.flow.after[row]
        if self._remade and not self._remade.isdisjoint(before):
            self._remade.update(after)
            return False
        try:
            for kept in self._past.done[row].outputs:
                self._keeper.give_back(live, kept)
        except (DaliugeException, OSError) as error:
            text = "app %s is run again, as what it made cannot be used: %s"
            logger.warning(text, live.uids[row], error, extra={"action": "not_restored"})
            if not all(live.drop(target).take_back() for target in after):
                raise  # then it cannot run either: this is its failure
            self._remade.update(after)
            return False
        self.restored.append(row)
        return True

    def app_begins(self, live: LiveGraph, row: int) -> None:
        """Write down that app `row` is about to be called, and clear its place."""
        flow, directory = live.flow, self.about.directory
        absent: list[int] = []
        for target in flow.after[row]:
            if hasattr(live.classes[live.class_ids[target]], "path"):
                drop = live.drop(target)
                path = Path(drop.path)
                inside = path.is_relative_to(directory)
                if self._past.when or self._past.begun or self._past.failed:
                    self._clear(drop, path, ours=inside or target in self._past.absent)
                if not inside and not path.exists():
                    absent.append(target)
        ends = tuple((i, flow.status[i]) for i in flow.before[row] if flow.status[i] not in GOOD)
        if ends:
            self._ends[row] = ends
        self._write(live, Began(row, tuple(absent)))

    def _clear(self, drop: Any, path: Path, *, ours: bool) -> None:
        """Remove what an earlier try of the session has left at the place of an output."""
        if ours and str(path) not in self._in_use and (path.exists() or path.is_symlink()):
            remove(drop)

    def app_ended(self, live: LiveGraph, row: int, failure: BaseException | None) -> None:
        """Write down what came of app `row`, which has just returned."""
        if live.flow.exec_status[row] != RUNNING:
            return  # cancelled
        ends = self._ends.pop(row, ())
        if failure is not None:
            self._write(live, Failed(row, repr(failure)))
        elif row in self._kept_apps:
            try:
                outputs = tuple(self._keep(live, target, row) for target in live.flow.after[row])
            except Exception as error:  # noqa: BLE001  a value may refuse in any way
                text = "app %s would be run again on resuming, as it cannot be kept: %s"
                logger.info(text, live.uids[row], error, extra={"action": "not_kept"})
                self._write(live, Failed(row, f"{_NOT_KEPT}: {error}"))
            else:
                self._write(live, Done(row, outputs, ends))

    def _keep(self, live: LiveGraph, row: int, maker: int) -> Any:
        if any(
            live.flow.exec_status[app] != _SKIPPED for app in live.flow.before[row] if app != maker
        ):
            raise CannotKeepError(f"other apps write to {live.uids[row]}, too")
        drop = live.objects[row]
        if drop is not None and live.flow.status[row] <= DROPStates.WRITING:
            try:
                drop._close_writer()  # noqa: SLF001  as completing it would do next
            except Exception as error:  # not all has been written: the disk is full
                live.apply(live.flow.fail, row, error)
                raise
        return self._keeper.keep(live, row)

    def _write(self, live: LiveGraph, record: Told) -> None:
        journal = self.journal
        if journal is None or not self._is_writing:
            return
        try:
            journal.append(record)
        except RunError as error:
            # The run is worth more than that it could be resumed.
            self._is_writing = False
            live.warnings.append(f"{error}: what comes after that cannot be resumed")

    # -- telling --------------------------------------------------------------------------

    def told(self, live: LiveGraph) -> dict[str, Any]:
        """Return for the report which apps did not run, and why others did so once more."""
        again = {
            live.uids[row]: self._told(live, reason)
            for row, reason in self.plan.again.items()
            if row in self._past.done or reason.why in _BY_ITSELF
        }
        return {"restored": tuple(live.uids[row] for row in self.restored), "again": again}

    def _told(self, live: LiveGraph, reason: Reason) -> str:
        what = self.changed.get(reason.row, "")
        if reason.why is Why.FAILED:
            said = self._past.failed[reason.row]
            return said if said.startswith(_NOT_KEPT) else f"{reason.why}: {said}"
        if reason.why is Why.CHANGED:
            return f"{reason.why}: {what}"
        if reason.why is Why.READS_CHANGED:
            return f"{reason.why}: {what} of {live.uids[reason.row]}"
        if reason.why in {Why.LOST, Why.BEHIND, Why.OLDER}:
            return f"{reason.why}: {live.uids[reason.row]}"
        return str(reason.why)


_BY_ITSELF = frozenset({Why.BEGUN, Why.FAILED})


class RecoveringRunner(RunnerInFront):
    """Runs apps as another runner does, writes down what they do, and leaves out what is done."""

    def __init__(self, inner: Runner, recovery: Recovery, workers: int) -> None:
        super().__init__(inner)
        self.workers = workers
        self._recovery = recovery

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Give back what app `row` has made before, or run it between two records."""
        recovery = self._recovery
        if recovery.give_back(live, row):
            return None
        recovery.app_begins(live, row)
        failure = self._inner.call(live, row)
        recovery.app_ended(live, row, failure)
        return failure


def _may_be_kept(live: LiveGraph, row: int) -> bool:
    """Return whether app `row` need not run again once it is done, as far as classes say."""
    flow = live.flow
    if flow.traits[row] & MANUAL or any(row in live.streams.get(i, ()) for i in flow.before[row]):
        return False
    return all(
        can_be_kept(live.classes[live.class_ids[target]])
        and target not in live.streams
        and target not in live.children
        for target in flow.after[row]
    )


def _wait_for_commands(path: Path) -> int:
    """Return a descriptor that commands inherit, once those of an earlier run have ended.

    A killed process leaves the commands behind that its apps had started, and what they still
    write would mix with what is written now.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = "waiting for commands that the last run of the session has left behind"
            logger.warning(text, extra={"action": "wait_for_commands"})
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
