"""A cluster of real managers, each a process on this host, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dlg.clients import Access, ManagerClient, find_access

PATIENCE_S = 60.0
C = TypeVar("C", bound=ManagerClient)
T = TypeVar("T")


class Process:
    """A manager that runs."""

    def __init__(self, *command: str, workdir: Path, on: Sequence[str] = ()) -> None:
        """Start it, and wait until it says where it listens; `on` is a command that runs it."""
        workdir.mkdir(parents=True, exist_ok=True)
        self.log = workdir / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*on, sys.executable, "-m", "dlg_engine.cli", *command, "--json"],
                stdout=subprocess.PIPE, stderr=log, text=True, cwd=workdir,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        if not self.said:
            self.end()
            raise RuntimeError(f"it did not start: {self.log.read_text()}")
        where = json.loads(self.said)
        self.name, self.url = str(where["name"]), str(where["url"])

    def client(self, kind: type[C], cluster: Path | None = None) -> C:
        """Return a client of it, which belongs to a cluster or to none."""
        parts = urlsplit(self.url)
        host, port = str(parts.hostname), int(parts.port or 0)
        access = Access() if cluster is None else find_access(host, port, cluster=cluster)
        return kind(host, port, token=access.token, tls=access.tls)

    def end(self) -> None:
        """End it, gently at first."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_S / 4)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Cluster:
    """Nodes, a data island of them and perhaps a master, until the end of a `with` block."""

    def __init__(
        self, nodes: int, workdir: Path, *, master: bool = False, file: Path | None = None
    ) -> None:
        """`file` is that of the cluster to which the managers belong."""
        self.processes: list[Process] = []
        self.nodes: list[Process] = []
        ports: tuple[str, ...] = ("-P", "0", "--rpc-port", "0")
        if file is not None:
            ports = (*ports, "--cluster", str(file))
        try:
            for i in range(nodes):
                place = workdir / f"node{i}"
                more = ("--event-port", "0", "--deadline", "0", "-w", str(place / "work"),
                        "--store", str(place / "store"))  # fmt: skip
                self.nodes.append(self._start("nm", *ports, *more, workdir=place))
            names = ",".join(node.name for node in self.nodes)
            self.island = self._start("dim", *ports, "-N", names, workdir=workdir / "island")
            if master:
                below = ("-N", self.island.name)
                self.master = self._start("mm", *ports, *below, workdir=workdir / "master")
        except BaseException:
            self.end()
            raise

    def _start(self, *command: str, workdir: Path) -> Process:
        self.processes.append(Process(*command, workdir=workdir))
        return self.processes[-1]

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End all processes, those above first."""
        for process in reversed(self.processes):
            process.end()

    @staticmethod
    def wait_until(look: Callable[[], T], is_so: Callable[[T], Any]) -> T:
        """Return what `look` finds once it is as wanted; raise TimeoutError if that takes long."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so(found := look()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {PATIENCE_S:g} s: {found}")
            os.sched_yield()
        return found
