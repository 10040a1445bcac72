"""Objects by oid, told page by page: no answer is longer than others can wait for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

PAGE = 1 << 22
"""About how many bytes come in one answer."""


def paged(specs: Mapping[str, Any], start: int) -> tuple[bytes, int]:
    """Return objects by oid from `start` on as JSON, and where the next page begins.

    That is nowhere, -1, after the last one.
    """
    encoder = msgspec.json.Encoder()
    texts: list[bytes] = []
    size, end = 0, start
    for oid, spec in islice(specs.items(), start, None):
        texts.append(encoder.encode(oid) + b":" + encoder.encode(spec))
        size, end = size + len(texts[-1]), end + 1
        if size >= PAGE:
            break
    return b"{" + b",".join(texts) + b"}", -1 if end == len(specs) else end
