"""Compare two physical graphs whatever their drops are called and in which order they stand.

The colours are those of Weisfeiler and Leman (1968): every drop starts with a label and takes in
those of its neighbours, a few times; graphs whose colours differ are different. Nothing here needs
more than the standard library, so that the environment of another translator can use it as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

GIVES = ("consumers", "streamingConsumers", "outputs")
TAKES = ("inputs", "streamingInputs", "producers")
ROUNDS = 4
Neighbours = list[list[int]]


def fingerprint(specs: Sequence[Any]) -> dict[str, Any]:
    """Return what is the same for two lists of dropspecs that say the same.

    `topology` knows data from apps, `classes` also their categories and classes, `names` also what
    they are called, and `instances` which instances there are of each name. What is no drop (the
    trailing object of reproducibility) does not count.
    """
    drops = [spec for spec in specs if "oid" in spec]
    after, before = _neighbours(drops)
    kinds = [str(drop.get("categoryType")) for drop in drops]
    classes = [f"{k}|{d.get('category')}|{d.get('dropclass')}" for k, d in zip(kinds, drops)]  # noqa: B905
    names = [f"{c}|{d.get('name')}" for c, d in zip(classes, drops)]  # noqa: B905
    return {
        "n_data": kinds.count("Data"),
        "n_app": kinds.count("Application"),
        "n_drops": len(drops),
        "n_edges": sum(map(len, after)),
        "longest_path": longest_path(after, before),
        "topology": _colours(kinds, after, before),
        "classes": _colours(classes, after, before),
        "names": _colours(names, after, before),
        "instances": _hash(sorted(f"{drop.get('name')}|{drop.get('iid')}" for drop in drops)),
    }


def longest_path(after: Neighbours, before: Neighbours) -> int:
    """Return how many drops there are on the longest path; -1 if there is a cycle."""
    missing = [len(rows) for rows in before]
    longest = [1] * len(after)
    ready = [row for row, count in enumerate(missing) if not count]
    for row in ready:  # grows as it is walked
        for target in after[row]:
            longest[target] = max(longest[target], longest[row] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return max(longest, default=0) if len(ready) == len(after) else -1


def _neighbours(drops: Sequence[Mapping[str, Any]]) -> tuple[Neighbours, Neighbours]:
    """Return the rows after and before each drop, each once, whoever lists the link."""
    rows = {drop["oid"]: row for row, drop in enumerate(drops)}
    links = set()
    for row, drop in enumerate(drops):
        links |= {(row, rows[oid]) for key in GIVES for oid in _oids(drop.get(key)) if oid in rows}
        links |= {(rows[oid], row) for key in TAKES for oid in _oids(drop.get(key)) if oid in rows}
    after: Neighbours = [[] for _ in drops]
    before: Neighbours = [[] for _ in drops]
    for src, dst in sorted(links):
        after[src].append(dst)
        before[dst].append(src)
    return after, before


def _oids(links: Iterable[Any] | None) -> Iterable[str]:
    for link in links or ():
        yield from link if isinstance(link, Mapping) else (link,)


def _colours(labels: Sequence[str], after: Neighbours, before: Neighbours) -> str:
    colours = [_hash([label]) for label in labels]
    for _ in range(ROUNDS):
        colours = [
            _hash([own, "after", *sorted(colours[r] for r in after[row]),
                   "before", *sorted(colours[r] for r in before[row])])
            for row, own in enumerate(colours)
        ]  # fmt: skip
    return _hash(sorted(colours))


def _hash(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8", "replace")).hexdigest()[:16]
