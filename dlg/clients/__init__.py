"""Clients of running managers, one class a level."""

from __future__ import annotations

from dlg.clients.access import Access, find_access
from dlg.clients.daemon import DaemonClient
from dlg.clients.http import (
    Link,
    ManagerFailedError,
    ManagerRefusedError,
    ManagerUnreachableError,
)
from dlg.clients.managers import (
    DataIslandManagerClient,
    ManagerClient,
    MasterManagerClient,
    NodeManagerClient,
)

__all__ = [
    "Access",
    "DaemonClient",
    "DataIslandManagerClient",
    "Link",
    "ManagerClient",
    "ManagerFailedError",
    "ManagerRefusedError",
    "ManagerUnreachableError",
    "MasterManagerClient",
    "NodeManagerClient",
    "find_access",
]
