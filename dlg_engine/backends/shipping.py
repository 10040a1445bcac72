"""From a live graph to the parts that are sent to workers, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dlg.drops.lifetime import OVER
from dlg.drops.live import LiveGraph
from dlg.drops.parameters import to_bool, values_of
from dlg.exceptions import UsageError
from dlg.graph.dropspec import LINK_KEYS, entries
from dlg.graph.physical import PhysicalGraph
from dlg.states.steps import APP, DATA_OPEN
from dlg_engine.backends.parts import Cut, cut, in_depth, urgency
from dlg_engine.backends.working import COMPLETED, End, Part, dumps

RESOURCES: Mapping[str, tuple[tuple[str, ...], float, float]] = {
    "GPU": (("num_gpus", "gpus"), 1, 0),
    "CPU": (("num_cpus",), 1, 1),
    "MEMORY": (("memory_mb",), 1e6, 0),
}
"""Resources of workers: the parameters that ask for them, in which unit, and what all have."""
NEEDED = {"GPU"}
"""Those without which an app cannot run; others matter where workers say what they have."""
GETTERS_FROM = 2
"""From how many receivers on each gets only what it needs of what a part made."""
EACH = 32
"""How many parts there are for each worker, of those that begin together, before some are one."""
LONG = 8
"""From how many links on a receiver is told only its own: each of many would be told all."""
FIRST, NEXT = 64, 4096
"""How many parts are submitted at first, so that workers begin at once, and then at a time."""


class Task(NamedTuple):
    """A part, and the parts of which it needs something: all of it, or one row."""

    number: int
    payload: bytes
    """The part, pickled: whoever stands between here and the worker need not look into it."""
    needs: list[tuple[int, int]]
    """Number of the part, and the row; -1 for all."""
    urgency: int
    resources: Mapping[str, float]


class Batch(NamedTuple):
    """Parts that are submitted at a time."""

    tasks: list[Task]
    held: list[int]
    """Those of them that nobody in the batch waits for, or whose data others are to get."""


class Shipment:
    """A graph that is run elsewhere, in parts."""

    def __init__(self, graph: PhysicalGraph, live: LiveGraph, workers: int = 0) -> None:
        """Cut the rows of `live` that have not ended into parts, for so many `workers`."""
        self._graph, self._live, flow = graph, live, live.flow
        is_app = [bool(trait & APP) for trait in flow.traits]
        inside = [app or status in DATA_OPEN for app, status in zip(is_app, flow.status,
                                                                    strict=True)]  # fmt: skip
        streams = [(data, app) for data, apps in live.streams.items() for app in apps]
        self.cut: Cut = cut(flow.before, is_app, inside, streams, self._alike,
                            workers * EACH)  # fmt: skip
        self.offered: Collection[str] = ()
        """The resources of which workers say how much they have."""
        self._links: dict[tuple[int, str], dict[str, list[Any]]] = {}
        self._volatile = [
            bool(getattr(cls, "volatile", False) and cls.holds_data) for cls in live.classes
        ]
        self._names = [f"{cls.__module__}.{cls.__qualname__}" for cls in live.classes]
        self._names = list(graph.class_names) or self._names

    def _alike(self, one: int, other: int) -> bool:
        return self.asked(one) == self.asked(other)

    def asked(self, row: int) -> dict[str, float]:
        """Return what the app of `row` asks for besides a thread, by the names of resources."""
        spec = self._live.spec(row)
        if "applicationArgs" in spec or "fields" in spec:
            spec = values_of(spec)
        found = {}
        for name, (keys, factor, ordinary) in RESOURCES.items():
            amount = next((spec[key] for key in keys if spec.get(key)), None)
            wanted = 0.0 if amount is None else self._number(row, keys, amount)
            if wanted > ordinary:
                found[name] = wanted * factor
        return found

    def _number(self, row: int, keys: Sequence[str], value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise UsageError(
                f"drop {self._live.uids[row]}: {' or '.join(keys)} is a number, not {value!r}"
            ) from None

    def resources(self, row: int) -> dict[str, float]:
        """Return what the app of `row` asks for, without what no worker says anything of."""
        return {
            name: amount for name, amount in self.asked(row).items()
            if name in self.offered or name in NEEDED
        }  # fmt: skip

    @property
    def wanted(self) -> list[int]:
        """The rows of data that only workers have, and that is to be there after the run."""
        flow, live, part_of = self._live.flow, self._live, self.cut.part_of
        found = []
        for row, part in enumerate(part_of):
            if part < 0 or flow.traits[row] & APP or not self._volatile[live.class_ids[row]]:
                continue
            if not flow.after[row] or self._is_kept(live.spec(row)):
                found.append(row)
        return found

    def _is_kept(self, spec: Mapping[str, Any]) -> bool:
        if not spec:
            return False
        values = values_of(spec) if "applicationArgs" in spec or "fields" in spec else spec
        return to_bool(values.get("persist") or False) or (
            "expireAfterUse" in values and not to_bool(values["expireAfterUse"])
        )

    def load(self, numbers: Iterable[int], apart: frozenset[int], wanted: Collection[int]) -> Load:
        """Return what is to be submitted so that `numbers` are run.

        Those `apart` run in a process of their own; data of rows `wanted` is to be there after
        the run. What they need of other parts than `numbers` must have ended.
        """
        return Load(self, set(numbers), apart, set(wanted))

    def outside(self, number: int) -> dict[int, None]:
        """Return the rows before those of a part that are not its own."""
        before, part_of = self._live.flow.before, self.cut.part_of
        return {
            source: None for row in self.cut.rows[number] for source in before[row]
            if part_of[source] != number
        }  # fmt: skip

    def sent(self, number: int, chosen: Collection[int], wanted: Collection[int]) -> list[int]:
        """Return the rows of a part that others of the `chosen` parts, or the client, get."""
        after, part_of = self._live.flow.after, self.cut.part_of
        return [
            row for row in self.cut.rows[number]
            if row in wanted
            or any(part_of[t] != number and part_of[t] in chosen for t in after[row])
        ]  # fmt: skip

    def spreads(self, source: int, rows: Sequence[int]) -> bool:
        """Return whether a part sends data to several others, none of which needs all of it."""
        if len(rows) < GETTERS_FROM or len(self.cut.after[source]) < GETTERS_FROM:
            return False
        return sum(self._volatile[self._live.class_ids[row]] for row in rows) >= GETTERS_FROM

    def end_of(self, row: int) -> End:
        """Return how data ended that no task of the same load sends."""
        flow = self._live.flow
        drop = self._live.objects[row]
        place = None if drop is None or flow.traits[row] & APP else drop.pack_place()
        cargo = None if place is None else (True, place)
        return flow.status[row], flow.stopped_by.get(row, -1), cargo

    def app_of(self, number: int) -> int:
        """Return the row of the app that stands for a part."""
        flow, rows = self._live.flow, self.cut.rows[number]
        return next((row for row in rows if flow.traits[row] & APP), rows[0])

    def urgency(self) -> list[int]:
        """Return how urgent each part is, by the time that its apps are said to take."""
        flow, spec = self._live.flow, self._live.spec
        return urgency(self.cut, [
            sum(_weight(spec(row)) for row in rows if flow.traits[row] & APP)
            for rows in self.cut.rows
        ])  # fmt: skip

    def _spec_for(self, row: int, mine: Collection[str]) -> Mapping[str, Any]:
        """Return the dropspec of a row for a part with drops `mine`, without the links of others.

        What thousands read has as many links, and each of the readers gets this.
        """
        spec = self._live.spec(row)
        for key in LINK_KEYS:
            links = spec.get(key)
            if not isinstance(links, list) or len(links) < LONG:
                continue
            ends = self._links.get((row, key))
            if ends is None:
                ends = self._links[row, key] = {}
                for oid, port in entries(links):
                    ends.setdefault(oid, []).append({oid: port} if port else oid)
            spec = {**spec, key: [link for oid in mine for link in ends.get(oid, ())]}
        return spec

    def part(
        self, number: int, rows: tuple[int, ...], known: dict[int, End], sent: Sequence[int], *,
        apart: bool,
    ) -> Part:  # fmt: skip
        """Return a part with its own `rows` and, after them, those that it reads from."""
        live, flow = self._live, self._live.flow
        own = len(self.cut.rows[number])
        place = {row: k for k, row in enumerate(rows)}
        kinds: dict[int, int] = {}
        ids = tuple(kinds.setdefault(live.class_ids[row], len(kinds)) for row in rows)
        oids = tuple(live.oids[row] for row in rows)
        uids = oids if live.uids is live.oids else tuple(live.uids[row] for row in rows)
        return Part(
            number=number, own=own, rows=rows, class_ids=ids,
            classes=tuple(self._names[kind] for kind in kinds),
            specs=(*map(live.spec, rows[:own]),
                   *(self._spec_for(row, oids[:own]) for row in rows[own:])),
            oids=oids, uids=uids,
            before=tuple(tuple(place[r] for r in flow.before[row]) for row in rows[:own]),
            known=known, sent=tuple(place[row] for row in sent),
            streams=tuple((place[d], place[a]) for d in rows if d in live.streams
                          for a in live.streams[d] if a in place),
            children=tuple((place[live.parents[c]], place[c]) for c in rows if c in live.parents
                           and live.parents[c] in place),
            effective=tuple((place[r], flow.effective[r]) for r in rows[:own]
                            if r in flow.effective),
            apart=apart,
        )  # fmt: skip

    def again(self, missing: Iterable[int]) -> set[int]:
        """Return `missing` parts with those that must run once more, as their data is gone."""
        flow, live, part_of = self._live.flow, self._live, self.cut.part_of
        found = set(missing)
        stack = list(found)
        while stack:
            for row in self.outside(stack.pop()):
                if part_of[row] < 0 or part_of[row] in found:
                    continue
                gone = self._volatile[live.class_ids[row]] and flow.status[row] == COMPLETED
                if gone or flow.status[row] in OVER:
                    found.add(part_of[row])
                    stack.append(part_of[row])
        return found


class Load:
    """What is submitted in one round, in batches: little at first, so that work begins."""

    def __init__(
        self, shipment: Shipment, chosen: set[int], apart: frozenset[int], wanted: set[int]
    ) -> None:
        self._shipment, self._chosen = shipment, chosen
        self._apart, self._wanted = apart, wanted
        self._sent: dict[int, tuple[list[int], bool]] = {}
        self._urgency = shipment.urgency()

    def batches(self) -> Iterator[Batch]:
        """Yield all parts in an order in which they may be run."""
        order, after = in_depth(self._shipment.cut, self._chosen), self._shipment.cut.after
        begin, size = 0, FIRST
        while begin < len(order):
            numbers = order[begin : begin + size]
            here = set(numbers)
            held = [n for n in numbers if self._is_held(n, after[n], here)]
            yield Batch([self._task(n) for n in numbers], held)
            begin, size = begin + size, NEXT

    def _is_held(self, number: int, later: Sequence[int], here: Collection[int]) -> bool:
        waiting = [n for n in later if n in self._chosen]
        if not waiting or any(n not in here for n in waiting):
            return True
        return any(row in self._wanted for row in self._shipment.cut.rows[number])

    def ends(self, number: int) -> bool:
        """Return whether nobody waits for a part, or its data is to be there after the run."""
        if any(n in self._chosen for n in self._shipment.cut.after[number]):
            return any(row in self._wanted for row in self._shipment.cut.rows[number])
        return True

    def users(self, number: int) -> int:
        """Return how many parts wait for one."""
        return sum(n in self._chosen for n in self._shipment.cut.after[number])

    def _sends(self, number: int) -> tuple[list[int], bool]:
        """Return the rows that a part sends, and whether each receiver gets its own of them."""
        if number not in self._sent:
            rows = self._shipment.sent(number, self._chosen, self._wanted)
            self._sent[number] = rows, self._shipment.spreads(number, rows)
        return self._sent[number]

    def _task(self, number: int) -> Task:
        shipment, part_of = self._shipment, self._shipment.cut.part_of
        own, outside = shipment.cut.rows[number], shipment.outside(number)
        needs: dict[tuple[int, int], None] = {}
        known: dict[int, End] = {}
        for row in outside:
            source = part_of[row]
            if source not in self._chosen:
                known[row] = shipment.end_of(row)
            else:
                needs[source, row if self._sends(source)[1] else -1] = None
        part = shipment.part(
            number, (*own, *outside), known, self._sends(number)[0], apart=number in self._apart
        )
        return Task(
            number, dumps(part), list(needs), self._urgency[number],
            shipment.resources(shipment.app_of(number)),
        )  # fmt: skip


def _weight(spec: Mapping[str, Any]) -> float:
    """Return how long an app is said to take, in whatever unit."""
    found = spec.get("weight")
    return float(found) if isinstance(found, int | float) and found > 0 else 1.0
