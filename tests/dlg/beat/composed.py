"""What the existing packages make of toolchains and experiments, and changes of declarations."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlg.beat.experiment import Experiment

VECTORS = Path(__file__).parent / "vectors/composed.json"
VALUES: tuple[Any, ...] = (
    None, 0, -1, 2, 1.5, 1e300, "", "a", "a b", "a/b/1", "a/1", "a.b", "#ffffff", "x" * 101, [],
    {}, True, ["a"], ["a", "a"], {"a": 1}, {"a": "b"}, [[]], "\u00e9", "..",
)  # fmt: skip
Way = tuple[str | int, ...]


@functools.cache
def vectors() -> dict[str, Any]:
    held: dict[str, Any] = json.loads(VECTORS.read_text())
    return held


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def told(experiment: Experiment) -> list[list[Any]]:
    """Return the blocks in their order, each with what feeds it and a digest of the rest."""
    return [
        [name, sorted(one["dependencies"]), digest(one["configuration"])]
        for name, one in experiment.setup().items()
    ]


def ways(declaration: Any, so_far: Way = ()) -> Iterator[Way]:
    """Yield the ways to all parts of a declaration."""
    yield so_far
    parts: Any = ()
    if isinstance(declaration, dict):
        parts = declaration.items()
    elif isinstance(declaration, list):
        parts = enumerate(declaration)
    for key, part in parts:
        yield from ways(part, (*so_far, key))


def part_of(declaration: Any, way: Way) -> Any:
    for key in way:
        declaration = declaration[key]
    return declaration


def mutated(declaration: Any, chance: random.Random) -> Any:
    """Return a copy in which one part was removed, replaced, renamed, doubled or added."""
    changed = copy.deepcopy(declaration)
    way = chance.choice([way for way in ways(changed) if way])
    key: Any = way[-1]
    holder: Any = part_of(changed, way[:-1])
    match chance.choice(["remove", "replace", "replace", "rename", "double", "add"]):
        case "remove":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[chance.choice(["zz", "z z", "queue", "name"])] = holder.pop(key)
        case "double" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case "add" if isinstance(holder[key], dict):
            holder[key][chance.choice(["extra", "description", "schema_version"])] = chance.choice(
                VALUES
            )
        case _:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return changed
