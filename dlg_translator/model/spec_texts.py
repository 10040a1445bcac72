"""Dropspecs as JSON text, without a dictionary a drop.

What the instances of an entity share is encoded once; a drop adds its id, its place and its links.
A text lacks its closing brace, so that whoever places drops can add where they go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np

from dlg_translator.model.instance_names import InstanceNames
from dlg_translator.model.pairs import Rows, WirePairs
from dlg_translator.model.plan import Entity

BLOCK = 4096
"""How many texts are made at a time: few enough to be held, enough to be quick."""
_VARYING = frozenset({
    "oid", "iid", "loop_ctx", "proc_index", "rank", "ports", "port_map", "node", "island",
    "inputs", "streamingInputs", "outputs", "consumers", "streamingConsumers", "producers",
})  # fmt: skip
"""Keys whose values differ from instance to instance."""


@runtime_checkable
class HasTexts(Protocol):
    """A sequence of dropspecs that can be written without making them."""

    def texts(self) -> Iterator[list[str]]:
        """Yield the texts of all specs in their order, many at a time, without closing braces."""
        ...


class Maker(Protocol):
    """What is asked of that which makes the dropspecs."""

    entities: Sequence[Entity]
    starts: Sequence[int]
    names: InstanceNames

    def one(self, row: int) -> dict[str, Any]:
        """Return the dropspec of a row."""
        ...

    def varying(self, row: int) -> dict[str, Any]:
        """Return of the dropspec of a row what it does not share with those of its entity."""
        ...

    def shared(self, number: int) -> dict[str, Any]:
        """Return what the dropspecs of an entity have in common."""
        ...

    def is_plain(self, number: int) -> bool:
        """Whether the instances of an entity differ in nothing but their ids and links."""
        ...

    def app_wires(self, number: int) -> Mapping[str, list[WirePairs]]:
        """Return the wires that an app lists, under the keys it lists them."""
        ...

    def number_at(self, pairs: WirePairs, *, other: bool = False) -> int:
        """Return the number of the entity at the app's end of a wire, or at the other."""
        ...


def _plain(value: Any) -> Any:
    """Return what JSON can hold instead of a number or array of numpy."""
    try:
        return value.tolist()
    except AttributeError:
        raise NotImplementedError(f"{type(value).__name__} cannot be written as JSON") from None


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def text_of(value: Any) -> str:
    """Return a value as JSON."""
    return _encoder.encode(value).decode()


def open_text(spec: Mapping[str, Any]) -> str:
    """Return an object that is not empty as JSON without its closing brace."""
    return text_of(spec)[:-1]


def texts_of(specs: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the texts of any dropspecs, many at a time, without closing braces."""
    if isinstance(specs, HasTexts):
        yield from specs.texts()
        return
    rest = iter(specs)
    while block := list(islice(rest, BLOCK)):
        yield [open_text(spec) for spec in block]


def entity_texts(maker: Maker, number: int) -> Iterator[list[str]]:
    """Yield the texts of all instances of an entity, in blocks."""
    start, end = maker.starts[number], maker.starts[number + 1]
    shared = maker.shared(number)
    blocks = ((low, min(low + BLOCK, end)) for low in range(start, end, BLOCK))
    if not _VARYING.isdisjoint(shared):  # a parameter of the user's own has such a name
        for low, high in blocks:
            yield [open_text(maker.one(row)) for row in range(low, high)]
        return
    common = open_text(shared)[1:]
    if maker.is_plain(number):
        yield from _plain_texts(maker, number, common, blocks)
        return
    for low, high in blocks:
        yield [f"{open_text(maker.varying(row))},{common}" for row in range(low, high)]


def _plain_texts(
    maker: Maker, number: int, common: str, blocks: Iterator[tuple[int, int]]
) -> Iterator[list[str]]:
    """Yield texts of instances that differ in nothing but their ids and links."""
    start = maker.starts[number]
    iids = maker.names.iids(maker.entities[number].path)
    oids = _oids(maker, number)
    links = [_Links(maker, key, pairs) for key, pairs in maker.app_wires(number).items()]
    for low, high in blocks:
        own = slice(low - start, high - start)
        texts = [
            f'{{"oid":"{oid}",{common},"iid":"{iid}"'
            for oid, iid in zip(oids[own], iids[own], strict=True)
        ]
        for link in links:
            link.add(texts, low, high)
        yield texts


def _oids(maker: Maker, number: int) -> Sequence[str]:
    """Return the oids of an entity as they stand in JSON between quotes."""
    oids = maker.names.oids_of(number)
    around = maker.names.around(maker.entities[number])
    if all(text_of(part) == f'"{part}"' for part in around):
        return oids
    return [text_of(oid)[1:-1] for oid in oids]


class _Links:
    """The links that the instances of an app list under one key."""

    def __init__(self, maker: Maker, key: str, wires: Sequence[WirePairs]) -> None:
        self._key = key
        own = [pairs.dst if pairs.to_app else pairs.src for pairs in wires]
        wire_of = np.repeat(np.arange(len(wires)), [len(rows) for rows in own])
        rows: Rows = np.concatenate(own)
        order = np.argsort(rows, kind="stable")
        self._rows = rows[order]
        self._wire_of = wire_of[order]
        others = [pairs.src if pairs.to_app else pairs.dst for pairs in wires]
        theirs = [maker.number_at(pairs, other=True) for pairs in wires]
        shift = np.asarray([maker.starts[there] for there in theirs])
        self._others = np.concatenate(others)[order] - shift[self._wire_of]
        self._oids = [_oids(maker, there) for there in theirs]
        ports = [p.wire.dst_port if p.to_app else p.wire.src_port for p in wires]
        self._around = [('{"', f'":{text_of(port)}}}') if port else ('"', '"') for port in ports]

    def add(self, texts: list[str], low: int, high: int) -> None:
        """Add the links of rows `low` to `high` to their texts."""
        first, last = np.searchsorted(self._rows, [low, high])
        if first == last:
            return
        entries = self._entries(int(first), int(last))
        rows = self._rows[first:last] - low
        places = rows.tolist()
        if len(places) == 1 or bool((rows[1:] > rows[:-1]).all()):
            for place, entry in zip(places, entries, strict=True):
                texts[place] += f',"{self._key}":[{entry}]'
            return
        begins = np.flatnonzero(np.diff(rows, prepend=-1)).tolist()
        for begin, end in zip(begins, [*begins[1:], len(places)], strict=True):
            texts[places[begin]] += f',"{self._key}":[{",".join(entries[begin:end])}]'

    def _entries(self, first: int, last: int) -> list[str]:
        others = self._others[first:last].tolist()
        if len(self._oids) == 1:
            oids, (before, after) = self._oids[0], self._around[0]
            return [f"{before}{oids[other]}{after}" for other in others]
        found = []
        for wire, other in zip(self._wire_of[first:last].tolist(), others, strict=True):
            before, after = self._around[wire]
            found.append(f"{before}{self._oids[wire][other]}{after}")
        return found
