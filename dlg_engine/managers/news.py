"""What nodes tell each other: that a drop has ended, and how. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import RunError

BAD_ENDS = frozenset({DROPStates.ERROR, DROPStates.SKIPPED, DROPStates.CANCELLED})


class News(msgspec.Struct, array_like=True, frozen=True):
    """A drop of `session_id` has ended on node `source`."""

    session_id: str
    oid: str
    source: str
    status: int
    stopped_by: str = ""
    """The drop whose failure stopped this one, if one did."""
    reason: str = ""
    """What that failure was."""
    form: str = ""
    """The form (`cargo`) of contents that are so small that they are sent along; '' if none."""
    contents: bytes = b""
    fetched: bool = False
    """Whether this says that the source has fetched the data, and needs it there no more."""
    spoiled: bool = False
    """Whether the data are not what was signed for reuse: what is behind them cannot be kept."""


class FailedElsewhereError(RunError):
    """Data could not be fetched because it, or what makes it, failed on another node."""

    def __init__(self, source: str, drop: str, reason: str) -> None:
        super().__init__(f"on node {source}, drop {drop} failed: {reason}")
        self.source, self.drop, self.reason = source, drop, reason


def encode(news: list[News]) -> bytes:
    """Return news as they travel."""
    return _ENCODER.encode(news)


def decode(packed: Any) -> list[News]:
    """Return the news; raise ValueError for bytes that are none."""
    return _DECODER.decode(packed)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[News])
