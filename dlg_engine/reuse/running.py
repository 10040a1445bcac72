"""Apps that need not run, as what they would make is in the store.

The key of data is its strict signature. Looked for and kept is only what hangs on nothing else
than what is signed: an app that is not `cacheable`, data from outside that nobody can hash,
streams, containers, and everything behind them, are left alone. What an app makes is kept when it
has returned, before anybody reads it, and only if all it has read came to a good end.
"""

from __future__ import annotations

import hashlib
import logging
import platform
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlg import settings
from dlg.data.memory import InMemoryDROP
from dlg.data.null import NullDROP
from dlg.data.shared_memory import SharedMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.app_base import AppDROP
from dlg.drops.hashing import hash_written
from dlg.drops.live import RUNNING, LiveGraph
from dlg.drops.parameters import to_bool, values_of
from dlg.drops.runners import Runner, RunnerInFront
from dlg.exceptions import DaliugeException, UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.graph.walk import topological_order
from dlg.reproducibility.strict import Evidence, Signer
from dlg.states.steps import APP, MANUAL
from dlg.support.content import hash_of_directory, hash_of_file, stamp_of
from dlg_engine.reuse import contents
from dlg_engine.reuse.entries import Entry
from dlg_engine.reuse.store import Facts, Store

logger = logging.getLogger(__name__)

GOOD = frozenset({DROPStates.COMPLETED, DROPStates.EXPIRED, DROPStates.DELETED})
_EMPTY = (InMemoryDROP, SharedMemoryDROP, NullDROP)
"""Classes whose data, where no app writes them, stand in the graph or are nothing at all."""


class Reuse:
    """What one run takes from a store and leaves in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reused: list[int] = []
        """The rows of the apps that did not have to run."""
        self.left_alone: dict[int, str] = {}
        """The rows of the apps that are always run, and why."""
        self.contents: dict[int, str] = {}
        """The hash of data from outside, by rows."""
        self._keys: dict[int, str] = {}
        self._apps: frozenset[int] = frozenset()
        self._outside: dict[int, tuple[Path, object]] = {}
        self._dirty: set[int] = set()
        self._who = Facts(form="")

    def begin(self, graph: PhysicalGraph, live: LiveGraph) -> None:
        """Find out which apps of a graph need not run if what they make is in the store."""
        after, before = graph.neighbours
        alone: dict[int, str] = {}
        found: dict[int, str] = {}
        for row in topological_order(after, before):
            source = next((source for source in before[row] if source in alone), None)
            if source is not None:
                alone[row] = alone[source]
            elif why := self._why_alone(graph, live, row, found):
                alone[row] = why
        apps = [row for row in range(len(graph)) if live.flow.traits[row] & APP]
        self._apps = frozenset(r for r in apps if r not in alone and keeps_all(live, r))
        self.left_alone = {
            row: alone.get(row) or f"what {live.uids[row]} makes cannot be kept"
            for row in apps if row not in self._apps
        }  # fmt: skip
        self.contents = found
        self._sign(graph, live, found)
        self._begin_keeping(live)

    def _why_alone(
        self, graph: PhysicalGraph, live: LiveGraph, row: int, found: dict[int, str]
    ) -> str:
        """Return why a row must be left alone for what it is itself; empty if it need not."""
        before, who = graph.neighbours[1][row], live.uids[row]
        if live.flow.traits[row] & APP:
            same = _may_be_reused(live, row)
            return "" if same else f"{who} may make something else of the same"
        if any(not live.flow.traits[source] & APP for source in before):
            return f"{who} is a container"
        if before or self._look_at(live, row, found, graph.external):
            return ""
        return f"nobody can tell what is in {who}"

    def _begin_keeping(self, live: LiveGraph) -> None:
        """Get ready for what apps will make."""
        self._let_reuse(live, self._apps)
        session = live.surroundings.session_id
        self._who = Facts(form="", node=platform.node(), session=session)

    def _let_reuse(self, live: LiveGraph, apps: Iterable[int]) -> None:
        """Let these apps be reused, too: the keys of what they make are known."""
        self._apps = self._apps.union(apps)
        hash_written(live, (target for app in self._apps for target in live.flow.after[app]))

    def _sign(self, graph: PhysicalGraph, live: LiveGraph, found: dict[int, str]) -> None:
        if not self._apps:
            return
        try:
            signed = Signer().sign(graph, evidence=Evidence(contents=found)).drops
        except UsageError as error:
            live.warnings.append(f"nothing is reused: {error}")
            self._apps = frozenset()
            return
        told = variables_hash()
        for app in self._apps:
            for row in live.flow.after[app]:
                self._keys[row] = key_of(signed[row], told)

    def _look_at(
        self, live: LiveGraph, row: int, found: dict[int, str], external: frozenset[int]
    ) -> bool:
        """Note the hash of data from outside; return False if nobody can tell it."""
        cls: type = live.classes[live.class_ids[row]]
        if row in external:
            return False
        if issubclass(cls, _EMPTY):
            return True
        try:
            path = Path(getattr(live.drop(row), "path", ""))
            if not path.name:
                return False
            self._outside[row] = (path, stamp_of(path))  # first: it may be changed meanwhile
            found[row] = hash_of_directory(path) if path.is_dir() else hash_of_file(path)
        except (DaliugeException, OSError):
            return False  # the run says so, if it matters
        return True

    def spoil(self, rows: Iterable[int]) -> None:
        """Take note that data that came from elsewhere are not what was signed."""
        self._dirty.update(rows)

    def is_spoiled(self, row: int) -> bool:
        """Return whether data are not what was signed."""
        path, stamp = self._outside.get(row, (None, None))
        return row in self._dirty or (path is not None and stamp_of(path) != stamp)

    # -- in the run -----------------------------------------------------------------------

    def find(self, live: LiveGraph, row: int) -> list[Entry]:
        """Return what the store has for the outputs of app `row`; nothing if it must run."""
        if row not in self._apps or self._reads_other(live, row):
            return []
        entries: list[Entry] = []
        for target in live.flow.after[row]:
            entry = self._entry(self._keys[target])
            if entry is None or live.flow.status[target] != DROPStates.INITIALIZED:
                return []
            entries.append(entry)
        return entries

    def _entry(self, key: str) -> Entry | None:
        try:
            return self.store.find(key)
        except OSError as error:  # of the disk or the network: the app can still run
            logger.warning("the store cannot be read: %s", error, extra={"action": "not_reused"})
            return None

    def take(self, live: LiveGraph, row: int, entries: list[Entry]) -> bool:
        """Let the outputs of app `row` be what `find` found; return False if it must run."""
        targets = live.flow.after[row]
        try:
            for target, entry in zip(targets, entries, strict=True):
                contents.fill(self.store, entry, live.drop(target))
        except (DaliugeException, OSError) as error:
            text = "app %s is run, as what it made cannot be used: %s"
            logger.warning(text, live.uids[row], error, extra={"action": "not_reused"})
            if not all(live.drop(target).take_back() for target in targets):
                raise  # then it cannot run either: this is its failure
            return False
        self.reused.append(row)
        return True

    def keep(self, live: LiveGraph, row: int) -> None:
        """Keep what app `row` has made, which has just returned; an error is only warned of."""
        targets = live.flow.after[row]
        if self._reads_other(live, row):
            self._dirty.update(targets)
            return
        if row not in self._apps or live.flow.exec_status[row] != RUNNING:
            return
        who = replace(self._who, app=_name_of(live, row))
        for target in targets:
            drop = live.drop(target)
            if live.flow.status[target] > DROPStates.WRITING:
                continue  # it was completed by the app itself, and others may be at work on it
            try:
                drop._close_writer()  # noqa: SLF001  as completing it would do next
            except Exception as error:  # noqa: BLE001  not all has been written: the disk is full
                live.apply(live.flow.fail, target, error)
                continue
            try:
                contents.keep(self.store, self._keys[target], drop, who)
            except Exception as error:  # noqa: BLE001  a value may refuse in any way
                text = "what %s made could not be kept: %s"
                logger.warning(text, live.uids[row], error, extra={"action": "not_kept"})

    def _reads_other(self, live: LiveGraph, row: int) -> bool:
        """Return whether an input of app `row` is not what was signed, or did not end well."""
        for source in live.flow.before[row]:
            if live.flow.status[source] not in GOOD or self.is_spoiled(source):
                return True
        return False


class ReusingRunner(RunnerInFront):
    """Runs apps as another runner does, unless what they make can be taken from a store.

    One worker takes small results from there faster than several, which take turns at the
    interpreter; the others are asked for as soon as there is anything else to do.
    """

    def __init__(self, inner: Runner, reuse: Reuse) -> None:
        super().__init__(inner)
        self.workers = 1
        self._reuse = reuse

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Take what app `row` makes from the store, or run it and keep what it has made."""
        entries = self._reuse.find(live, row)
        if not entries or any(entry.held is None for entry in entries):
            self._get_help(live)
        if entries and self._reuse.take(live, row, entries):
            return None
        failure = self._inner.call(live, row)
        if failure is None:
            self._reuse.keep(live, row)
        return failure

    def _get_help(self, live: LiveGraph) -> None:
        """Let all workers come: this one will be busy for longer."""
        if self.workers != self._inner.workers:
            self.workers = self._inner.workers
            live.step_in()
            live.step_back()  # looks whether there is work for another one


def _may_be_reused(live: LiveGraph, row: int) -> bool:
    """Return whether app `row` makes the same of the same, as far as its class and graph say."""
    cls: Any = live.classes[live.class_ids[row]]
    if live.flow.traits[row] & MANUAL or not (issubclass(cls, AppDROP) and cls.cacheable):
        return False
    if any(row in live.streams.get(source, ()) for source in live.flow.before[row]):
        return False
    spec = live.spec(row)
    if "cacheable" not in spec and not {"applicationArgs", "fields"} & spec.keys():
        return True
    return to_bool(values_of(spec).get("cacheable", True))


def keeps_all(live: LiveGraph, row: int) -> bool:
    """Return whether all that app `row` makes can be kept, and is made by it alone."""
    targets = live.flow.after[row]
    return bool(targets) and all(
        issubclass(live.classes[live.class_ids[target]], contents.KEPT)
        and len(live.flow.before[target]) == 1
        and target not in live.streams
        for target in targets
    )


def variables_told() -> dict[str, str]:
    """Return the variables of the user that graphs may refer to, beside the settings."""
    own = {f"{settings.PREFIX}{name}".upper() for name in (*settings.READERS, "config_dir")}
    own.add(settings.DISABLE_CHECKSUM)
    return {name: text for name, text in settings.variables().items() if name not in own}


def variables_hash() -> str:
    """Return the hash of the variables of the user; empty for none."""
    told = sorted(variables_told().items())
    if not told:
        return ""
    return hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest()


def key_of(signature: bytes, variables: str) -> str:
    """Return the key of data of this signature where there are these variables."""
    if not variables:
        return signature.hex()
    return hashlib.sha256(signature + bytes.fromhex(variables)).hexdigest()


def _name_of(live: LiveGraph, row: int) -> str:
    return str(live.spec(row).get("name") or live.uids[row])
