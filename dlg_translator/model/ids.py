"""Ids for things that files of earlier generations left without one.

The same file must always give the same graph, so an id is derived from the place of the thing
instead of being drawn at random. It looks like those the graph editor makes.
"""

from __future__ import annotations

import hashlib


def derived_id(*parts: object) -> str:
    """Return the same uuid-shaped text for the same `parts`, another one for others."""
    joined = "\0".join(str(part) for part in parts)
    digits = hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()
    return "-".join(
        (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]),
    )
