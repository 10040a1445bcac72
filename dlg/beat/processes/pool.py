"""Wardens that stay up, for whoever has jobs: started when needed, used again, ended at exit.

A warden is an interpreter of any environment (Python 3.11 or newer with numpy). It runs this very
package, whether the environment has it or not, so that both sides always speak alike.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from dlg.beat.processes.calls import Call, Outcome, Stop
from dlg.beat.processes.client import Warden


class Pool:
    """Wardens by interpreter; each is used by one caller at a time."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = tuple(preload)
        self._lock = threading.Lock()
        self._idle: dict[str, list[Warden]] = {}
        self._all: list[Warden] = []
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def run(
        self,
        calls: Sequence[Call],
        links: Sequence[tuple[int, int]] = (),
        python: str = sys.executable,
        stop: Stop | None = None,
    ) -> Outcome:
        """Run a job in a warden of interpreter `python`; see `Warden.run`.

        `links` are pairs of places in `calls`, each for a pair of sockets that are linked.
        """
        warden = self._take(python)
        try:
            return warden.run(calls, links, stop or Stop())
        finally:
            self._give_back(python, warden)

    def warm(self, python: str = sys.executable) -> dict[str, Any]:
        """See to it that there is a warden of `python`; return its facts."""
        warden = self._take(python)
        self._give_back(python, warden)
        return warden.facts

    def _take(self, python: str) -> Warden:
        with self._lock:
            idle = self._idle.get(python, [])
            while idle:
                warden = idle.pop()
                if warden.alive:
                    return warden
                self._drop(warden)
        warden = Warden(python, self._preload)
        with self._lock:
            self._all.append(warden)
        return warden

    def _give_back(self, python: str, warden: Warden) -> None:
        with self._lock:
            if warden.alive and warden in self._all:
                self._idle.setdefault(python, []).append(warden)
            else:
                self._drop(warden)

    def _drop(self, warden: Warden) -> None:
        if warden in self._all:
            self._all.remove(warden)
        warden.close()

    def _forget(self) -> None:
        """Have none of them in a process that was forked from this one."""
        self._lock = threading.Lock()
        for warden in self._all:
            warden.forget()
        self._idle.clear()
        self._all.clear()

    def close(self) -> None:
        """End all wardens."""
        with self._lock:
            wardens, self._all = self._all, []
            self._idle.clear()
        for warden in wardens:
            warden.close()
