"""1 GiB written to a file drop whose hash is taken on the way, against one nobody asks about.

    python tests/bench/hashing.py [DIRECTORY]

The two take turns; the time ends when the drop is complete and the hash is known. The last line
says how fast single threads hash what is in memory.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from blake3 import blake3
from common import emit

from dlg.data.file import FileDROP
from dlg.drops.hashing import hash_written

TOTAL = 1 << 30
RUNS = 9
GOAL = 0.1


def written_s(path: Path, piece: bytes, *, hashed: bool) -> float:
    """Return the seconds until the file is written, and its hash known if it is asked for."""
    drop = FileDROP("a", "a", filepath=str(path))
    if hashed:
        hash_written(drop._graph, [drop._row])
    begun = perf_counter()
    for _ in range(TOTAL // len(piece)):
        drop.write(piece)
    drop.setCompleted()
    seconds = perf_counter() - begun
    assert bool(drop.known_hash) is hashed
    path.unlink()
    return seconds


def mebibytes_per_s(make: Callable[[], Any]) -> float:
    """Return how fast a hash is that is given pieces of 256 KiB."""
    hasher, piece, count = make(), bytes(1 << 18), 2048
    begun = perf_counter()
    for _ in range(count):
        hasher.update(piece)
    hasher.digest()
    return count / 4 / (perf_counter() - begun)


def main() -> None:
    """Print a line for each size of pieces, and one for the algorithms."""
    where = sys.argv[1] if sys.argv[1:] else None
    for size in (1 << 20, 1 << 16):
        with tempfile.TemporaryDirectory(dir=where) as directory:
            path, piece = Path(directory) / "data", bytes(size)
            turns = [
                (written_s(path, piece, hashed=False), written_s(path, piece, hashed=True))
                for _ in range(RUNS)
            ]
        plain, hashed = zip(*turns, strict=True)
        added = statistics.median(hashed) / statistics.median(plain) - 1
        emit(
            bench="hashing", piece_kib=size >> 10, plain_s=statistics.median(plain),
            hashed_s=statistics.median(hashed), added=added,
            added_best=min(hashed) / min(plain) - 1, goal=GOAL,
        )  # fmt: skip
    rates: dict[str, Callable[[], Any]] = {
        "sha256": hashlib.sha256, "blake2b": hashlib.blake2b, "blake3": blake3,
    }  # fmt: skip
    emit(bench="hashing", **{name: mebibytes_per_s(make) for name, make in rates.items()})


if __name__ == "__main__":
    main()
