"""Running a part of a graph on a worker of another engine, as a small live graph.

This file is what workers import; it knows nothing of the engine that calls it. `SITES` holds what
a worker has been told about each session.
"""

from __future__ import annotations

import functools
import math
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.drops.remote import portable
from dlg.drops.runners import ON_DEMAND, Runner
from dlg.drops.surroundings import Surroundings
from dlg.exceptions import RunError
from dlg.graph.categories import resolve_class
from dlg.states.flow import Flow
from dlg.states.steps import APP, FINISHED, GATE, MANUAL, NOT_RUN
from dlg.support import clock, context
from dlg.support.serialize import EncodingError
from dlg_engine.runners.inline import InlineRunner

ELSEWHERE = 1 << 40
"""Added to the row of a drop that is not in the part, where one is named as a cause."""
COMPLETED, ERROR, SKIPPED, CANCELLED = (
    int(s) for s in (DROPStates.COMPLETED, DROPStates.ERROR, DROPStates.SKIPPED,
                     DROPStates.CANCELLED)
)  # fmt: skip
PLAINLY = (COMPLETED, -1, None)
"""How data ended of which nothing else is said."""
PLAIN = (bytes, str, int, float, bool, type(None))
"""Kinds of values that certainly can be sent to another process."""

TELL_S = 1.0
"""How often it is told how far a part has come."""
STOP_S = 2.0
"""How long an app that was cancelled is waited for."""

End = tuple[int, int, Any]
"""How data ended for those after it: status, the row that is to blame or -1, what it holds."""
Ends = dict[int, End]
"""By the row in the whole graph."""


class Part(NamedTuple):
    """A part of a graph as it goes to a worker: its own rows, then those it reads from."""

    number: int
    own: int
    """How many rows are the part's own."""
    rows: tuple[int, ...]
    """The numbers of all rows in the whole graph."""
    classes: tuple[str, ...]
    class_ids: bytes | tuple[int, ...]
    specs: tuple[Mapping[str, Any], ...]
    oids: tuple[str, ...]
    uids: tuple[str, ...]
    before: tuple[tuple[int, ...], ...]
    """For each own row those before it, as places in `rows`."""
    known: Ends
    """How data ended that no other part sends."""
    sent: tuple[int, ...]
    """Places of own data that other parts, or the client, are to get."""
    streams: tuple[tuple[int, int], ...] = ()
    children: tuple[tuple[int, int], ...] = ()
    effective: tuple[tuple[int, int], ...] = ()
    apart: bool = False
    """Whether apps run in a process of their own, as a worker has died over this part."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a part tells of itself, by rows of the whole graph."""

    number: int
    states: list[tuple[int, int, int]]
    """Row, status, execution status."""
    failures: dict[int, BaseException | None]
    causes: dict[int, int]
    held: dict[int, tuple[int | None, int, Any]]
    """Size, checksum and place of data that has an object."""
    results: dict[int, dict[str, Any]]
    warnings: list[str]
    is_all: bool = True
    """Whether the part is over."""


News = int | bytes
"""Of a part: its number if all went well and nothing else is to be told, or a pickled `Told`."""


@dataclass(slots=True)
class Site:
    """What a worker knows of a session."""

    surroundings: Surroundings
    tell: Callable[[News], object]
    """Brings to the client what came of a part."""
    graphs: dict[int, LiveGraph] = field(default_factory=dict)
    stopped: bool = False
    over: bool = False
    """Whether an end marker was reached: what has not begun is skipped."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def at_work(self, live: LiveGraph) -> Iterator[None]:
        """Let `live` be stopped while it is being run."""
        with self.lock:
            if self.stopped:
                raise RunError("the session was cancelled")
            self.graphs[id(live)] = live
        try:
            yield
        finally:
            with self.lock:
                del self.graphs[id(live)]

    def stop(self) -> None:
        """Cancel what runs, and run no more; wait a little for what does not stop at once."""
        with self.lock:
            self.stopped = True
            graphs = list(self.graphs.values())
        for live in graphs:
            live.cancel()
        deadline = clock.monotonic() + STOP_S  # of all together: there may be a hundred threads
        for live in graphs:
            left = max(0.0, deadline - clock.monotonic())
            with live.changed:
                live.changed.wait_for(lambda live=live: live.idle, left)  # type: ignore[misc]


SITES: dict[str, Site] = {}


def add_code(places: Sequence[str]) -> None:
    """Let users' modules be imported from directories that are there on this host as well."""
    for place in places:
        if place not in sys.path and Path(place).is_dir():
            sys.path.append(place)


def dumps(value: Any) -> bytes:
    """Pickle what goes to another process, by its code where it cannot be imported there."""
    try:
        found = pickle.dumps(value, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        found = b"__main__"
    if b"__main__" in found:  # whose module of that name is another one
        import cloudpickle  # noqa: PLC0415  slow to import and rarely needed

        found = bytes(cloudpickle.dumps(value, protocol=5))
    return found


def run_part(session_id: str, payload: bytes, *sent: Ends | None) -> Ends | None:
    """Run a pickled `Part`, tell the client what came of it, and return what others need of it.

    None says that all of it was completed, and that nothing has to be known to read it: most
    data on shared storage, and data that nobody has written to, is like that.
    """
    part: Part = pickle.loads(payload)  # noqa: S301  of a client whose cluster this is
    site = SITES[session_id]
    live = _graph_of(part, site)
    ends: Ends = dict(part.known)
    for more in sent:
        ends.update(more or {})
    runner = live.runner = _runner(part, site)
    with context.working_for(session=session_id), site.at_work(live):
        try:
            if site.over:
                live.apply(live.flow.end)
            else:
                _fill(live, part, ends)
                live.apply(_begin, live, part, ends)
            with live.changed:
                live.changed.wait_for(lambda: live.idle)
        finally:
            runner.close()
    made = _outputs(live, part)
    site.tell(part.number if _is_plain(live, part) else pickle.dumps(_told(live, part), 5))
    return None if all(end == PLAINLY for end in made.values()) else made


def pick(ends: Ends | None, row: int) -> Ends | None:
    """Return one of the ends: what goes to others that do not need the rest."""
    return ends and {row: ends[row]}


# -- before ---------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _class(name: str) -> Any:
    return resolve_class(name)


def _graph_of(part: Part, site: Site) -> LiveGraph:
    count, own = len(part.rows), part.own
    before: list[Sequence[int]] = [*part.before, *[()] * (count - own)]
    after: list[Any] = [[] for _ in range(count)]
    for place, earlier in enumerate(before):
        for source in earlier:
            after[source].append(place)
    classes = [_class(name) for name in part.classes]
    traits = bytearray(classes[k].traits for k in part.class_ids)
    live = LiveGraph(Flow(traits, after, before), list(part.oids), list(part.uids), ON_DEMAND)
    live.classes, live.class_ids, live.specs = classes, part.class_ids, part.specs
    live.surroundings = site.surroundings
    for data, app in part.streams:
        live.streams.setdefault(data, []).append(app)
    for parent, child in part.children:
        live.children.setdefault(parent, []).append(child)
        live.parents[child] = parent
    live.manual = [place for place in range(count) if traits[place] & MANUAL]
    for place, needed in part.effective:
        live.flow.expect(place, needed)
    return live


class TellingRunner(InlineRunner):
    """Lets the client know now and then how far a part has come of which there is more to run."""

    def __init__(self, part: Part, site: Site) -> None:
        self._part, self._site, self._told = part, site, clock.monotonic()

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run an app, and tell how those before it ended, if that was a while ago."""
        failure = super().call(live, row)
        if clock.monotonic() - self._told > TELL_S:
            self._told = clock.monotonic()
            told = replace(_told(live, self._part), warnings=[], is_all=False)
            self._site.tell(pickle.dumps(told, 5))
        return failure


def _runner(part: Part, site: Site) -> Runner:
    if part.apart:
        # multiprocessing is imported only where it is needed
        from dlg_engine.runners.processes import ProcessRunner  # noqa: PLC0415

        return ProcessRunner(1)
    return TellingRunner(part, site)


def _fill(live: LiveGraph, part: Part, ends: Ends) -> None:
    """Give data that comes from other parts what it holds."""
    for place in range(part.own, len(part.rows)):
        status, _, cargo = ends.get(part.rows[place], PLAINLY)
        if status != COMPLETED or cargo is None:
            continue
        drop, (whole, value) = live.drop(place), cargo
        if whole:
            drop.unpack(value)
        else:
            drop.write(value)
            drop._close_writer()  # noqa: SLF001  as the data drop itself does it
            drop.seal()


def _begin(live: LiveGraph, part: Part, ends: Ends) -> None:
    """Tell the flow how the data ended that comes from other parts, and start what waits not."""
    flow = live.flow
    for place in range(part.own, len(part.rows)):
        status, cause, _ = ends.get(part.rows[place], PLAINLY)
        if status == COMPLETED and flow.traits[place] & GATE:
            status = SKIPPED  # an end marker: what comes after it is skipped
        flow.stopped_by[place] = ELSEWHERE + (cause if cause >= 0 else part.rows[place])
        if status == ERROR:
            flow.fail(place, RunError("an input failed"))
        elif status == SKIPPED:
            flow.skip(place)
        elif status == CANCELLED:
            flow.cancel(place)
        elif status:
            flow.sealed(place)
    flow.start(
        place for place in range(part.own) if not part.before[place] and flow.traits[place] & APP
    )


# -- after ----------------------------------------------------------------------------------


def _outputs(live: LiveGraph, part: Part) -> Ends:
    flow, made = live.flow, {}
    for place in part.sent:
        cargo = None
        if flow.status[place] == COMPLETED and live.objects[place] is not None:
            try:
                cargo = _cargo(live.objects[place])
            except Exception as error:  # noqa: BLE001  a value may refuse to be pickled in any way
                text = f"drop {live.uids[place]}: its value cannot be sent to others: {error}"
                flow.failures[place] = EncodingError(text)
                flow.status[place] = ERROR
        made[part.rows[place]] = (flow.status[place], _cause(live, part, place), cargo)
    return made


def _cargo(drop: Any) -> tuple[bool, Any]:
    """Return what a completed drop holds, and whether it can take that over as it is."""
    if isinstance(drop, InMemoryDROP):
        encoding, value = drop.pack("")
        _check_sendable(value)
        return True, (encoding, value)
    if drop.volatile and drop.holds_data:
        return False, drop.contents()
    place = drop.pack_place()
    return (True, place) if place is not None else (False, b"")


def _check_sendable(value: Any) -> None:
    """Raise what pickling raises for a value that cannot be sent; buffers are not looked at."""
    if isinstance(value, PLAIN):
        return
    try:
        pickle.dumps(value, protocol=5, buffer_callback=lambda _buffer: False)
    except (pickle.PicklingError, AttributeError, TypeError):
        import cloudpickle  # noqa: PLC0415  slow to import and rarely needed

        cloudpickle.dumps(value, protocol=5, buffer_callback=lambda _buffer: False)


def _cause(live: LiveGraph, part: Part, place: int) -> int:
    """Return the row of the whole graph that is to blame for the end of a drop; -1 for none."""
    cause = live.flow.stopped_by.get(place, -1)
    if cause >= ELSEWHERE:
        return cause - ELSEWHERE
    return part.rows[cause] if cause >= 0 else -1


def _is_plain(live: LiveGraph, part: Part) -> bool:
    """Return whether all of a part went well, and no object holds anything to be told of."""
    flow, own = live.flow, part.own
    if flow.failures or live.warnings or any(flow.stopped_by.get(p, -1) >= 0 for p in range(own)):
        return False
    for place in range(own):
        if flow.traits[place] & APP:
            drop = live.objects[place]
            if flow.exec_status[place] != FINISHED or (drop is not None and type(drop).results):
                return False
        elif flow.status[place] != COMPLETED or live.objects[place] is not None:
            return False
    return True


def well(number: int, rows: Sequence[int], traits: Sequence[int]) -> Told:
    """Return what is told of a part of which all went well."""
    states = [(r, COMPLETED, FINISHED if traits[r] & APP else NOT_RUN) for r in rows]
    return Told(number, states, {}, {}, {}, {}, [])


def _told(live: LiveGraph, part: Part) -> Told:
    flow, rows, own = live.flow, part.rows, range(part.own)
    told = Told(
        part.number, [(rows[p], flow.status[p], flow.exec_status[p]) for p in own],
        {rows[p]: portable(e) for p, e in flow.failures.items() if p < part.own},
        {rows[p]: _cause(live, part, p) for p in flow.stopped_by if p < part.own},
        {}, {}, live.warnings,
    )  # fmt: skip
    for place in own:
        drop = live.objects[place]
        if drop is None:
            continue
        if flow.traits[place] & APP:
            if type(drop).results:
                told.results[rows[place]] = {n: getattr(drop, n, None) for n in drop.results}
        else:
            told.held[rows[place]] = (drop._size, drop._crc, drop.pack_place())  # noqa: SLF001
    return told


def site_of(
    session_id: str, directory: Path, variables: Mapping[str, str], *, checksums: bool,
    tell: Callable[[News], object],
) -> Site:  # fmt: skip
    """Return what a worker has to know of a session, and make the directory of the session."""
    directory.mkdir(parents=True, exist_ok=True)
    around = Surroundings(
        session_id=session_id, directory=directory, variables=variables, checksums=checksums,
        created=math.inf,  # what has a date is kept here as long as apps need it
    )  # fmt: skip
    return Site(around, tell)
