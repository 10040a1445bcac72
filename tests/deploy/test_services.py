"""Units of systemd, and the commands in all files under `deploy`."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.reading import DEPLOY, parse

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/dlg/bin/dlg"
MOST_EXPOSED = 25
"""By `systemd-analyze security`, times ten: 100 for a service that may do everything."""


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return the settings of a unit; some can be given several times."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def analyzed(tmp_path: Path) -> Any:
    """Let systemd look at the units, which run a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    program = Path(sys.executable).with_name("dlg")
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(PROGRAM, str(program)))
        copies.append(str(copy))

    def call(*words: str) -> str:
        done = subprocess.run(
            ["systemd-analyze", *words, *copies], capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    return call


def test_systemd_understands_all_of_the_units(analyzed: Any) -> None:
    assert analyzed("verify") == ""


def test_services_are_little_exposed(analyzed: Any) -> None:
    analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_command_of_a_unit_is_one_of_ours(unit: Path) -> None:
    found = settings_of(unit)
    given = [one for line in found["Environment"] for one in line.split()]
    variables = dict(one.split("=", 1) for one in given)
    (start,) = found["ExecStart"]
    start = re.sub(r"\$\{?([A-Z]+)\}?", lambda m: variables[m[1]], start)
    program, *words = shlex.split(start)
    assert program == PROGRAM
    how = parse(words)
    beyond = how.get("host") == "0.0.0.0"
    assert not beyond or "LoadCredential" in found  # the file of the cluster


def test_images_begin_with_commands_of_ours_and_are_not_root() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    commands = [json.loads(one) for one in re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)]
    checks = [json.loads(one) for one in re.findall(r"CMD (\[\"dlg\".*\])$", text, re.MULTILINE)]
    assert len(commands) == 7
    assert len(checks) == 6
    for words in commands:
        parse(words)
    for program, *words in checks:
        assert program == "dlg"
        parse(words)
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert 'ENTRYPOINT ["tini", "--", "dlg"]' in text


def test_compose_publishes_on_loopback_only_and_starts_what_is_ready() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if "entrypoint" not in service:
            how = parse(service["command"])
            assert how["advertise"] == name
            _, *check = service["healthcheck"]["test"][1:]
            assert check == ["health", f"localhost:{how['port']}"]
