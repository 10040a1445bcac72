"""Servers of our own, for tests that end one in the midst of work and start it again.

The servers of a machine serve others as well, so these get a directory and a port of their own.
They are the programs of the machine's packages; where one is missing the test skips.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PATIENCE_S = 60.0


@dataclass
class OwnServer:
    """A server process that can be ended hard and started again on the same data and port."""

    command: list[str]
    ready: str
    """What it says when it serves."""
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    ended_by: signal.Signals = signal.SIGKILL
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and return when it serves."""
        self._process = subprocess.Popen(
            self.command, env={**os.environ, **self.environment}, user=self.user, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            process_group=0, errors="replace",
        )  # fmt: skip
        said: list[str] = []
        serves = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, said, serves)).start()
        assert serves.wait(PATIENCE_S), "".join(said[-20:])
        assert self._process.poll() is None, "".join(said[-20:])

    def _listen(
        self, process: subprocess.Popen[str], said: list[str], serves: threading.Event
    ) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if self.ready in line:
                serves.set()
        serves.set()  # it has ended
        process.stdout.close()

    def kill(self) -> None:
        """End it with no time to put anything in order."""
        assert self._process is not None
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, self.ended_by)
        self._process.wait(PATIENCE_S)

    def restart(self) -> None:
        """End it hard and start it again."""
        self.kill()
        try:
            self.start()
        except AssertionError:  # it found traces of itself, such as its name that was still taken
            self.kill()
            self.start()


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def own_server(kind: str) -> Iterator[OwnServer]:
    """Run a server of `kind` while the block lasts: postgresql, mariadb or rabbitmq."""
    if os.getuid() != 0:
        pytest.skip(f"needs root, to run {kind} as a user of its own")
    # Not below the directory of the test: others must be able to enter it, and names stay short.
    directory = Path(tempfile.mkdtemp(prefix="dlg-server-"))
    directory.chmod(0o755)
    server = {"postgresql": _postgresql, "mariadb": _mariadb, "rabbitmq": _rabbitmq}[kind](
        directory
    )
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)


def _program(name: str, *places: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([*places, *os.get_exec_path()]))
    if found is None:
        pytest.skip(f"needs the program {name}")
    return found


def _postgresql(directory: Path) -> OwnServer:
    versions = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    initdb, postgres = (_program(name, *versions) for name in ("initdb", "postgres"))
    data, port = directory / "data", free_port()
    data.mkdir()
    shutil.chown(data, "postgres")
    initialize = [initdb, "-D", str(data), "-A", "trust"]
    subprocess.run(initialize, user="postgres", cwd="/", check=True, capture_output=True)
    options = [f"-c{name}" for name in (f"unix_socket_directories={data}", "max_connections=50")]
    return OwnServer(
        [postgres, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", *options],
        "database system is ready to accept connections",
        f"postgresql://postgres@127.0.0.1:{port}/postgres",
        user="postgres",
        # To the whole group SIGKILL would leave shared memory behind; this too writes nothing.
        ended_by=signal.SIGQUIT,
    )


def _mariadb(directory: Path) -> OwnServer:
    install, mariadbd = _program("mariadb-install-db"), _program("mariadbd", "/usr/sbin")
    data, port = directory / "data", free_port()
    subprocess.run(
        [install, "--no-defaults", "--user=root", f"--datadir={data}",
         "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True,
    )  # fmt: skip
    return OwnServer(
        [mariadbd, "--no-defaults", "--user=root", f"--datadir={data}", f"--port={port}",
         "--bind-address=127.0.0.1", f"--socket={directory / 'socket'}",
         "--character-set-server=utf8mb4", f"--pid-file={directory / 'pid'}"],
        "ready for connections",
        f"mariadb://root@127.0.0.1:{port}/mysql",
    )  # fmt: skip


def _rabbitmq(directory: Path) -> OwnServer:
    program = _program("rabbitmq-server", "/usr/lib/rabbitmq/bin")
    shutil.chown(directory, "rabbitmq")
    port, home = free_port(), str(directory)
    environment = {
        "HOME": home,
        "RABBITMQ_NODENAME": f"dlg{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": f"{home}/data",
        "RABBITMQ_LOG_BASE": f"{home}/log",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
        "RABBITMQ_CONF_ENV_FILE": f"{home}/none",
        "RABBITMQ_CONFIG_FILE": f"{home}/none",
        "RABBITMQ_PID_FILE": f"{home}/pid",
    }
    return OwnServer(
        [program], "Server startup complete", f"amqp://guest:guest@127.0.0.1:{port}/",
        environment, user="rabbitmq",
    )  # fmt: skip
