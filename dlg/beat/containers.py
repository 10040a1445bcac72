"""A container that is to be run, as arguments of the docker command. Runs nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from dlg.exceptions import InvalidAssetError

__all__ = ["Container"]

NFS = "nfs"
TEMPORARY = {"/tmp": "500k", "/run": "500k"}  # noqa: S108  paths in the container, not here


class Container:
    """An image, the command to run in it, and what the container sees of this machine.

    `id` is set as soon as it runs. `network_name`, `uid` and `processes` (how many there may be at
    a time, threads included) may be set as well as what has a method to set it; what is not set
    is left out of the command.
    """

    def __init__(self, image: str, command: str | Sequence[str]) -> None:
        self.image = image
        self.command = shlex.split(command) if isinstance(command, str) else list(command)
        self.id: str | None = None
        self.network_name: str | None = None
        self.uid: int | None = None
        self.processes: int | None = None
        self.gpus = False
        self._name = self._workdir = self._entrypoint = ""
        self._volumes: list[tuple[str, str, bool]] = []
        self._temporary = dict(TEMPORARY)
        self._ports: list[tuple[int, int, str]] = []
        self._environment: dict[str, str] = {}

    def set_name(self, name: str) -> None:
        """Give the container a name in place of the engine's own invention."""
        self._name = name

    def set_workdir(self, workdir: str) -> None:
        """Run the command in this folder of the container."""
        self._workdir = workdir

    def set_entrypoint(self, entrypoint: str) -> None:
        """Run this program in place of the one the image names."""
        self._entrypoint = entrypoint

    def add_volume(self, path: str, mount_path: str, read_only: bool = True) -> None:
        """Show `path` of this machine, or `nfs://host:/path`, as `mount_path`.

        Raises `InvalidAssetError` for an address that is not of this form.
        """
        if path.startswith(f"{NFS}://"):
            _nfs_parts(path)
        self._volumes.append((path, mount_path, read_only))

    def add_tmpfs(self, path: str, size: str) -> None:
        """Put an empty file system in memory at `path`; without a `size` it has no limit."""
        self._temporary[path] = size

    def add_port(
        self, container_port: int, host_port: int, host_address: str | None = None
    ) -> None:
        """Let a port of this machine, on one address of it if given, lead to the container's."""
        self._ports.append((container_port, host_port, host_address or ""))

    def add_environment_variable(self, name: str, value: str) -> None:
        """Set a variable for the command."""
        self._environment[name] = value

    def reset_ports(self) -> None:
        """Forget all ports."""
        self._ports.clear()

    @property
    def name(self) -> str:
        """The option for the name."""
        return _option("name", self._name)

    @property
    def workdir(self) -> str:
        """The option for the working folder."""
        return _option("workdir", self._workdir)

    @property
    def entrypoint(self) -> str:
        """The option for the program to run."""
        return _option("entrypoint", self._entrypoint)

    @property
    def network(self) -> str:
        """The option for the network."""
        return _option("network", self.network_name or "")

    @property
    def user(self) -> str:
        """The option for the user, who gets a group of the same number."""
        return "" if self.uid is None else f"--user={self.uid}:{self.uid}"

    @property
    def volumes(self) -> list[str]:
        """The options for the volumes."""
        return [_volume(*volume) for volume in self._volumes]

    @property
    def temporary_filesystems(self) -> list[str]:
        """The options for file systems in memory."""
        return [
            f"--tmpfs={path}:rw,noexec,nosuid" + (f",size={size}" if size else "")
            for path, size in self._temporary.items()
        ]

    @property
    def ports(self) -> list[str]:
        """The options for the ports."""
        return [
            part
            for inner, outer, address in self._ports
            for part in ("-p", f"{address}:{outer}:{inner}" if address else f"{outer}:{inner}")
        ]

    @property
    def environment_variables(self) -> list[str]:
        """The options for the variables."""
        return [f"--env={name}={value}" for name, value in self._environment.items()]

    @property
    def options(self) -> list[str]:
        """All options of a `docker run`, in a fixed order."""
        single = (self.network, self.user, self.name, self.workdir, self.entrypoint)
        gpus = ["--gpus=all"] if self.gpus else []
        processes = [] if self.processes is None else [f"--pids-limit={self.processes}"]
        return [
            *(option for option in single if option),
            *gpus,
            *processes,
            *self.volumes,
            *self.temporary_filesystems,
            *self.ports,
            *self.environment_variables,
        ]

    @property
    def command_line(self) -> str:
        """The command that runs this on a terminal, quoted as a shell wants it."""
        return shlex.join(
            ["docker", "run", "-ti", "--rm=true", *self.options, self.image, *self.command]
        )


def _option(name: str, value: str) -> str:
    return f"--{name}={value}" if value else ""


def _volume(path: str, mount_path: str, read_only: bool) -> str:
    if not path.startswith(f"{NFS}://"):
        return f"--volume={path}:{mount_path}:{'ro' if read_only else 'rw'}"
    host, folder = _nfs_parts(path)
    mount = (
        f"--mount=type=volume,dst={mount_path},volume-driver=local,volume-opt=type=nfs,"
        f"volume-opt=device=:{folder},volume-opt=o=addr={host}"
    )
    return mount + (",readonly" if read_only else "")


def _nfs_parts(address: str) -> tuple[str, str]:
    """Return host and folder of `nfs://host:/folder`."""
    parts = urlsplit(address)
    host, colon, port = parts.netloc.partition(":")
    if not host or not colon or port or not parts.path.startswith("/"):
        raise InvalidAssetError(f"{address} is no address of a volume: expected nfs://host:/path")
    return host, parts.path
