from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from dlg.support import arenas

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc takes memory from several arenas"
)

ALLOCATE = """
import ctypes, sys, threading
from dlg.support import arenas

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.fopen.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fclose.argtypes = [ctypes.c_void_p]
if sys.argv[1] != "all":
    assert arenas.keep_few(int(sys.argv[1]))
together = threading.Barrier(16)
def take():
    together.wait(30)
    library.malloc(5000)
    together.wait(30)
threads = [threading.Thread(target=take) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
out = library.fopen(b"/dev/stdout", b"w")
library.malloc_info(0, out)
library.fclose(out)
"""


def used(number: str) -> int:
    """Return from how many arenas 16 threads took memory."""
    told = subprocess.run(
        [sys.executable, "-c", ALLOCATE, number], capture_output=True, text=True, check=True
    )
    return told.stdout.count("<heap nr=")


def test_threads_take_memory_from_so_many_arenas_at_most() -> None:
    assert used("2") <= 2 < used("all")


def test_this_library_can_be_told() -> None:
    assert arenas.keep_few(8 * 64)
