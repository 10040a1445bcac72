"""Which process of a job does what: ranks are dealt out to the master, islands and nodes. Pure.

Rank 0 is the master. Nodes are divided over islands in the order of ranks, so that those which
batch systems place beside each other stay together. A manager of an island, as the master, needs
little: unless ranks of their own are asked for, it stands beside the first of its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dlg.exceptions import UsageError


class Role(StrEnum):
    """What a manager is."""

    MASTER = "master"
    ISLAND = "island"
    NODE = "node"


ENDING = (Role.MASTER, Role.ISLAND, Role.NODE)
"""In this order managers are ended: those above first, or they would take the others for dead."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a rank does."""

    rank: int
    roles: tuple[Role, ...]
    """In the order in which they are begun."""
    below: tuple[int, ...] = ()
    """The ranks of the nodes of its island, where it has one."""


def posts(ranks: int, islands: int = 1, *, apart: bool = False) -> tuple[Post, ...]:
    """Return the table: what each of so many ranks does.

    With `apart`, the master and the islands have ranks without nodes. Raises UsageError if there
    would be an island without a node.
    """
    if islands < 1:
        raise UsageError("a job needs at least one island")
    first = 1 + islands if apart else 0
    nodes = ranks - first
    if nodes < islands:
        raise UsageError(_too_few(ranks, islands, apart=apart))
    shares = _shares(range(first, ranks), islands)
    homes = {1 + k if apart else share[0]: share for k, share in enumerate(shares)}
    return tuple(_post(rank, homes.get(rank, ()), is_node=rank >= first) for rank in range(ranks))


def _post(rank: int, below: Sequence[int], *, is_node: bool) -> Post:
    wanted = {Role.NODE: is_node, Role.ISLAND: bool(below), Role.MASTER: rank == 0}
    return Post(rank, tuple(role for role, has in wanted.items() if has), tuple(below))


def _shares(ranks: range, islands: int) -> list[range]:
    """Return the ranks in as many parts, which differ in size by one at most."""
    size, more = divmod(len(ranks), islands)
    starts = [k * size + min(k, more) for k in range(islands + 1)]
    return [ranks[starts[k] : starts[k + 1]] for k in range(islands)]


def _too_few(ranks: int, islands: int, *, apart: bool) -> str:
    own = f", of which the master and the islands take {1 + islands}" if apart else ""
    return (
        f"{islands} islands need at least one node each, and there are {ranks} ranks{own}: "
        "ask for more nodes or fewer islands"
    )


def ranks_of(table: Sequence[Post], role: Role) -> list[int]:
    """Return the ranks that have a role."""
    return [post.rank for post in table if role in post.roles]
