"""What is installed here: Python, this project and its extras, docker; and what is set."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from dlg import settings
from dlg.beat.engine import DockerError, Engine
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, problem, warning

OLDEST = (3, 11)
OF_EXTRA = re.compile(r"\s*([A-Za-z0-9._-]+)[^;]*;.*extra == ['\"]([\w-]+)['\"]")
NOT_FOR_USERS = frozenset({"all", "test", "docs", "dev"})
DOCKER_S = 10.0


@dataclass(frozen=True)
class Software:
    """What runs here."""

    python: tuple[int, int, int]
    dlg: str
    missing: Mapping[str, Sequence[str]]
    """For each extra what of it is not installed."""


def measure_software(_scope: Scope) -> Software:
    """Read the metadata of what is installed."""
    missing: dict[str, list[str]] = {}
    for line in requires("dlg") or ():
        found = OF_EXTRA.match(line)
        if found is None or found[2] in NOT_FOR_USERS:
            continue
        lacking = missing.setdefault(found[2], [])
        try:
            version(found[1])
        except PackageNotFoundError:
            lacking.append(found[1])
    python = sys.version_info
    return Software((python.major, python.minor, python.micro), version("dlg"), missing)


def judge_software(fact: Software) -> Iterator[Verdict]:
    """Say whether Python is new enough, and which extras are there."""
    shown = ".".join(map(str, fact.python))
    if fact.python[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield problem(f"Python {shown} is too old", f"install Python {oldest} or later")
    else:
        yield ok(f"dlg {fact.dlg}, Python {shown}")
    there = [extra for extra, lacking in fact.missing.items() if not lacking]
    absent = [extra for extra, lacking in fact.missing.items() if lacking]
    if there:
        yield ok(f"extras that are installed: {', '.join(sorted(there))}")
    if absent:
        yield ok(f"not installed: {', '.join(sorted(absent))}; pip install 'dlg[NAME]' adds one")


@dataclass(frozen=True)
class Docker:
    """The docker engine."""

    installed: bool
    version: str = ""
    error: str = ""


def measure_docker(_scope: Scope) -> Docker:
    """Ask the engine which version it is."""
    command = ["version", "--format", "{{.Server.Version}}"]
    try:
        done = Engine().call(command, DOCKER_S)
    except DockerError:
        return Docker(installed=False)
    except subprocess.TimeoutExpired:
        return Docker(installed=True, error=f"no answer within {DOCKER_S:g} s")
    if done.returncode:
        return Docker(installed=True, error=done.stderr.strip().rpartition("\n")[2][:300])
    return Docker(installed=True, version=done.stdout.strip())


def judge_docker(fact: Docker) -> Iterator[Verdict]:
    """Say whether the docker engine answers: apps in containers need it."""
    if not fact.installed:
        yield ok("docker is not installed; only apps in containers need it")
    elif not fact.error:
        yield ok(f"the docker engine answers, version {fact.version}")
    elif "permission" in fact.error.lower():
        yield warning(
            f"the docker engine may not be used: {fact.error}",
            "add this user to its group, and log in again: usermod -aG docker USER",
        )
    else:
        yield warning(
            f"the docker engine does not answer: {fact.error}",
            "start it: systemctl start docker; without it apps in containers fail",
        )


@dataclass(frozen=True)
class Setup:
    """The settings of this user."""

    place: str
    error: str = ""


def measure_settings(_scope: Scope) -> Setup:
    """Read them."""
    try:
        place = str(settings.current().root)
    except settings.SettingsError as error:
        return Setup("", str(error))
    return Setup(place)


def judge_settings(fact: Setup) -> Iterator[Verdict]:
    """Say whether the settings can be read."""
    if fact.error:
        yield problem(fact.error, "mend or remove that line, or that variable")
    else:
        yield ok(f"the root directory is {fact.place}, on {platform.node()}")


SOFTWARE = Check("software", measure_software, judge_software)
DOCKER = Check("docker", measure_docker, judge_docker)
SETTINGS = Check("settings", measure_settings, judge_settings)
