"""A manager that is started again when it ends unasked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dlg.exceptions import DaliugeException
from dlg.support import clock
from dlg_engine.daemon.patience import Deaths, Patience
from dlg_engine.daemon.processes import END_S, ManagerProcess

logger = logging.getLogger(__name__)

Launch = Callable[[str], ManagerProcess]
"""Starts a process; it is given the name that the one before had, "" for the first."""
Changed = Callable[[str, ManagerProcess | None], object]
"""Is told by its role that a manager listens now, or, with None, that it has ended."""


class Supervised:
    """A manager, and the thread that waits for its end."""

    def __init__(
        self, role: str, launch: Launch, changed: Changed, rule: Patience | None = None
    ) -> None:
        """Start it, and wait until it listens; raises StartError if it does not come to that."""
        self.role, self._launch, self._changed = role, launch, changed
        self._deaths = Deaths(rule or Patience())
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._process = self._started("")
        self._begun_s = clock.monotonic()
        changed(role, self._process)
        self._thread = threading.Thread(target=self._run, name=f"dlg-{role}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Return the number of the process; None while there is none."""
        process = self._process
        return process.process.pid if process.is_alive else None

    @property
    def process(self) -> ManagerProcess:
        """Return the process that was started last."""
        return self._process

    def stop(self, patience_s: float = END_S) -> None:
        """End it, and do not start it again."""
        self._over.set()
        with self._lock:
            process = self._process
        process.end(patience_s)
        self._thread.join(patience_s)

    def _started(self, name: str) -> ManagerProcess:
        process = self._launch(name)
        try:
            process.wait_until_it_listens()
        except DaliugeException:
            process.kill()
            process.end(0)
            raise
        return process

    def _run(self) -> None:
        while True:
            process = self._process
            process.process.wait()
            if self._over.is_set():
                return
            self._changed(self.role, None)
            lived_s = clock.monotonic() - self._begun_s
            if not self._begin_again(process, lived_s):
                return

    def _begin_again(self, dead: ManagerProcess, lived_s: float) -> bool:
        """Start it again, as often as is put up with; return whether there is one to wait for."""
        code = dead.process.returncode
        while (pause_s := self._deaths.after(lived_s)) is not None:
            logger.error(
                "the %s ended with %s after %.0f s and is started again in %.1f s: %s",
                self.role, code, lived_s, pause_s, dead.tail(),
                extra={"action": "manager-died"},
            )  # fmt: skip
            if self._over.wait(pause_s):
                return False
            self._begun_s = clock.monotonic()
            try:
                self._replace(dead)
            except DaliugeException as error:
                logger.error("the %s does not start: %s", self.role, error)  # noqa: TRY400
                lived_s = 0.0
                continue
            return not self._over.is_set()
        logger.error(
            "the %s has ended %d times in a row and is not started again; see %s",
            self.role, self._deaths.count, dead.log, extra={"action": "manager-given-up"},
        )  # fmt: skip
        return False

    def _replace(self, dead: ManagerProcess) -> None:
        process = self._started(dead.name)
        with self._lock:
            self._process = process
        dead.end(0)
        if self._over.is_set():  # it was stopped meanwhile
            process.end()
            return
        self._changed(self.role, process)
