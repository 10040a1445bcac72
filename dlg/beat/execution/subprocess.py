"""Runs blocks with the Python of any environment, views of databases in a process of theirs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg.beat.execution.base import Cache
from dlg.beat.execution.programs import NAMES, Folders, Program, judged, main_program
from dlg.beat.execution.remote import RemoteExecutor
from dlg.beat.execution.wardens import RUN, SERVE, run
from dlg.beat.message_handler import MessageHandler
from dlg.beat.processes.calls import Call, Outcome, Stop
from dlg.beat.processes.client import UnfitEnvironmentError
from dlg.beat.processes.limits import Limits
from dlg.beat.utils import find_free_port


class SubprocessExecutor(RemoteExecutor):
    """Runs the code of an execution block with the interpreter `python_path`, by default ours.

    That needs Python 3.11 or newer and numpy, and neither this package nor any other. An
    environment with the programs of an older version beside its interpreter will do too; if it has
    neither, `process` raises `UnfitEnvironmentError` (a `RuntimeError`).
    """

    by_programs = False
    """Whether the programs beside the interpreter are preferred, if they are there."""

    def __init__(  # noqa: PLR0913, PLR0917  the interface
        self,
        prefix: str,
        data: object,
        cache: str | None = None,
        dataformat_cache: Cache | None = None,
        database_cache: Cache | None = None,
        algorithm_cache: Cache | None = None,
        library_cache: Cache | None = None,
        custom_root_folders: Mapping[str, str] | None = None,
        ip_address: str = "127.0.0.1",
        python_path: str | None = None,
    ) -> None:
        super().__init__(
            prefix,
            data,
            ip_address,
            cache,
            dataformat_cache,
            database_cache,
            algorithm_cache,
            library_cache,
            custom_root_folders,
        )
        self.python_path = str(python_path or sys.executable)

    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block; see `BaseExecutor.process`."""
        self._need_valid()
        limits = self._limits(virtual_memory_in_megabytes, max_cpu_percent, timeout_in_minutes)
        self._stop = Stop()
        payload = self._payload()
        outcome = self._run(limits, self._stop, payload)
        return self._finish(outcome, limits)

    def _run(self, limits: Limits, stop: Stop, payload: dict[str, Any]) -> Outcome:
        programs = [Path(self.python_path).with_name(name) for name in NAMES]
        complete = all(program.is_file() for program in programs)
        if not (self.by_programs and complete):
            try:
                calls, links = self._calls(limits, payload)
                return run(calls, links, self.python_path, stop)
            except UnfitEnvironmentError as error:
                if not complete:
                    raise UnfitEnvironmentError(
                        f"Invalid environment: {error}, and beside it there are no programs "
                        f"{', '.join(NAMES)}"
                    ) from error
        return self._run_programs(limits, stop)

    def _run_programs(self, limits: Limits, stop: Stop) -> Outcome:
        handler = MessageHandler(f"{self.ip_address}:*", kill_callback=stop)
        folders = Folders.made_for(self, limits)
        place = _Here(self.python_path, self.ip_address, Limits(processes=self.max_processes))
        try:
            handler.start()
            cache = str(Path(self.cache).absolute())
            main = main_program(self, folders, cache, handler.address, place)
            calls = [*place.calls, place.call(main, limits)]
            return judged(run(calls, stop=stop), handler)
        finally:
            handler.stop()
            folders.remove()

    def _calls(
        self, limits: Limits, payload: dict[str, Any]
    ) -> tuple[list[Call], list[tuple[int, int]]]:
        here = str(Path.cwd())
        main = Call(limits, function=RUN, payload=payload, directory=here)
        if not self.databases:
            return [main], []
        # The limits are for the algorithm; what its data cost to make is not its affair.
        few = Limits(processes=self.max_processes)
        return [Call(few, function=SERVE, payload=payload, directory=here), main], [(0, 1)]


class _Here:
    """Programs beside an interpreter of this machine."""

    def __init__(self, python_path: str, ip_address: str, few: Limits) -> None:
        self._python, self._ip, self._few = Path(python_path), ip_address, few
        self.calls: list[Call] = []

    def listen(self, _program: str) -> str:
        """Return an address that is free."""
        return f"{self._ip}:{find_free_port()}"

    def start(self, program: Program) -> str:
        """Let the program be run with the others."""
        self.calls.append(self.call(program, self._few))
        return program.address

    def call(self, program: Program, limits: Limits) -> Call:
        """Return how it is run."""
        command = str(self._python.with_name(program.name))
        return Call(limits, command=[command, *program.arguments])
