"""What the programs have in common."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg.beat.blocks.running import Report
from dlg.beat.cache_files import HIDDEN_MARK
from dlg.exceptions import UsageError

FAILED = 1


def configuration_in(folder: str) -> dict[str, Any]:
    """Return the configuration that was dumped into a folder, with the hashes of outputs.

    Raises `UsageError` if there is none.
    """
    path = Path(folder, "configuration.json")
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no configuration: {error}") from error
    for part in (found, found.get("loop", {})):
        outputs = [*part.get("outputs", {}).values(), *filter(None, [part.get("result")])]
        for output in outputs:
            output.setdefault("hash", output["path"].replace("/", ""))
    return found


def prefix_in(folder: str) -> str:
    """Return the prefix that was dumped into a folder."""
    return str(Path(folder, "prefix").absolute())


def mark_files(configuration: Mapping[str, Any]) -> None:
    """Let files that are being written be known for this block's."""
    HIDDEN_MARK.set(str(configuration.get("mark", "")))


def become(configuration: Mapping[str, Any]) -> None:
    """Be the user whose number the configuration has, if this process may choose."""
    uid = configuration.get("uid")
    if uid is not None and uid != os.getuid() and os.getuid() == 0:
        os.setgid(uid)
        os.setuid(uid)


def ended(text: str) -> str:
    """Return the error of a block that was ended for a limit."""
    return f"The block was ended: {text}"


def told(report: Report) -> tuple[bytes, bytes]:
    """Return whose fault an error is, and what it is, as the parts of a message."""
    kind, text = (
        (b"usr", report.user_error) if report.user_error else (b"sys", report.system_error)
    )
    return kind, text.encode()
