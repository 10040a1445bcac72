"""Whether two runs are the same, and what was the first to differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlg.exceptions import UsageError
from dlg.graph.dropspec import entries
from dlg.graph.walk import topological_order
from dlg.reproducibility.blocks import link
from dlg.reproducibility.evidence import STRICT, Run
from dlg.reproducibility.levels import SEVEN, Level, basic_levels

ABSENT = "(absent)"
_DOWN = ("consumers", "streamingConsumers", "outputs", "children")
_UP = ("producers", "inputs", "streamingInputs")
_COMPAT = ("lgt_data", "lg_data", "pgt_data", "pg_data", "rg_data")
_STRICT: Mapping[str, frozenset[Level]] = {
    "structure": frozenset({Level.RERUN, Level.REPEAT, Level.RECOMPUTE}),
    "inputs": frozenset({Level.RERUN, Level.REPEAT, Level.RECOMPUTE}),
    "parameters": frozenset({Level.REPEAT, Level.RECOMPUTE}),
    "code": frozenset({Level.RECOMPUTE}),
    "content": frozenset({Level.REPRODUCE}),
}
"""At which basic levels each part of a strict record counts."""
_OUTCOMES = frozenset({("structure", "outcome"), ("content", "content")})
"""What follows from other differences, if there are any before it."""


@dataclass(frozen=True)
class Difference:
    """A field of a drop that is not the same in two runs."""

    drop: str
    layer: str
    field: str
    left: Any
    right: Any
    levels: tuple[Level, ...]
    """The levels at which it counts."""
    follows: bool = False
    """Whether a drop before it differs as well."""

    @property
    def is_outcome(self) -> bool:
        """Return whether this came about by running."""
        return (self.layer, self.field) in _OUTCOMES or self.layer == "rg_data"


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two runs."""

    levels: Mapping[Level, bool]
    """For each level of which both runs have a signature, whether it is the same."""
    causes: tuple[Difference, ...]
    """What no other difference explains, in the order of the graph."""
    consequences: int
    """How many more drops came out otherwise, after others that differ."""
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Return whether the runs are the same at all levels that can be compared."""
        return all(self.levels.values())


def compare_runs(left: Run, right: Run, level: Level | None = None) -> Comparison:
    """Return what is different between two runs, at one level or at all that both know.

    Raises `UsageError` if they have no level in common, or were signed in different ways.
    """
    if left.is_strict != right.is_strict:
        raise UsageError("one run was signed strictly and the other was not: nothing to compare")
    asked = SEVEN if level is None or level is Level.ALL else (level,)
    levels = {}
    for one in asked:
        signatures = left.signature(one), right.signature(one)
        if None not in signatures:
            levels[one] = signatures[0] == signatures[1]
    if not levels:
        wanted = "any level" if level is None else level.name
        raise UsageError(f"the two runs cannot be compared at {wanted}: they have no data for it")
    names = _matched(left, right)
    apart = {one for one, same in levels.items() if not same}
    found = [d for d in _differences(left, right, names) if not apart.isdisjoint(d.levels)]
    ordered = _in_order(left, names, found)
    causes = tuple(d for d in ordered if not (d.follows and d.is_outcome))
    explained = {d.drop for d in ordered if d.follows and d.is_outcome}
    return Comparison(
        levels,
        causes,
        len(explained - {d.drop for d in causes}),
        tuple(oid for oid in left.drops if oid not in names),
        tuple(oid for oid in right.drops if oid not in set(names.values())),
    )


def differences_before(left: Run, right: Run, oid: str) -> tuple[Difference, ...]:
    """Return how a drop of the left run, and those before it, differ from those of the right run.

    What came of them does not count. They are in the order of the graph: of those that do not
    follow others, each is a cause of its own.
    """
    names = _matched(left, right)
    before = _all_before(oid, _inputs(left, {}))
    found = [
        d for d in _differences(left, right, names)
        if d.drop in before and not d.is_outcome and d.layer != "content"
    ]  # fmt: skip
    found += [
        Difference(one, "structure", "drop", "there", ABSENT, ()) for one in before - names.keys()
    ]
    return tuple(_in_order(left, names, found))


def _all_before(oid: str, inputs: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return a drop and all that lead to it."""
    found, waiting = {oid}, [oid]
    while waiting:
        for source in inputs.get(waiting.pop(), ()):
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _matched(left: Run, right: Run) -> dict[str, str]:
    """Return which drop of the right run each of the left one is: by oid, or by name and place."""
    names = {oid: oid for oid in left.drops if oid in right.drops}
    taken = set(names.values())
    others: dict[object, list[str]] = {}
    for oid, spec in right.drops.items():
        if oid not in taken:
            others.setdefault(_place(spec), []).append(oid)
    for oid, spec in left.drops.items():
        if oid not in names and len(others.get(_place(spec), ())) == 1:
            names[oid] = others.pop(_place(spec))[0]
    return names


def _place(spec: Mapping[str, Any]) -> object:
    name = spec.get("lg_key") or spec.get("name")
    return (str(name), str(spec.get("iid"))) if name else object()


def _differences(left: Run, right: Run, names: Mapping[str, str]) -> Iterator[Difference]:
    renamed = {theirs: ours for ours, theirs in names.items()}
    inputs = _inputs(left, {}), _inputs(right, renamed)
    parts = _strict_parts if left.is_strict else _compat_parts
    for oid, other in names.items():
        one = {**parts(left.drops[oid]), **_linked(inputs[0].get(oid), strict=left.is_strict)}
        two = {**parts(right.drops[other]), **_linked(inputs[1].get(oid), strict=left.is_strict)}
        for layer, field in dict.fromkeys([*one, *two]):
            a, b = one.get((layer, field), {}), two.get((layer, field), {})
            for (x, y), levels in _apart(a, b):
                yield Difference(oid, layer, field, x, y, levels)


_Held = Mapping[Level, Any]
"""The value of a field at each level at which it counts: it need not be the same everywhere."""
_Parts = dict[tuple[str, str], _Held]


def _apart(left: _Held, right: _Held) -> Iterator[tuple[tuple[Any, Any], tuple[Level, ...]]]:
    """Yield each pair of values that differ, with the levels at which they do."""
    pairs: list[tuple[Any, Any]] = []
    levels: list[tuple[Level, ...]] = []
    for level in SEVEN:
        pair = left.get(level, ABSENT), right.get(level, ABSENT)
        if pair[0] == pair[1]:
            continue
        if pair not in pairs:
            pairs.append(pair)
            levels.append(())
        levels[pairs.index(pair)] += (level,)
    return iter(zip(pairs, levels, strict=True))


def _strict_parts(spec: Mapping[str, Any]) -> _Parts:
    record = spec.get("reprodata", {}).get(STRICT, {})
    found: _Parts = {}
    for layer, basics in _STRICT.items():
        held = record.get(layer, {})
        fields = held if isinstance(held, Mapping) else {layer: held}
        levels = _with_joint(basics)
        found |= {(layer, name): dict.fromkeys(levels, value) for name, value in fields.items()}
    return found


def _compat_parts(spec: Mapping[str, Any]) -> _Parts:
    record = spec.get("reprodata", {})
    found: dict[tuple[str, str], dict[Level, Any]] = {}
    for level in SEVEN:
        own = record.get(level.name)
        if not isinstance(own, Mapping):
            continue
        for layer in _COMPAT:
            # At a single level, what came of the run stands beside the record of the level.
            fields = own.get(layer) or (record.get(layer) if layer == "rg_data" else None) or {}
            for name, value in fields.items():
                if name != "merkleroot":
                    found.setdefault((layer, name), {})[level] = value
    return dict(found)


def _with_joint(basics: frozenset[Level]) -> tuple[Level, ...]:
    return tuple(level for level in SEVEN if basics & set(basic_levels(level)))


def _inputs(run: Run, renamed: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return for each drop those before it and the ports in between, by the left run's oids."""
    found: dict[str, dict[str, str]] = {renamed.get(oid, oid): {} for oid in run.drops}
    for oid, spec in run.drops.items():
        own = renamed.get(oid, oid)
        for key in (*_DOWN, *_UP):
            for other, port in entries(spec.get(key) or ()):
                name = renamed.get(other, other)
                source, target = (own, name) if key in _DOWN else (name, own)
                # One end may say what the other is silent about.
                if target in found and (port or source not in found[target]):
                    found[target][source] = port
    return found


def _linked(inputs: Mapping[str, str] | None, *, strict: bool) -> _Parts:
    if not inputs:
        return {}
    levels = _with_joint(_STRICT["inputs"]) if strict else SEVEN
    return {("inputs", source): dict.fromkeys(levels, port) for source, port in inputs.items()}


def _in_order(
    left: Run, names: Mapping[str, str], differences: Sequence[Difference]
) -> list[Difference]:
    """Return differences in the order of the graph, each marked if one before it leads to it."""
    oids = list(left.drops)
    index = {oid: row for row, oid in enumerate(oids)}
    inputs = _inputs(left, {})
    pairs = (
        (index[source], index[target])
        for target, sources in inputs.items()
        for source in sources
        if source in index
    )
    after, before = link(oids, pairs)
    # A drop that is only in one of the runs is a difference, too.
    own = {index[d.drop] for d in differences} | {index[o] for o in oids if o not in names}
    order = topological_order(after, before)
    place = {row: number for number, row in enumerate(order)}
    reached: set[int] = set()
    for row in order:
        if any(source in own or source in reached for source in before[row]):
            reached.add(row)
    return sorted(
        (
            Difference(
                d.drop, d.layer, d.field, d.left, d.right, d.levels, index[d.drop] in reached
            )
            for d in differences
        ),
        key=lambda d: (d.follows, place.get(index[d.drop], len(oids))),
    )
