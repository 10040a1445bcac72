"""Holding off the cyclic garbage collector while many objects are made at once.

Building a large graph makes millions of containers and no garbage; each collection would walk
them all again, which doubles the time. The collector is a matter of the whole process, so callers
in several threads are counted and the last one out restores what the first one found.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_was_enabled = False


@contextmanager
def held_off() -> Iterator[None]:
    """Run the body of the `with` without cyclic garbage collection."""
    global _inside, _was_enabled  # noqa: PLW0603  the collector is global as well
    with _lock:
        if not _inside:
            _was_enabled = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_enabled:
                gc.enable()
