"""Containers of the docker engine: which images are environments, and running commands in them.

Memory, processor time and files are limited for each container. The environments are found when a
host is made: by the labels of images, or by asking old ones for a description.
"""

from __future__ import annotations

import json
import logging
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from dlg.beat.containers import Container
from dlg.beat.engine import PATIENCE_S, DockerError, Engine, Figures, limits
from dlg.beat.images import Images, UnknownEnvironmentError, described, labelled
from dlg.beat.storage import File

__all__ = ["Container", "DockerError", "Host", "UnknownEnvironmentError"]

logger = logging.getLogger(__name__)

OLD_NAMES = "beat.env."
ROUTED = ("192.0.2.1", 9)  # an address for examples: nothing is sent, the route to it is looked up
RUNNING = "running"
GPU = "gpu"


class Host:
    """The docker engine, with the environments among its images.

    `images_cache` is a file that keeps what images say of themselves, as asking takes long. Two
    images of one environment are an error, unless `raise_on_errors` is off: then the newer counts.
    """

    images_cache: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        images_cache: str | None = None,
        raise_on_errors: bool = True,
        discover: bool = True,
    ) -> None:
        self.images_cache_filename = images_cache
        self.raise_on_errors = raise_on_errors
        self.containers: list[Container] = []
        self._engine = Engine()
        self._images = Images()
        self._figures = Figures()
        if discover:
            _discover_labelled(self._engine, self._images, raise_on_errors)
            _discover_described(self, self._engine, self._images)

    def __contains__(self, key: object) -> bool:
        return key in self._images

    @property
    def processing_environments(self) -> dict[str, dict[str, Any]]:
        """The environments for algorithms, by name and version."""
        return {key: image.as_dict() for key, image in self._images.processing.items()}

    @property
    def db_environments(self) -> dict[str, dict[str, Any]]:
        """The environments for databases, by name and version."""
        return {key: image.as_dict() for key, image in self._images.databases.items()}

    def env2docker(self, key: str) -> str:
        """Return the image of an environment; raise `UnknownEnvironmentError` without one."""
        return self._images.of(key).image

    def db2docker(self, db_names: Sequence[str]) -> str:
        """Return the image that has all of these databases; raise `UnknownEnvironmentError`."""
        return self._images.with_databases(db_names).image

    def dbenv2docker(self, key: str) -> str:
        """Return the image of an environment of databases; raise `UnknownEnvironmentError`."""
        return self._images.of_databases(key).image

    def full_environment_name(self, name: str) -> str | None:
        """Return name and version of the environment of this name; None if there is none."""
        return self._images.full_name(name)

    @property
    def ip(self) -> str:
        """The address by which others reach this machine; the loopback if it has no route."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(ROUTED)
            except OSError:
                return "127.0.0.1"
            return str(probe.getsockname()[0])

    def teardown(self) -> None:
        """Remove all containers that were started here."""
        for container in list(self.containers):
            self.rm(container)
        self._figures.close()

    def create_container(self, image: str, command: str | Sequence[str]) -> Container:
        """Return a container of an image, not started, with what the image asks for."""
        container = Container(image, command)
        known = self._images.called(image)
        if known is not None:
            container.gpus = GPU in known.capabilities
            for path, size in (known.custom_tmpfs or {}).items():
                container.add_tmpfs(path, size)
        return container

    def start(
        self,
        container: Container,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: float = 0,
    ) -> None:
        """Start a container, in the background; 0 is no limit, 100 percent are one processor.

        Raises `DockerError` if the engine refuses.
        """
        command = ["run", "--tty", "--interactive", "--detach", "--read-only"]
        command += limits(virtual_memory_in_megabytes, max_cpu_percent)
        command += [*container.options, container.image, *container.command]
        # An image that is not here yet is fetched first, and that takes the time it takes.
        done = self._engine.call(command, timeout=None)
        if done.returncode != 0:
            raise DockerError(f"Failed to create the container, reason:\n{done.stderr.strip()}")
        container.id = done.stdout.strip()
        self.containers.append(container)
        self._figures.watch(container.id)

    def wait(self, container: Container, timeout: float | None = None) -> int | None:
        """Wait for a container to end; return its exit code, or None after `timeout` seconds."""
        try:
            done = self._engine.call(["wait", _id(container)], timeout)
        except subprocess.TimeoutExpired:
            return None
        return int(done.stdout) if done.returncode == 0 else None

    def status(self, container: Container) -> str | None:
        """Return the state of a container as the engine calls it; None if it is unknown there."""
        status: str | None = self._engine.inspect(_id(container)).get("State", {}).get("Status")
        return status

    def logs(self, container: Container) -> str:
        """Return what a container has printed so far."""
        done = self._engine.call(["logs", _id(container)])
        return done.stdout + done.stderr

    def statistics(self, container: Container) -> dict[str, Any]:
        """Return what a container used so far: `cpu` and `memory`, the latter at its peak.

        The engine measures once a second; what ran for a shorter time has no figures, but zeros.
        """
        return self._figures.of(_id(container))

    def kill(self, container: Container) -> None:
        """End a container at once, if it runs."""
        if self.status(container) == RUNNING:
            self._engine.call(["kill", _id(container)])

    def rm(self, container: Container) -> None:
        """Remove a container, which is ended first; nothing happens if it was not started."""
        if container in self.containers:
            self._engine.call(["rm", "--force", _id(container)])
            self.containers.remove(container)

    def run(
        self, image: str, command: str | Sequence[str], timeout: float | None = None
    ) -> tuple[int, str | None]:
        """Run a command in an image; return its exit code and what it printed.

        What cannot be run, or takes longer than `timeout` seconds, is `(1, None)`.
        """
        container = self.create_container(image, command)
        try:
            self.start(container)
            status = self.wait(container, timeout)
            return (1, None) if status is None else (status, self.logs(container))
        except DockerError as error:
            logger.warning("%s cannot be run in %s: %s", command, image, error)
            return 1, None
        finally:
            self.rm(container)

    def get_ipaddress(self, container: Container) -> str:
        """Return the address of a running container; empty if it has none."""
        settings = self._engine.inspect(_id(container)).get("NetworkSettings", {})
        networks = (settings.get("Networks") or {}).values()
        addresses = [settings.get("IPAddress"), *(one.get("IPAddress") for one in networks)]
        return next((str(address) for address in addresses if address), "")


def _id(container: Container) -> str:
    if container.id is None:
        raise DockerError(f"the container of {container.image} was not started")
    return container.id


def _discover_labelled(engine: Engine, images: Images, strict: bool) -> None:
    for name in engine.images(["--filter", "label=beat.env.type"]):
        found = labelled(name, engine.labels(name))
        if found is not None:
            images.add(found, strict)


def _discover_described(host: Host, engine: Engine, images: Images) -> None:
    """Ask the images without labels what they are, or recall what they said."""
    old = [name for name in engine.images() if OLD_NAMES in name and not images.called(name)]
    if not old:
        return
    known = dict(host.images_cache)
    cache = host.images_cache_filename
    if cache and Path(cache).is_file():
        known |= json.loads(Path(cache).read_bytes())
    for name in old:
        key = engine.image_id(name)
        if key not in known:
            status, said = host.run(name, "describe", PATIENCE_S)
            known[key] = said if said and status == 0 else ""
        found = described(name, known[key])
        if found is not None:
            images.add(found, host.raise_on_errors)
    host.images_cache.update(known)
    if cache:
        File(cache).save(json.dumps(known))
