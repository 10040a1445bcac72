"""States, phases, link types and modes of drops, with the numbers that travel on the wire.

The numbers are a wire format shared with files and managers of the existing system; they never
change.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class DROPStates(IntEnum):
    """The states of a drop, from INITIALIZED, perhaps through WRITING, to its end."""

    INITIALIZED = 0
    """Created; nothing written yet."""
    WRITING = 1
    """Data is being written."""
    COMPLETED = 2
    """All data has arrived; consumers may read it."""
    ERROR = 3
    """Something failed while the data was made; it must not be trusted."""
    EXPIRED = 4
    """No longer readable; its storage will be deleted."""
    DELETED = 5
    """Its storage has been deleted."""
    CANCELLED = 6
    """Given up from outside before it completed."""
    SKIPPED = 7
    """Not made because a branch went the other way."""


class AppDROPStates(IntEnum):
    """How far the execution of an app drop has come."""

    NOT_RUN = 0
    RUNNING = 1
    FINISHED = 2
    ERROR = 3
    CANCELLED = 4
    SKIPPED = 5


class DROPPhases(IntEnum):
    """How safe the data of a drop is: from volatile without replica to fully backed up."""

    PLASMA = 0
    GAS = 1
    SOLID = 2
    LIQUID = 3
    LOST = 4


class ChecksumTypes(IntEnum):
    """The methods by which the checksum of a drop's data may have been computed."""

    CRC_32 = 0
    CRC_32C = 1


class ExecutionMode(IntEnum):
    """Who triggers the consumers of a drop when it completes."""

    DROP = 0
    """The drop itself."""
    EXTERNAL = 1
    """Somebody outside, who watches the drop's status."""


class DROPLinkType(IntEnum):
    """The relationships between two drops; each has an inverse (CONSUMER / INPUT, ...)."""

    CONSUMER = 0
    STREAMING_CONSUMER = 1
    PRODUCER = 2
    PARENT = 3
    CHILD = 4
    INPUT = 5
    STREAMING_INPUT = 6
    OUTPUT = 7


class DROPRel(NamedTuple):
    """`lhs` is the `rel` of `rhs`: DROPRel("a", DROPLinkType.CONSUMER, "b") says a consumes b."""

    lhs: str
    rel: DROPLinkType
    rhs: str
