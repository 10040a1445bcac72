"""A whole cluster on this machine, for trying out: a master, an island and nodes.

Each is a process of its own, started as `dlg nm`, `dlg dim` and `dlg mm` would be, and listens on
loopback only. Whoever has started them ends them: those above first, so that no manager takes the
end of those below for their death.
"""

from __future__ import annotations

import queue
import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from dlg.exceptions import UsageError
from dlg_engine.daemon.processes import END_S, ManagerProcess
from dlg_engine.managers.addresses import (
    EVENTS_PORT,
    ISLAND_PORT,
    MASTER_PORT,
    NODE_PORT,
    RPC_PORT,
    read_address,
)

LOOPBACK = "127.0.0.1"
ANY = 0
"""The port that stands for any free one."""


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """How a cluster on this machine is run."""

    nodes: int = 3
    workdir: Path = Path("dlg-cluster")
    """Where logs and the directories of sessions go, a folder each manager."""
    port: int | None = None
    """The port of the master: None for the usual one if it is free, 0 for any free ones at all."""
    master: bool = True
    processes: bool = False
    workers: int = 0
    store: Path | None = None
    """Where nodes keep results to be used again; None for the usual place."""
    deadline_s: float = 0.0
    """How long running sessions may go on at the end."""
    code: Sequence[Path] = ()
    """Directories from which nodes import users' modules."""
    cwd: Path = Path()


class LocalCluster:
    """The processes, until the end of a `with` block."""

    def __init__(self, options: ClusterOptions) -> None:
        """Start them; raise a `DaliugeException` if one does not come to listen."""
        self.options = options
        if options.port and not is_free(options.port):
            raise UsageError(f"port {options.port} is taken: name another one, or 0 for any")
        self.processes: list[ManagerProcess] = []
        self._ended: queue.SimpleQueue[ManagerProcess] = queue.SimpleQueue()
        try:
            self.nodes = self._start_nodes()
            names = ",".join(node.name for node in self.nodes)
            self.island = self._start("dim", "island", self._port(ISLAND_PORT), "-N", names)
            self.top = self.island
            if options.master:
                port = self._port(MASTER_PORT) if options.port is None else options.port
                self.top = self._start("mm", "master", port, "-N", self.island.name)
            for process in self.processes:
                process.watch(self._ended.put)
        except BaseException:
            self.end()
            raise

    @property
    def master(self) -> ManagerProcess:
        """Return the master; raise UsageError where there is none."""
        if self.top is self.island:
            raise UsageError("this cluster was started without a master")
        return self.top

    def _start_nodes(self) -> list[ManagerProcess]:
        """Start all nodes at once, and wait for them together."""
        options = self.options
        nodes = []
        for i in range(options.nodes):
            # The first gets the usual ports, where they are free.
            usual = (NODE_PORT, EVENTS_PORT, RPC_PORT) if i == 0 else (ANY, ANY, ANY)
            port, events, rpc = map(self._port, usual)
            work = self._folder(f"node{i + 1}") / "work"
            more = ["--event-port", str(events), "--deadline", f"{options.deadline_s:g}"]
            more += ["-w", str(work), "-t", str(options.workers)]
            more += ["--processes"] if options.processes else []
            more += ["--store", str(options.store.absolute())] if options.store else []
            for directory in options.code:
                more += ["--path", str(directory.absolute())]
            nodes.append(self._launch("nm", f"node{i + 1}", port, rpc, *more))
        for node in nodes:
            node.wait_until_it_listens()
        return nodes

    def _start(self, command: str, role: str, port: int, *more: str) -> ManagerProcess:
        process = self._launch(command, role, port, ANY, *more)
        process.wait_until_it_listens()
        return process

    def _launch(self, command: str, role: str, port: int, rpc: int, *more: str) -> ManagerProcess:
        arguments = [command, "-H", LOOPBACK, "-P", str(port), "--rpc-port", str(rpc), *more]
        folder, cwd = self._folder(role), self.options.cwd.absolute()
        self.processes.append(ManagerProcess(role, arguments, folder, cwd, orphan=False))
        return self.processes[-1]

    def _folder(self, role: str) -> Path:
        return self.options.workdir.absolute() / role

    def _port(self, usual: int) -> int:
        """Return the usual port if it is free and anybody may have it, else 0 for any."""
        return usual if self.options.port != ANY and is_free(usual) else ANY

    def deaths(self) -> Iterator[ManagerProcess]:
        """Yield managers as they end by themselves; return when none is left."""
        left = len(self.processes)
        while left:
            process = self._ended.get()
            left -= 1
            yield process

    def restart_command(self, dead: ManagerProcess) -> str:
        """Return the command line that brings a node back under its name."""
        at = read_address(dead.name)
        work = shlex.quote(str(dead.directory / "work"))
        ports = f"-P {at.port} --rpc-port {at.rpc_port} --event-port {at.events_port}"
        return f"dlg nm {ports} -w {work}"

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End all processes: those above first, the nodes together.

        If somebody does not want to wait for that and interrupts it, they are killed.
        """
        try:
            self._end_gently()
        except BaseException:
            for process in self.processes:
                process.kill()
            raise

    def _end_gently(self) -> None:
        patience_s = self.options.deadline_s + END_S
        above = [one for one in self.processes if not one.role.startswith("node")]
        for process in reversed(above):
            process.end(patience_s)
        nodes = [one for one in self.processes if one.role.startswith("node")]
        for process in nodes:
            process.tell_to_end()
        for process in nodes:
            process.end(patience_s)


def is_free(port: int) -> bool:
    """Return whether a port of loopback can be listened at now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def port_of(url: str) -> int:
    """Return the port in the address of a manager."""
    return urlsplit(url).port or MASTER_PORT
