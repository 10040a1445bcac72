"""Pairs of instances as integer arrays, one function a rule. Pure arithmetic on numbers.

An instance is a number: its place among all instances of its entity, in the order of their
indices, outermost first. So the instance around number `i` that lies `d` times less deep is
`i // d`, and nothing has to be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from dlg_translator.model.plan import Entity, GroupKind, Plan, Rule, Wire

Numbers = npt.NDArray[np.int64]
Pairs = tuple[Numbers, Numbers]


def pairs_of(wire: Wire, plan: Plan) -> Pairs:
    """Return the instances that `wire` links: numbers of sources and targets, by target."""
    src, dst = plan.entities[wire.src], plan.entities[wire.dst]
    return _RULES[wire.rule](wire, src, dst, plan)


def _nest(wire: Wire, src: Entity, dst: Entity, plan: Plan) -> Pairs:
    ours, theirs = plan.count(src.path), plan.count(dst.path)
    many = np.arange(max(ours, theirs), dtype=np.int64)
    few = many // max(1, max(ours, theirs) // max(1, min(ours, theirs)))
    pairs = (many, few) if ours >= theirs else (few, many)
    if not wire.loop_aware or src.path == dst.path:
        return pairs
    keep = _at_edge(pairs[0], src, len(dst.path), plan, last=True)
    keep &= _at_edge(pairs[1], dst, len(src.path), plan, last=False)
    return pairs[0][keep], pairs[1][keep]


def _at_edge(
    numbers: Numbers, entity: Entity, depth: int, plan: Plan, *, last: bool
) -> npt.NDArray[np.bool_]:
    """Return which instances are in the first (or last) iteration of the loop they are in.

    Only the innermost loop counts: each iteration of a loop around it begins and ends one of it.
    """
    if len(entity.path) <= depth:
        return np.ones(len(numbers), dtype=bool)
    group = plan.groups[entity.path[-1]]
    if group.kind is not GroupKind.ITERATIONS:
        return np.ones(len(numbers), dtype=bool)
    edge = group.width - 1 if last else 0
    return np.asarray(numbers % group.width == edge, dtype=bool)


def index_at(numbers: Numbers, path: tuple[str, ...], level: int, plan: Plan) -> Numbers:
    """Return the index of each instance in the group at `level` of `path`."""
    below = plan.count(path[level + 1 :])
    return (numbers // below) % plan.groups[path[level]].width


def _pair(_wire: Wire, src: Entity, _dst: Entity, plan: Plan) -> Pairs:
    all_of_them = np.arange(plan.count(src.path), dtype=np.int64)
    return all_of_them, all_of_them


def _carry(_wire: Wire, src: Entity, _dst: Entity, plan: Plan) -> Pairs:
    numbers = np.arange(plan.count(src.path), dtype=np.int64)
    width = plan.groups[src.path[-1]].width
    numbers = numbers[numbers % width < width - 1]
    return numbers, numbers + 1


def _bunch(wire: Wire, src: Entity, dst: Entity, plan: Plan) -> Pairs:
    level = dst.path.index(wire.gather)
    path = dst.path[: level + 1]
    bunches, around = plan.groups[wire.gather].width, plan.count(path[:-1])
    shared = _shared_depth(src.path, path[:-1])
    copies = plan.count(path[shared:-1])  # the source is outside of these: all get it
    per = plan.count(src.path[shared:])
    numbers = np.arange(plan.count(src.path), dtype=np.int64)
    if copies == 1:
        here = np.minimum((numbers % per) // wire.width, bunches - 1)
        targets = (numbers // per) * bunches + here
    else:
        targets = np.arange(around * bunches, dtype=np.int64)
        numbers = targets // (bunches * copies)
    deeper = plan.count(dst.path[level + 1 :])
    if deeper == 1:
        return numbers, targets
    targets = np.repeat(targets * deeper, deeper) + np.tile(np.arange(deeper), len(targets))
    keep = np.ones(len(targets), dtype=bool)
    if wire.loop_aware:
        keep = _at_edge(targets, dst, level + 1, plan, last=False)
    return np.repeat(numbers, deeper)[keep], targets[keep]


def _shared_depth(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    depth = 0
    while depth < min(len(a), len(b)) and a[depth] == b[depth]:
        depth += 1
    return depth


def _key(wire: Wire, src: Entity, dst: Entity, plan: Plan) -> Pairs:
    numbers = np.arange(plan.count(src.path), dtype=np.int64)
    keys = np.zeros(len(numbers), dtype=np.int64)
    for group in wire.keys:
        level = src.path.index(group)
        keys = keys * plan.groups[group].width + index_at(numbers, src.path, level, plan)
    shared = _shared_depth(src.path, dst.path[:-1])
    around = numbers // plan.count(src.path[shared:])
    return numbers, around * plan.groups[dst.path[-1]].width + keys


def _spread(_wire: Wire, src: Entity, dst: Entity, plan: Plan) -> Pairs:
    around = plan.count(src.path[:-1])
    ours, theirs = (plan.groups[e.path[-1]].width for e in (src, dst))
    steps = np.arange(max(ours, theirs), dtype=np.int64)
    one, other = steps * ours // len(steps), steps * theirs // len(steps)
    base = np.repeat(np.arange(around, dtype=np.int64), len(steps))
    return base * ours + np.tile(one, around), base * theirs + np.tile(other, around)


_RULES: Mapping[Rule, Callable[[Wire, Entity, Entity, Plan], Pairs]] = {
    Rule.NEST: _nest,
    Rule.PAIR: _pair,
    Rule.CARRY: _carry,
    Rule.BUNCH: _bunch,
    Rule.KEY: _key,
    Rule.SPREAD: _spread,
}


def index_texts(path: tuple[str, ...], plan: Plan) -> list[str]:
    """Return the instance ids of everything with `path`: "0-2-1" is copy 2, in it copy 1."""
    texts = ["0"]
    for group in path:
        endings = [f"-{i}" for i in range(plan.groups[group].width)]
        texts = [text + ending for text in texts for ending in endings]
    return texts
