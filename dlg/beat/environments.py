"""The packages that are installed in an environment, which is a docker image."""

from __future__ import annotations

from dlg.beat.dock import Host
from dlg.exceptions import DaliugeException

__all__ = ["enumerate_packages"]

CHANNEL, NO_CHANNEL = 4, 3
"""Columns of a line with a package; the last one is empty for the channel that is the default."""


def enumerate_packages(host: Host, environment_name: str) -> list[dict[str, str]]:
    """Return name and version of each package in an environment; nothing if it cannot be asked."""
    try:
        image = host.env2docker(environment_name)
    except (DaliugeException, KeyError):
        return []
    status, output = host.run(image, ["conda", "list"])
    if status != 0 or output is None:
        return []
    rows = [line.split() for line in output.splitlines() if not line.startswith("#")]
    return [
        {"name": row[0], "version": row[1]} for row in rows if len(row) in {NO_CHANNEL, CHANNEL}
    ]
