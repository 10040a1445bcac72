"""Merkle trees: many items become one hash, and no item can change without changing it.

A leaf is the hash of a zero byte and the item, an inner node that of a one byte and its two
children, so that nobody can pass a node off as an item. A node without a sibling moves up as it
is. Only the root is kept.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class Digest(Protocol):
    """What a hash function returns."""

    def digest(self) -> bytes:
        """Return the hash as bytes."""


Hash = Callable[[bytes], Digest]

_FEW = 12
"""Larger trees are over all data that lead to a drop, of which its neighbours share most."""
_LEAF, _NODE = b"\x00", b"\x01"


def root_of(items: Iterable[object], algorithm: Hash = hashlib.sha3_256) -> str | None:
    """Return the root over the texts of `items` in their order, in hexadecimal; None for none."""
    nodes = [algorithm(_LEAF + str(item).encode()).digest() for item in items]
    return _root(nodes, algorithm).hex() if nodes else None


def _root(nodes: list[bytes], algorithm: Hash) -> bytes:
    """Return the root above `nodes`, of which there is at least one."""
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        above = [algorithm(_NODE + left + right).digest() for left, right in pairs]
        if len(nodes) % 2:  # the last has no sibling
            above.append(nodes[-1])
        nodes = above
    return nodes[0]


# A block is an item of all that follow it, and what was known before the run comes again at
# several levels.
@functools.lru_cache(maxsize=1 << 16)
def _leaf(text: str) -> bytes:
    return hashlib.sha3_256(_LEAF + text.encode()).digest()


def root_of_fields(fields: Mapping[str, Any]) -> str | None:
    """Return the root over the fields in their order, each a (key, value) pair as text."""
    return _root_of_texts(tuple(map(str, fields.items())))


@functools.lru_cache(maxsize=4096)
def _root_of_texts(texts: tuple[str, ...]) -> str | None:
    # Most drops of a graph have the same few fields as many others.
    return root_of(texts)


def root_of_roots(roots: Iterable[str | None]) -> str:
    """Return the root over hashes of which some may be missing, of which there is at least one."""
    return _root_of_some(tuple(map(str, roots)))


@functools.lru_cache(maxsize=4096)
def _root_of_some(texts: tuple[str, ...]) -> str:
    nodes = list(map(_leaf, texts))
    if len(nodes) <= _FEW:
        return _root(nodes, hashlib.sha3_256).hex()
    while len(nodes) > 1:
        last = nodes[-1:] if len(nodes) % 2 else []
        nodes = [*map(_node, nodes[::2], nodes[1::2]), *last]
    return nodes[0].hex()


@functools.lru_cache(maxsize=1 << 16)
def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha3_256(_NODE + left + right).digest()


def signature_of_leaves(hashes: Iterable[str]) -> str | None:
    """Return the signature of a graph whose last drops have these block hashes; None for none."""
    return root_of(sorted(hashes), hashlib.sha256)
