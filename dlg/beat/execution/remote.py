"""What executors share whose processes are somewhere that is to be said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.beat.execution.base import BaseExecutor, Cache
from dlg.beat.processes.calls import Stop


class RemoteExecutor(BaseExecutor):
    """Runs blocks in processes that report to an address of this machine, `ip_address`."""

    def __init__(  # noqa: PLR0913, PLR0917  the interface
        self,
        prefix: str,
        data: object,
        ip_address: str,
        cache: str | None = None,
        dataformat_cache: Cache | None = None,
        database_cache: Cache | None = None,
        algorithm_cache: Cache | None = None,
        library_cache: Cache | None = None,
        custom_root_folders: Mapping[str, str] | None = None,
    ) -> None:
        self._stop: Stop | None = None
        super().__init__(
            prefix,
            data,
            cache,
            dataformat_cache,
            database_cache,
            algorithm_cache,
            library_cache,
            custom_root_folders,
        )
        self.ip_address = ip_address

    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block; see `BaseExecutor.process`. Each kind does that in its own way."""
        raise NotImplementedError

    def kill(self) -> bool:
        """End the block that is being run, from another thread or a handler of signals.

        Tells whether there is one.
        """
        stop = self._stop
        if stop is None:
            return False
        stop()
        return True
