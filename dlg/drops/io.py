"""The contract between a data drop and the place where its bytes are.

Each storage brings its own `DataIO` in its own file under `dlg.data`; the two here store nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING

from dlg.exceptions import RunError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class OpenMode(IntEnum):
    """What a `DataIO` is opened for."""

    OPEN_WRITE = 0
    OPEN_READ = 1


class DataIO(ABC):
    """Access to the bytes of one drop: opened for one purpose, used, closed."""

    @abstractmethod
    def open(self, mode: OpenMode) -> None:
        """Get ready for reading from the start, or for writing what follows."""

    @abstractmethod
    def read(self, count: int = 65536) -> bytes | memoryview:
        """Return up to `count` bytes, all if `count` is negative; empty at the end."""

    @abstractmethod
    def write(self, data: Buffer) -> int:
        """Append `data`, whole, and return its size in bytes."""

    @abstractmethod
    def close(self) -> None:
        """Make sure that what was written stays, and let go; closing twice is fine."""

    @abstractmethod
    def size(self) -> int:
        """Return how many bytes there are."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there is anything."""

    @abstractmethod
    def delete(self) -> None:
        """Delete the bytes; deleting what is not there is fine."""

    def buffer(self) -> bytes | memoryview:
        """Return all bytes, without a copy where the storage can."""
        self.open(OpenMode.OPEN_READ)
        try:
            return self.read(-1)
        finally:
            self.close()


class NullIO(DataIO):
    """Forgets what is written and has nothing to read."""

    def open(self, mode: OpenMode) -> None:
        """Nothing has to be got ready."""

    def read(self, count: int = 65536) -> bytes:
        """Return that there is nothing."""
        return b""

    def write(self, data: Buffer) -> int:
        """Return the size of what is forgotten."""
        return memoryview(data).nbytes

    def close(self) -> None:
        """Nothing has to be let go."""

    def size(self) -> int:
        """Return 0."""
        return 0

    def exists(self) -> bool:
        """Return that nothing is always there."""
        return True

    def delete(self) -> None:
        """Nothing has to be deleted."""


class ErrorIO(DataIO):
    """Refuses everything: for drops that have no bytes of their own."""

    def _refuse(self) -> RunError:
        return RunError("this drop holds no data of its own; use the drops it stands for")

    def open(self, mode: OpenMode) -> None:
        """Raise `RunError`."""
        raise self._refuse()

    def read(self, count: int = 65536) -> bytes:
        """Raise `RunError`."""
        raise self._refuse()

    def write(self, data: Buffer) -> int:
        """Raise `RunError`."""
        raise self._refuse()

    def close(self) -> None:
        """Nothing can have been opened."""

    def size(self) -> int:
        """Raise `RunError`."""
        raise self._refuse()

    def exists(self) -> bool:
        """Return False."""
        return False

    def delete(self) -> None:
        """Nothing can have been stored."""
