"""The managers of a host: started, supervised and ended by the daemon, each a process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.http.errors import ConflictError
from dlg_engine.daemon.background import log_name, logs_dir, pid_path, put_aside
from dlg_engine.daemon.patience import Patience
from dlg_engine.daemon.processes import END_S, ManagerProcess
from dlg_engine.daemon.running import DEADLINE_S
from dlg_engine.daemon.security import Security
from dlg_engine.daemon.supervised import Supervised
from dlg_engine.managers.addresses import (
    EVENTS_PORT,
    ISLAND_PORT,
    MASTER_PORT,
    NODE_PORT,
    RPC_PORT,
    read_address,
)

logger = logging.getLogger(__name__)

COMMANDS: Mapping[str, str] = {"node": "nm", "island": "dim", "master": "mm", "translator": "tm"}
"""The command that runs each role; those above end first, so they stand last but one."""
ENDING = ("translator", "master", "island", "node")
PORTS: Mapping[str, int] = {"node": NODE_PORT, "island": ISLAND_PORT, "master": MASTER_PORT}
TRANSLATOR_PORT = 8084


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """How the managers of a host are run."""

    host: str = "127.0.0.1"
    security: Security = field(default_factory=Security)
    any_ports: bool = False
    """Whether they take any free ports instead of the usual ones."""
    workdir: Path | None = None
    logdir: Path | None = None
    deadline_s: float = DEADLINE_S
    """How long the sessions of a node may go on when it is told to end."""
    rule: Patience = field(default_factory=Patience)
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """More arguments for the command of a role."""


class Host:
    """The managers that run on this host; every method may be called from any thread."""

    def __init__(
        self,
        options: HostOptions,
        changed: Callable[[str, ManagerProcess | None], object] = lambda role, process: None,
    ) -> None:
        """`changed` is told of each that listens or has ended."""
        self.options, self._changed = options, changed
        self._running: dict[str, Supervised] = {}
        self._lock = threading.Lock()
        self._ending = False

    def start(self, role: str, nodes: Sequence[str] = ()) -> dict[str, Any]:
        """Start a manager; return its process, name and URL.

        Raises ConflictError if it runs already, StartError if it does not come to listen.
        """
        with self._lock:
            if self._ending:
                raise ConflictError("the daemon is ending: it starts no managers")
            if self.pid(role) is not None:
                raise ConflictError(f"the {role} manager of this host runs already")
            given_up = self._running.pop(role, None)
            if given_up is not None:
                given_up.stop(0)
            self._running[role] = Supervised(
                role, lambda name: self._launch(role, name, nodes), self._changed,
                self.options.rule,
            )  # fmt: skip
        return self.about(role)

    def stop(self, role: str) -> None:
        """End a manager; raise ConflictError if none runs."""
        with self._lock:
            running = self._running.pop(role, None)
        if running is None:
            raise ConflictError(f"no {role} manager runs on this host")
        running.stop(self.options.deadline_s + END_S)
        self._changed(role, None)  # only now: until its end its sessions may go on

    def pid(self, role: str) -> int | None:
        """Return the process of a manager; None if there is none."""
        running = self._running.get(role)
        return None if running is None else running.pid

    def about(self, role: str) -> dict[str, Any]:
        """Return process, name and URL of a manager; all are None if it does not run."""
        running, pid = self._running.get(role), self.pid(role)
        if running is None or pid is None:
            return {"pid": None}
        return {"pid": pid, "name": running.process.name, "url": running.process.url}

    def close(self) -> None:
        """End all managers, those above first."""
        with self._lock:
            self._ending = True
        for role in ENDING:
            if role in self._running:
                self.stop(role)

    def _launch(self, role: str, name: str, nodes: Sequence[str]) -> ManagerProcess:
        """Start the process of a manager; one that takes another's place takes its ports too."""
        options = self.options
        folder = logs_dir(options.logdir)
        log = log_name(COMMANDS[role])
        put_aside(folder / log)
        arguments = [COMMANDS[role], "-H", options.host]
        arguments += self._ports(role, name) + list(options.arguments.get(role, ()))
        if role != "translator":
            arguments += options.security.arguments()
            arguments += ["--pid-file", str(pid_path(COMMANDS[role]))]
        if role == "node":
            arguments += ["--deadline", f"{options.deadline_s:g}"]
            arguments += ["-w", str(options.workdir)] if options.workdir else []
        elif role in {"island", "master"}:
            arguments += ["--patient"]
            arguments += ["-N", ",".join(nodes)] if nodes else []
        logger.info("the %s is started: dlg %s", role, " ".join(arguments))
        return ManagerProcess(role, arguments, folder, folder, log)

    def _ports(self, role: str, name: str) -> list[str]:
        if role == "translator":
            return ["-p", "0" if self.options.any_ports else str(TRANSLATOR_PORT)]
        if name:
            had = read_address(name)
            rest, rpc, events = had.port, had.rpc_port, had.events_port
        elif self.options.any_ports:
            rest = rpc = events = 0
        else:
            rest, rpc, events = PORTS[role], RPC_PORT if role == "node" else 0, EVENTS_PORT
        found = ["-P", str(rest), "--rpc-port", str(rpc)]
        return found + (["--event-port", str(events)] if role == "node" else [])
