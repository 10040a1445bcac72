"""The docker engine, asked through its command, so that whatever that is set up for works here."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from dlg.beat.stats import cpu_statistics, memory_statistics
from dlg.exceptions import RunError

__all__ = ["DockerError", "Engine", "Figures", "limits"]

logger = logging.getLogger(__name__)

DOCKER = "docker"
PERIOD_US = 100_000
PATIENCE_S = 60.0
"""Seconds that the engine has for what should be done at once."""


class DockerError(RunError, RuntimeError):
    """The docker engine cannot be asked, or did not do what it was asked for."""

    tells_all = True


class Engine:
    """Calls of the docker command; `DockerError` if there is no such command."""

    def call(
        self, arguments: Sequence[str], timeout: float | None = PATIENCE_S
    ) -> subprocess.CompletedProcess[str]:
        """Return what came of a command, good or bad; raise `TimeoutExpired` after `timeout` s."""
        try:
            return subprocess.run(
                [DOCKER, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise DockerError(f"the command {DOCKER} is not there: install docker") from error

    def inspect(self, container_id: str) -> dict[str, Any]:
        """Return all the engine knows of a container; nothing if it does not know it."""
        done = self.call(["inspect", container_id])
        if done.returncode != 0:
            return {}
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found[0] if found else {}

    def images(self, filters: Iterable[str] = ()) -> list[str]:
        """Return the names of images, sorted; raise `DockerError` if the engine is not there."""
        done = self.call(["images", *filters, "--format", "{{.Repository}}:{{.Tag}}"])
        if done.returncode != 0:
            raise DockerError(f"the docker engine cannot be asked: {done.stderr.strip()}")
        return sorted({name for name in done.stdout.split() if "<none>" not in name})

    def labels(self, image: str) -> dict[str, str]:
        """Return the labels of an image."""
        said = self._of_image(image, "{{json .Config.Labels}}")
        labels: dict[str, str] | None = json.loads(said) if said else None
        return labels or {}

    def image_id(self, image: str) -> str:
        """Return what tells an image from others, whatever it is called."""
        return self._of_image(image, "{{.Id}}")

    def _of_image(self, image: str, what: str) -> str:
        done = self.call(["image", "inspect", "--format", what, image])
        return done.stdout.strip() if done.returncode == 0 else ""


class Figures:
    """What containers use, as the engine reports it once a second until they end."""

    def __init__(self) -> None:
        self._watchers: dict[str, threading.Thread] = {}
        self._reports: dict[str, list[dict[str, Any]]] = {}

    def watch(self, container_id: str) -> None:
        """Collect the reports on a container, in a thread that ends with it."""
        reports = self._reports[container_id] = []
        name = f"dock-{container_id[:12]}"
        thread = threading.Thread(
            target=_collect, args=(container_id, reports), name=name, daemon=True
        )
        self._watchers[container_id] = thread
        thread.start()

    def of(self, container_id: str) -> dict[str, Any]:
        """Return `cpu` and `memory` of a container, the latter at its peak; zeros if unknown."""
        reports = list(self._reports.get(container_id, ()))
        measured = [report for report in reports if report.get("memory_stats")]
        if not measured:
            return {"cpu": cpu_statistics(None, {}), "memory": memory_statistics({})}
        peak = max(measured, key=lambda report: int(report["memory_stats"].get("usage", 0)))
        # A container has used nothing when it begins, while the machine has run for long.
        machine = measured[0]["cpu_stats"].get("system_cpu_usage", 0)
        start = {"cpu_usage": {"total_usage": 0}, "system_cpu_usage": machine}
        return {
            "cpu": cpu_statistics(start, measured[-1]["cpu_stats"]),
            "memory": memory_statistics(peak["memory_stats"]),
        }

    def close(self) -> None:
        """Wait for the threads, whose containers are to be gone."""
        for thread in self._watchers.values():
            thread.join(PATIENCE_S)


def limits(virtual_memory_in_megabytes: int, max_cpu_percent: float) -> list[str]:
    """Return the options that limit memory, without any swap, and processor time; 0 is none."""
    options = []
    if virtual_memory_in_megabytes:
        amount = f"{virtual_memory_in_megabytes}m"
        options += [f"--memory={amount}", f"--memory-swap={amount}"]
    if max_cpu_percent:
        quota = round(max_cpu_percent / 100 * PERIOD_US)
        options += [f"--cpu-period={PERIOD_US}", f"--cpu-quota={quota}"]
    return options


def _collect(container_id: str, reports: list[dict[str, Any]]) -> None:
    """Append the reports on a container, one a second, until it ends.

    Figures are all that is lost without the library or the engine, so that fails no run.
    """
    try:
        import docker  # noqa: PLC0415  slow to import, and needed for this only
    except ImportError as error:
        logger.info("no figures of container %s: %s", container_id, error)
        return
    try:
        with contextlib.closing(docker.from_env()) as client:
            reports.extend(client.api.stats(container_id, stream=True, decode=True))
    except (docker.errors.DockerException, OSError) as error:
        logger.info("no more figures of container %s: %s", container_id, error)
