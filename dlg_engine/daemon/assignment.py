"""Which island gets which of the nodes that were found. Pure.

A node stays where it is for as long as its island is there: sessions run on it. One without an
island goes to that of its own host, else to the one with the fewest nodes, and of several such to
the first by name; so everybody who knows the same finds the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dlg_engine.managers.addresses import read_address


def assign(nodes: Iterable[str], islands: Iterable[str], now: Mapping[str, str]) -> dict[str, str]:
    """Return the island of each node; nodes have none for as long as there is no island.

    `now` says which island each has.
    """
    known = sorted(set(islands))
    if not known:
        return {}
    wanted = list(dict.fromkeys(nodes))
    found = {node: now[node] for node in wanted if now.get(node) in known}
    sizes = Counter(dict.fromkeys(known, 0)) + Counter(found.values())
    for node in sorted(set(wanted) - set(found)):
        host = read_address(node).host
        near = [one for one in known if read_address(one).host == host]
        found[node] = min(near or known, key=lambda island: (sizes[island], island))
        sizes[found[node]] += 1
    return found
