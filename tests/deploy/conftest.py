"""A cluster in containers, of images that are built for it, for the tests that look at it."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy import building
from tests.dlg.beat.execution.images import needs_engine

PAGE = building.ROOT / "docs" / "howto" / "containers.md"
COMMAND = re.compile(r"^\$ (docker compose .*)$", re.MULTILINE)
PATIENCE_S = 600


@dataclass
class Site:
    """A copy of the checkout, from which images are built and a cluster is started."""

    folder: Path
    compose: list[str]
    project: str
    base: str
    port: int
    said: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BASE": self.base,
            "PIP_ARGS": "--no-index",
            "COMPOSE_PROJECT_NAME": self.project,
            "DLG_IMAGES": self.project,
            "DLG_PORT": str(self.port),
            "DOCKER_CLI_HINTS": "false",
        }

    def call(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command line here, with the images and names of this test."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True,
            check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done

    def type(self, line: str) -> str:
        """Type a command of the documentation, as a program does that has no terminal."""
        words = shlex.split(line)
        assert words[:2] == ["docker", "compose"]
        if "exec" in words:
            words.insert(words.index("exec") + 1, "-T")
        return self.call(*self.compose, *words[2:]).stdout

    def docker(self, *words: str) -> str:
        return self.call("docker", *words).stdout.strip()

    def container(self, service: str) -> str:
        """Return the id of the container of a service."""
        asked = [*self.compose, "-f", "deploy/compose.yaml", "ps", "-q", service]
        return self.call(*asked).stdout.strip()

    def build(self, target: str) -> str:
        """Build the image of a role; return its name."""
        name = f"{self.project}-{target}"
        arguments = [f"--build-arg={k}={self.environment[k]}" for k in ("BASE", "PIP_ARGS")]
        self.docker("build", "-q", "-f", "deploy/Containerfile", *arguments, "--target", target,
                    "-t", name, ".")  # fmt: skip
        return name


def commands() -> list[str]:
    """Return the three commands of the documentation."""
    section = PAGE.read_text().split("\n## ")[1]
    assert section.startswith("Three commands\n")
    return COMMAND.findall(section)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Make a base image and fetch wheels; skip where that cannot be done."""
    if why := needs_engine():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("containers")
    project = f"dlgtest{uuid.uuid4().hex[:8]}"
    base = f"{project}-base"
    try:
        compose = building.compose()
        _base_and_wheels(folder, base)
    except building.MissingError as error:
        pytest.skip(str(error))
    found = Site(folder / "dlg", compose, project, base, _free_port())
    yield found
    everything = ["--volumes", "--remove-orphans", "--timeout", "5"]
    found.call(*compose, "-f", "deploy/compose.yaml", "down", *everything, check=False)
    names = "{{.Repository}}:{{.Tag}}"
    made = found.docker("images", "--format", names, f"{project}-*").split()
    found.call("docker", "rmi", "--force", *made, check=False)


def _base_and_wheels(folder: Path, base: str) -> None:
    """Make the base image while wheels are fetched for the Python that it is expected to have."""
    checkout = building.context(folder / "dlg")
    wheels = checkout / "deploy" / "wheels"
    here = ".".join(map(str, sys.version_info[:2]))
    with ThreadPoolExecutor() as both:
        fetching = both.submit(building.wheels, here, wheels)
        python = building.debian(folder, base)
        fetching.result()
    if python != here:
        building.wheels(python, wheels)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
