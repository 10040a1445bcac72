"""Daemons as processes, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dlg.clients import Access, DaemonClient, MasterManagerClient, find_access
from dlg_engine.testing.processes import Process

Daemons = Callable[..., "Daemon"]
_SANE = ("DLG_CLUSTER", "DLG_TOKEN")


class Daemon(Process):
    """A daemon on loopback, with directories of its own."""

    def __init__(self, *arguments: str, workdir: Path, cluster: Path | None = None) -> None:
        self.workdir, self.file = workdir, cluster
        more = () if cluster is None else ("--cluster", str(cluster))
        ports = ("-P", "0", "--any-ports", "--deadline", "0", "-v")
        with pytest.MonkeyPatch.context() as patch:
            for name, text in environment(workdir).items():
                patch.setenv(name, text)
            for name in _SANE:
                patch.delenv(name, raising=False)
            super().__init__("daemon", *ports, *more, *arguments, workdir=workdir)

    def _access(self, host: str, port: int) -> Access:
        return Access() if self.file is None else find_access(host, port, cluster=self.file)

    @property
    def rest(self) -> DaemonClient:
        """Return a client of it."""
        parts = urlsplit(self.url)
        access = self._access(str(parts.hostname), int(parts.port or 0))
        return DaemonClient(
            str(parts.hostname), int(parts.port or 0), token=access.token, tls=access.tls
        )

    @property
    def master(self) -> MasterManagerClient:
        """Return a client of its master."""
        parts = urlsplit(str(self.rest.about("master")["url"]))
        access = self._access(str(parts.hostname), int(parts.port or 0))
        return MasterManagerClient(
            str(parts.hostname), parts.port, token=access.token, tls=access.tls
        )

    def logged(self, role: str) -> str:
        """Return what one of its managers has logged."""
        found = sorted((self.workdir / "root" / "logs").glob(f"dlg{role}.*"))
        return "".join(one.read_text() for one in found)


def environment(workdir: Path) -> dict[str, str]:
    """Return an environment in which nothing of this host is found."""
    kept = {name: text for name, text in os.environ.items() if name not in _SANE}
    return {**kept, "DLG_ROOT": str(workdir / "root"), "DLG_CONFIG_DIR": str(workdir / "config")}


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    """Start daemons, which end with the test."""
    made: list[Daemon] = []

    def start(*arguments: str, cluster: Path | None = None) -> Daemon:
        found = Daemon(*arguments, workdir=tmp_path / f"daemon{len(made)}", cluster=cluster)
        made.append(found)
        return found

    yield start
    for one in reversed(made):
        one.end()


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command line with directories of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dlg_engine.cli", *arguments],
            capture_output=True, text=True, check=False, timeout=90, cwd=tmp_path,
            env=environment(tmp_path),
        )  # fmt: skip

    return call
