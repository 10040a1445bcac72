"""What the existing system's controller and worker have said to each other, as recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("vectors") / "worker_frames.json"


def events() -> list[dict[str, Any]]:
    """Return all that was written down, in order; see `peer/record_workers.py`."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text())
    return found


def frames_of(event: dict[str, Any], side: str) -> list[bytes]:
    """Return the frames that one side has sent."""
    return [frame.encode() for frame in event[side]]
