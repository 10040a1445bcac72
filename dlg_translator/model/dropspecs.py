"""Dropspecs of a template, made one at a time when asked for or an entity at a time for writing.

The lean form has every link once, on the side of the app. The compatible form has every key the
existing engine's files have, and links on both sides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from dlg_translator.model.instance_names import InstanceNames
from dlg_translator.model.pairs import WirePairs
from dlg_translator.model.plan import Entity, GroupKind, Plan
from dlg_translator.model.spec_texts import entity_texts
from dlg_translator.model.specs import compat_part, shared_part

Spec = dict[str, Any]
Rows = npt.NDArray[np.int32]

BLOCK = 1024
"""So many dropspecs are made in one go."""


class _End(NamedTuple):
    """One end of a wire, as the dropspecs of the entity there have it."""

    key: str
    port: str
    is_app_side: bool
    at_target: bool
    other: int
    """The number of the entity at the other end."""
    port_there: str
    rows: memoryview
    """The rows at this end, sorted."""
    others: memoryview
    """The row at the other end for each of them."""


class _Face(NamedTuple):
    """What all dropspecs of an entity share."""

    start: int
    before: str
    after: str
    iids: list[str]
    shared: Spec
    plain: bool
    """Whether an instance has nothing to say of its place but its instance id."""
    ends: list[_End]


class _AppWire(NamedTuple):
    """A wire as the app at one of its ends lists it."""

    key: str
    port: str
    there: int
    """The number of the entity at the other end."""
    own: Rows
    """The rows at this end."""
    other: Rows
    """The row at the other end for each of them."""


class SpecMaker:
    """Makes the dropspecs of a template."""

    def __init__(
        self,
        plan: Plan,
        entities: Sequence[Entity],
        starts: Sequence[int],
        pairs: Sequence[WirePairs],
        names: InstanceNames,
        *,
        compat: bool,
    ) -> None:
        self.entities, self.starts, self.names = entities, starts, names
        self._plan, self._pairs, self._compat = plan, pairs, compat
        self._faces: dict[int, _Face] = {}

    def one(self, row: int) -> Spec:
        """Return the dropspec of a row."""
        number = bisect_right(self.starts, row) - 1
        face = self._faces.get(number) or self._face(number)
        iid = face.iids[row - face.start]
        spec = {"oid": f"{face.before}{iid}{face.after}", **face.shared}
        return self._vary(spec, row, number, face)

    def varying(self, row: int) -> Spec:
        """Return of the dropspec of a row what it does not share with those of its entity."""
        number = bisect_right(self.starts, row) - 1
        face = self._faces.get(number) or self._face(number)
        oid = f"{face.before}{face.iids[row - face.start]}{face.after}"
        return self._vary({"oid": oid}, row, number, face)

    def _vary(self, spec: Spec, row: int, number: int, face: _Face) -> Spec:
        iid = face.iids[row - face.start]
        if face.plain:
            spec["iid"] = iid
        else:
            self._add_place(spec, self.entities[number], iid)
        for end in face.ends:
            low = bisect_left(end.rows, row)
            high = bisect_right(end.rows, row, low)
            if low < high:
                self._add_links(spec, end, end.others[low:high].tolist())
        return spec

    def of_entity(self, number: int) -> Iterator[Spec]:
        """Yield the dropspecs of all instances of an entity."""
        start, end = self.starts[number], self.starts[number + 1]
        if self._compat:
            yield from (self.one(row) for row in range(start, end))
            return
        entity, face = self.entities[number], self._face(number, sort=False)
        wires = [self._wire_of_app(k, entity) for k in self._wires_of.get(entity.id, ())]
        listed = [wire for wire in wires if wire is not None]
        columns = _columns(listed, start, end) if face.plain else []
        specs = [
            spec
            for low in range(start, end, BLOCK)
            for spec in self._block(number, face, columns, low, min(low + BLOCK, end))
        ]
        for wire in listed[len(columns) :]:
            self._link_all(specs, wire, start)
        yield from specs

    # -- what writing needs to know ---------------------------------------------------------

    def shared(self, number: int) -> Spec:
        """Return what the dropspecs of an entity have in common."""
        return self._face(number, sort=False).shared

    def is_plain(self, number: int) -> bool:
        """Whether the instances of an entity say nothing of their place but their instance id."""
        return self._face(number, sort=False).plain

    def app_wires(self, number: int) -> Mapping[str, list[WirePairs]]:
        """Return the wires that an app lists, under the keys it lists them."""
        found: dict[str, list[WirePairs]] = {}
        for k in self._wires_of.get(self.entities[number].id, ()):
            pairs = self._pairs[k]
            if self.number_at(pairs) == number and len(pairs.src):
                found.setdefault(pairs.app_key, []).append(pairs)
        return found

    def number_at(self, pairs: WirePairs, *, other: bool = False) -> int:
        """Return the number of the entity at the app's end of a wire, or at the other."""
        at_target = pairs.to_app != other
        return self._number_of[pairs.wire.dst if at_target else pairs.wire.src]

    # -- one at a time --------------------------------------------------------------------

    def _face(self, number: int, *, sort: bool = True) -> _Face:
        """Return what the specs of an entity share; its ends only where they are looked up."""
        entity = self.entities[number]
        before, after = self.names.around(entity)
        shared = shared_part(entity)
        if self._compat:
            shared |= compat_part(entity)
        kinds = {self._plan.groups[g].kind for g in entity.path}
        plain = not (
            kinds & {GroupKind.ITERATIONS, GroupKind.RANKS}
            or self._compat
            or "oid_of" in entity.extra
        )
        ends = self._ends_of(entity) if sort else []
        face = _Face(
            self.starts[number], before, after, self.names.iids(entity.path), shared, plain, ends
        )
        if sort:
            self._faces[number] = face
        return face

    def _ends_of(self, entity: Entity) -> list[_End]:
        found = []
        for k in self._wires_of.get(entity.id, ()):
            pairs = self._pairs[k]
            for at_target in (True, False):
                here = pairs.wire.dst if at_target else pairs.wire.src
                is_app_side = at_target == pairs.to_app
                if here == entity.id and (is_app_side or self._compat):
                    found.append(self._end(pairs, at_target=at_target))
        return found

    def _end(self, pairs: WirePairs, *, at_target: bool) -> _End:
        """Return one end of a wire, sorted by the rows there.

        As views, because numpy lets go of the interpreter's lock at each search of one number:
        apps that start in several threads would wait for each other there.
        """
        wire, is_app_side = pairs.wire, at_target == pairs.to_app
        own, other = (pairs.dst, pairs.src) if at_target else (pairs.src, pairs.dst)
        order = np.argsort(own, kind="stable")
        return _End(
            key=pairs.app_key if is_app_side else pairs.data_key,
            port=wire.dst_port if at_target else wire.src_port,
            is_app_side=is_app_side,
            at_target=at_target,
            other=self._number_of[wire.src if at_target else wire.dst],
            port_there=wire.src_port if at_target else wire.dst_port,
            rows=own[order].data,
            others=other[order].data,
        )

    def _add_links(self, spec: Spec, end: _End, others: list[int]) -> None:
        there = self._faces.get(end.other) or self._face(end.other)
        before, after, iids, start = there.before, there.after, there.iids, there.start
        oids = [f"{before}{iids[other - start]}{after}" for other in others]
        port = end.port
        spec.setdefault(end.key, []).extend([{oid: port} for oid in oids] if port else oids)
        if self._compat and port:
            direction = "input" if end.at_target else "output"
            ports = spec.setdefault("ports", [])
            ports.extend({"name": port, "oid": oid, "direction": direction} for oid in oids)
            if end.at_target and not end.is_app_side and end.port_there:
                spec.setdefault("port_map", {})[port] = end.port_there

    def _add_place(self, spec: Spec, entity: Entity, iid: str) -> None:
        """Add where an instance stands among its like."""
        if "oid_of" not in entity.extra:
            spec["iid"] = iid
        kinds = [self._plan.groups[g].kind for g in entity.path]
        index = iid.split("-")[1:]
        loops = [i for i, kind in zip(index, kinds, strict=True) if kind is GroupKind.ITERATIONS]
        if loops:
            spec["loop_ctx"] = "-".join(loops)
        if kinds and kinds[-1] is GroupKind.RANKS:
            spec["proc_index"] = int(index[-1])
        if self._compat:
            spec["rank"] = [int(i) for i in iid.split("-")]
            spec.setdefault("loop_ctx", None)

    # -- an entity at a time --------------------------------------------------------------

    def _block(
        self, number: int, face: _Face, columns: Sequence[_AppWire], low: int, high: int
    ) -> list[Spec]:
        """Return the dropspecs of rows of an entity, few enough to stay in the cache meanwhile.

        A copy of a dictionary that has all keys is several times cheaper than one that grows.
        """
        oids, start = self.names.oids_of(number), face.start
        places = range(low - start, high - start)
        keys = dict.fromkeys(wire.key for wire in columns)
        copy = {"oid": "", **face.shared, **({"iid": ""} if face.plain else {}), **keys}.copy
        specs: list[Spec] = [copy() for _ in places]
        for spec, place in zip(specs, places, strict=True):
            spec["oid"] = oids[place]
        if face.plain:
            for spec, place in zip(specs, places, strict=True):
                spec["iid"] = face.iids[place]
        else:
            entity = self.entities[number]
            for spec, place in zip(specs, places, strict=True):
                self._add_place(spec, entity, face.iids[place])
        for wire in columns:
            key, port, there = wire.key, wire.port, self.names.oids_of(wire.there)
            others = (wire.other[places.start : places.stop] - self.starts[wire.there]).tolist()
            for spec, far in zip(specs, others, strict=True):
                spec[key] = [{there[far]: port}] if port else [there[far]]
        return specs

    def _wire_of_app(self, k: int, entity: Entity) -> _AppWire | None:
        """Return a wire as the app at one of its ends lists it; None if that is another app."""
        pairs = self._pairs[k]
        wire = pairs.wire
        if (wire.dst if pairs.to_app else wire.src) != entity.id:
            return None
        own, other = (pairs.dst, pairs.src) if pairs.to_app else (pairs.src, pairs.dst)
        there = self._number_of[wire.src if pairs.to_app else wire.dst]
        port = wire.dst_port if pairs.to_app else wire.src_port
        return _AppWire(pairs.app_key, port, there, own, other)

    def _link_all(self, specs: list[Spec], wire: _AppWire, start: int) -> None:
        """Add the links of a wire to the specs of the app at one of its ends."""
        key, port = wire.key, wire.port
        oids, first = self.names.oids_of(wire.there), self.starts[wire.there]
        own, other = (wire.own - start).tolist(), (wire.other - first).tolist()
        for here, far in zip(own, other, strict=True):
            entry: Any = {oids[far]: port} if port else oids[far]
            spec = specs[here]
            if key in spec:
                spec[key].append(entry)
            else:
                spec[key] = [entry]

    @cached_property
    def _wires_of(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, pairs in enumerate(self._pairs):
            for end in {pairs.wire.src, pairs.wire.dst}:
                found.setdefault(end, []).append(number)
        return found

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {entity.id: number for number, entity in enumerate(self.entities)}


def _columns(wires: Sequence[_AppWire], start: int, end: int) -> list[_AppWire]:
    """Return the wires, from the first on, that link each row once and each under a new key."""
    found: list[_AppWire] = []
    rows = np.arange(start, end)
    for wire in wires:
        known = {other.key for other in found}
        if wire.key in known or not np.array_equal(wire.own, rows):
            break
        found.append(wire)
    return found


class LazySpecs(Sequence[Mapping[str, Any]]):
    """The dropspecs of a template as a sequence that holds none of them."""

    def __init__(self, maker: SpecMaker, count: int, entities: int) -> None:
        self._maker, self._count, self._entities = maker, count, entities

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Spec: ...
    @overload
    def __getitem__(self, index: slice) -> list[Spec]: ...
    def __getitem__(self, index: int | slice) -> Spec | list[Spec]:
        """Return the dropspec of a row, or those of several."""
        if isinstance(index, slice):
            return [self._maker.one(row) for row in range(*index.indices(self._count))]
        return self._maker.one(index if index >= 0 else index + self._count)

    def __iter__(self) -> Iterator[Spec]:
        """Yield all dropspecs, none of which is kept."""
        for number in range(self._entities):
            yield from self._maker.of_entity(number)

    def texts(self) -> Iterator[list[str]]:
        """Yield the texts of all dropspecs, many at a time, without closing braces."""
        for number in range(self._entities):
            yield from entity_texts(self._maker, number)
