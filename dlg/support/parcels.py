"""Values wrapped to be handed to another process, large buffers in shared memory.

A parcel is a pickle (protocol 5) whose large buffers lie in a block of shared memory instead of
in the pickle: whoever opens the parcel maps the block, copy-on-write, and copies nothing. The
bytes of a parcel go through a pipe; the block stays where it is, so an array of any size is
written once, by the process that made it.

A block has a name in `/dev/shm`. It is removed when the parcel that was declared its owner goes;
`sweep` removes what processes that were killed have left.
"""

from __future__ import annotations

import mmap
import os
import pickle
from pathlib import Path
from typing import Any

BLOCKS = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")  # noqa: S108  named as ours
TEMPORARY = "tmp-"
"""In the name of a block that nobody owns yet: it may be swept once its maker has ended."""
SMALL = 1 << 16
"""Buffers of fewer bytes stay in the pickle; a block of its own costs more."""
_ALIGN = 64


class Parcel:
    """A wrapped value."""

    __slots__ = ("_owned", "block", "bounds", "data")

    def __init__(self, data: bytes, block: str, bounds: tuple[tuple[int, int], ...]) -> None:
        self.data, self.block, self.bounds = data, block, bounds
        self._owned = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Parcel, (self.data, self.block, self.bounds)

    def open(self) -> Any:
        """Return the value; its large buffers are views of the block, its own to change."""
        if not self.block:
            return pickle.loads(self.data)  # noqa: S301  see above
        with (BLOCKS / self.block).open("rb") as file:
            whole = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=_COPY_ON_WRITE)
        view = memoryview(whole)
        buffers = [view[start:end] for start, end in self.bounds]
        return pickle.loads(self.data, buffers=buffers)  # noqa: S301  see above

    def own(self) -> Parcel:
        """Become the owner of the block: it is removed when this object goes, and not before.

        What has mapped the block keeps its view; copies in other processes cannot be opened then.
        """
        if TEMPORARY in self.block:
            name = self.block.replace(TEMPORARY, "", 1)
            (BLOCKS / self.block).rename(BLOCKS / name)
            self.block = name
        self._owned = True
        return self

    def __del__(self) -> None:
        """Remove the block, if this is its owner."""
        if self._owned and self.block:
            (BLOCKS / self.block).unlink(missing_ok=True)


_COPY_ON_WRITE = mmap.PROT_READ | mmap.PROT_WRITE


def wrap(value: Any, prefix: str) -> Parcel:
    """Return `value` as a parcel whose block, if it needs one, has a name beginning with `prefix`.

    Raises what pickling raises for a value that cannot be pickled, even with cloudpickle.
    """
    large: list[pickle.PickleBuffer] = []

    def keep_in_pickle(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < SMALL:
            return True
        large.append(buffer)
        return False

    try:
        data = pickle.dumps(value, protocol=5, buffer_callback=keep_in_pickle)
    except (pickle.PicklingError, AttributeError, TypeError):
        import cloudpickle  # noqa: PLC0415  slow to import and rarely needed

        large.clear()
        data = cloudpickle.dumps(value, protocol=5, buffer_callback=keep_in_pickle)
    if not large:
        return Parcel(data, "", ())
    return _with_block(data, large, prefix)


def _with_block(data: bytes, large: list[pickle.PickleBuffer], prefix: str) -> Parcel:
    name = f"{prefix}{os.urandom(8).hex()}"
    bounds, place = [], 0
    descriptor = os.open(BLOCKS / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        for buffer in large:
            raw = buffer.raw()
            bounds.append((place, place + raw.nbytes))
            _write_all(descriptor, raw, place)
            place += -(-raw.nbytes // _ALIGN) * _ALIGN
    except BaseException:
        (BLOCKS / name).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return Parcel(data, name, tuple(bounds))


def _write_all(descriptor: int, raw: memoryview, place: int) -> None:
    """Write `raw` at `place`: quicker than by a mapping, whose pages would be made one by one."""
    while len(raw):
        written = os.pwrite(descriptor, raw, place)
        raw, place = raw[written:], place + written


def sweep(prefix: str) -> int:
    """Remove all blocks whose name begins with `prefix`; return how many there were."""
    left = list(BLOCKS.glob(f"{prefix}*"))
    for block in left:
        block.unlink(missing_ok=True)
    return len(left)
