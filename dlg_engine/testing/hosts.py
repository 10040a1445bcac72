"""Hosts on one network, for tests of what happens when hosts and links fail.

Each host is a network namespace with one link to a bridge, which is in a namespace of its own.
Nothing of it is seen outside. Whoever enters a `Hosts` block is on the bridge with the thread that
enters it: the sockets and processes it makes reach all hosts. In the end everything that runs on
the hosts is killed and the namespaces are removed, whatever has happened.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from dlg_engine.testing.processes import Process
from dlg_engine.testing.slow_link import SlowLink, Slowness
from dlg_engine.testing.spaces import NoSpaceError, Space, ip

PREFIX = "10.77.0."
BRIDGE = PREFIX + "254"
NOBODY = "02:00:00:00:00:01"
"""An address that no host on the bridge has: frames for it arrive nowhere."""
_numbers = itertools.count()


def why_not() -> str:
    """Return why hosts cannot be made here; "" if they can."""
    if shutil.which("ip") is None:
        return "there is no `ip` (package iproute2)"
    probe = f"dlg{os.getpid()}probe{next(_numbers)}"
    try:
        ip("netns", "add", probe)
    except NoSpaceError as error:
        return str(error)
    try:
        ip("-n", probe, "link", "add", "name", "br0", "type", "bridge")
    except NoSpaceError as error:
        return str(error)
    finally:
        ip("netns", "del", probe)
    return ""


class Host:
    """A host: a namespace with an address on the bridge."""

    def __init__(self, bridge: str, number: int) -> None:
        self.space, self.address = f"{bridge}h{number}", f"{PREFIX}{number}"
        self._bridge, self._port = bridge, f"p{number}"
        self.processes: list[Process] = []

    def start(self, *command: str, workdir: Path, cluster: Path | None = None) -> Process:
        """Start a manager here, of a cluster or not protected, and wait until it listens."""
        protection = ("--insecure",) if cluster is None else ("--cluster", str(cluster))
        self.processes.append(
            Process(
                *command, "-H", self.address, *protection, workdir=workdir,
                on=("ip", "netns", "exec", self.space),
            )
        )  # fmt: skip
        return self.processes[-1]

    def cut(self) -> None:
        """Pull the cable: nothing comes or goes any more."""
        ip("-n", self._bridge, "link", "set", self._port, "down")

    def heal(self) -> None:
        """Undo `cut` and `mute`."""
        ip("-n", self._bridge, "link", "set", self._port, "up")
        ip("-n", self.space, "neigh", "flush", "dev", "eth0", "nud", "permanent")

    def mute(self, others: list[Host]) -> None:
        """Let what is sent from here to the bridge and to `others` arrive nowhere."""
        for address in (BRIDGE, *(other.address for other in others)):
            ip(
                "-n", self.space, "neigh", "replace", address, "lladdr", NOBODY, "dev", "eth0",
                "nud", "permanent",
            )  # fmt: skip

    def end(self) -> None:
        """Kill everything that runs here, also what its managers have started."""
        for pid in ip("netns", "pids", self.space).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for process in self.processes:
            process.end()


class Hosts:
    """Some hosts, `h1` and so on, until the end of a `with` block."""

    def __init__(self, count: int = 3, slow: Mapping[int, Slowness] | None = None) -> None:
        """`slow` says for numbers of hosts, from 1 on, how slow their links are."""
        self._name = f"dlg{os.getpid()}n{next(_numbers)}"
        self._slow = slow or {}
        self.hosts = [Host(self._name, number + 1) for number in range(count)]
        self._stack = ExitStack()

    def __enter__(self) -> Hosts:
        with ExitStack() as stack:
            self._add_space(stack, self._name)
            ip("-n", self._name, "link", "add", "name", "br0", "type", "bridge")
            ip("-n", self._name, "addr", "add", f"{BRIDGE}/24", "dev", "br0")
            ip("-n", self._name, "link", "set", "br0", "up")
            for number, host in enumerate(self.hosts, 1):
                self._add_space(stack, host.space)
                self._join(stack, host, number)
            stack.enter_context(Space(self._name))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for host in self.hosts:
            host.end()
        self._stack.close()

    def _join(self, stack: ExitStack, host: Host, number: int) -> None:
        """Lay a cable from a host to the bridge."""
        port = f"p{number}"
        if number in self._slow:
            stack.enter_context(SlowLink(host.space, self._name, port, self._slow[number]))
        else:
            ip(
                "-n", self._name, "link", "add", port, "type", "veth", "peer", "name", "eth0",
                "netns", host.space,
            )  # fmt: skip
        ip("-n", self._name, "link", "set", port, "master", "br0", "up")
        ip("-n", host.space, "addr", "add", f"{host.address}/24", "dev", "eth0")
        ip("-n", host.space, "link", "set", "lo", "up")
        ip("-n", host.space, "link", "set", "eth0", "up")
        ip("-n", host.space, "route", "add", "224.0.0.0/4", "dev", "eth0")

    @staticmethod
    def _add_space(stack: ExitStack, name: str) -> None:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
