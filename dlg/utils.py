"""Front door: the helpers for programs and components around the system.

Inside this package use the small files of `dlg.support` that they come from. Importing this is
cheap; psutil and zeroconf are loaded by the first call that needs them.
"""

from __future__ import annotations

from dlg.support.discovery import browse_service, deregister_service, register_service
from dlg.support.hosts import (
    get_all_ipv4_addresses,
    get_local_ip_addr,
    to_externally_contactable_host,
    zmq_safe,
)
from dlg.support.names import escapeQuotes, fname_to_pipname
from dlg.support.paths import (
    createDirIfMissing,
    getDlgDir,
    getDlgLogsDir,
    getDlgPath,
    getDlgPidDir,
    getDlgVariable,
    getDlgWorkDir,
    isabs,
)
from dlg.support.processes import ExistingProcess
from dlg.support.sql import prepare_sql
from dlg.support.streams import ZlibUncompressedStream
from dlg.support.symbols import get_symbol, timed_import
from dlg.support.tracking import object_tracking

__all__ = [
    "ExistingProcess",
    "ZlibUncompressedStream",
    "browse_service",
    "createDirIfMissing",
    "deregister_service",
    "escapeQuotes",
    "fname_to_pipname",
    "getDlgDir",
    "getDlgLogsDir",
    "getDlgPath",
    "getDlgPidDir",
    "getDlgVariable",
    "getDlgWorkDir",
    "get_all_ipv4_addresses",
    "get_local_ip_addr",
    "get_symbol",
    "isabs",
    "object_tracking",
    "prepare_sql",
    "register_service",
    "timed_import",
    "to_externally_contactable_host",
    "zmq_safe",
]
