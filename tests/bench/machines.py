"""Managers of this system, or of the existing one, as processes for the benchmarks of managers."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import perf_counter
from types import TracebackType
from typing import Any

import psutil

from dlg.clients import DataIslandManagerClient, ManagerClient, NodeManagerClient

PATIENCE_S = 600.0
LOOK_EVERY_S = 0.005
HOST = "127.0.0.1"
OVER = {4, 5, 6}
"""The numbers of the states in which a session is over, the same in both systems."""


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Machines:
    """Processes of one system, until the end of a `with` block; `peer` is its Python, or ''."""

    def __init__(self, peer: str = "") -> None:
        self.system = "existing" if peer else "dlg"
        self._command = (
            [str(Path(peer).absolute().parent / "dlg")]
            if peer
            else [sys.executable, "-m", "dlg_engine.cli"]
        )
        self._stack = ExitStack()
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def __enter__(self) -> Machines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def node(self) -> tuple[str, NodeManagerClient, psutil.Process]:
        """Start the manager of a node; return its name, a client and its process."""
        port, events, rpc = (free_port() for _ in range(3))
        ports = ["--event_port", str(events), "--rpc_port", str(rpc)]
        client = NodeManagerClient(HOST, port, timeout=PATIENCE_S)
        process = self._start("nm", port, client, *ports)
        return f"{HOST}:{port}:{events}:{rpc}", client, process

    def island(self, nodes: list[str]) -> tuple[str, DataIslandManagerClient]:
        """Start a data island of `nodes`; return its name and a client."""
        port = free_port()
        client = DataIslandManagerClient(HOST, port, timeout=PATIENCE_S)
        self._start("dim", port, client, "-N", ",".join(nodes))
        return f"{HOST}:{port}", client

    def _start(self, what: str, port: int, client: ManagerClient, *more: str) -> psutil.Process:
        command = [*self._command, what, "-H", HOST, "-P", str(port), "-m", "4000", *more]
        place = self.directory / f"{what}{port}"
        place.mkdir()
        environment = {
            **dict(psutil.Process().environ()),
            "DLG_ROOT": str(place),
            "HOME": str(place),
        }
        log = self._stack.enter_context((place / "log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=place, env=environment)
        self._stack.callback(process.wait, 60)
        self._stack.callback(process.terminate)
        wait_until(lambda: _answers(client, process))
        return psutil.Process(process.pid)


def _answers(client: ManagerClient, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"it ended at once: {process.args!r}")
    try:
        client.sessions()
    except Exception:  # noqa: BLE001  whatever it is, it does not answer yet
        return False
    return True


def wait_until(is_so: Any, every_s: float = LOOK_EVERY_S) -> None:
    """Look again and again until something is so, as clients of both systems have to."""
    end = perf_counter() + PATIENCE_S
    pause = Event()
    while not is_so():
        if perf_counter() > end:
            raise TimeoutError("it takes too long")
        pause.wait(every_s)


def is_over(client: ManagerClient, session: str) -> bool:
    """Return whether a session is over on every node."""
    status = client.session_status(session)
    return set(status.values() if isinstance(status, dict) else [status]) <= OVER


def run(client: ManagerClient, session: str, specs: list[Any], roots: list[str]) -> dict[str, Any]:
    """Run a graph, and return how long each part took."""
    times = [perf_counter()]
    client.create_session(session)
    times.append(perf_counter())
    client.append_graph(session, specs)
    times.append(perf_counter())
    client.deploy_session(session, roots)
    times.append(perf_counter())
    wait_until(lambda: is_over(client, session))
    times.append(perf_counter())
    names = ("create_s", "append_s", "deploy_s", "finish_s")
    found: dict[str, Any] = {
        name: after - before for name, before, after in zip(names, times, times[1:], strict=False)
    }
    return {**found, "run_s": times[4] - times[2], "total_s": times[4] - times[0]}
