"""1 GiB written to a file drop and read by its consumer, against plain Python files.

    python tests/bench/files.py

Both write and read pieces of 1 MiB; the drop also sums what it writes (CRC-32C).
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from time import perf_counter

from common import emit

from dlg.data.file import FileDROP
from dlg.drops.contents import DROPFile

PIECE = bytes(1 << 20)
PIECES = 1024
RUNS = 5


def plain_s(path: Path) -> float:
    """Return the seconds plain Python takes to write and read the file."""
    begun = perf_counter()
    with path.open("wb") as file:
        for _ in range(PIECES):
            file.write(PIECE)
    with path.open("rb") as file:
        while file.read(len(PIECE)):
            pass
    seconds = perf_counter() - begun
    path.unlink()
    return seconds


def drop_s(path: Path) -> float:
    """Return the seconds it takes through a file drop."""
    begun = perf_counter()
    drop = FileDROP("a", "a", filepath=str(path))
    for _ in range(PIECES):
        drop.write(PIECE)
    drop.setCompleted()
    with DROPFile(drop) as file:
        while file.read(len(PIECE)):
            pass
    seconds = perf_counter() - begun
    path.unlink()
    return seconds


def main() -> None:
    """Let the two take turns and compare the medians."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "data"
        turns = [(plain_s(path), drop_s(path)) for _ in range(RUNS)]
    plain, drop = (statistics.median(times) for times in zip(*turns, strict=True))
    emit(bench="files", gibibytes=1, plain_s=plain, drop_s=drop, ratio=drop / plain)


if __name__ == "__main__":
    main()
