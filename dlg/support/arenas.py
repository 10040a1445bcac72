"""Where C's allocator takes memory from, in processes that run for long with many threads.

By default glibc gives threads up to eight areas ("arenas") for each core, and each of them keeps
what its busiest moment needed. Managers start threads all the time: after some thousand sessions
nearly every arena has had such a moment, though nothing is in use. Two of them are enough where
Python's lock lets one thread at a time allocate anyway (mallopt(3), M_ARENA_MAX).
"""

from __future__ import annotations

import ctypes
import ctypes.util

_ARENA_MAX = -8
ENOUGH = 2


def keep_few(number: int = ENOUGH) -> bool:
    """Let this process have so many arenas at most; return whether its C library can do that.

    To be called before threads are started: arenas that are there stay.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(_ARENA_MAX, number))
