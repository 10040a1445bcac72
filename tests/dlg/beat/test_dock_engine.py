"""Containers of a real docker engine, from an image with nothing but a shell."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.beat.dock import Container, Host

SHELL = Path("/bin/sh").resolve()
DATABASES = '["numbers/1", "letters/1"]'
PATIENCE_S = 60

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


def image_of_a_shell(name: str, *changes: str) -> None:
    """Import an image that has the shell of this machine, and the libraries that needs."""
    needs = subprocess.run(["ldd", SHELL], stdout=subprocess.PIPE, text=True, check=False).stdout
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(SHELL, "bin/sh")
            for library in re.findall(r"(/\S+) \(0x", needs):
                tar.add(Path(library).resolve(), library.lstrip("/"))
        options = [part for change in changes for part in ("--change", change)]
        command = ["docker", "import", *options, "-", name]
        subprocess.run(command, input=packed.getvalue(), check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def name() -> Iterator[str]:
    try:
        there = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("needs the docker command")
    if there.returncode != 0:
        pytest.skip("needs a running docker engine")
    name = f"dlg-dock-test:{uuid.uuid4().hex}"
    labels = {
        "type": "database",
        "name": name,
        "version": "1",
        "databases": DATABASES.replace('"', '\\"'),
        "custom_tmpfs": "/scratch=1m",
    }
    image_of_a_shell(name, *(f'LABEL beat.env.{key}="{text}"' for key, text in labels.items()))
    yield name
    subprocess.run(["docker", "rmi", "--force", name], stdout=subprocess.DEVNULL, check=False)


@pytest.fixture
def host(name: str) -> Iterator[Host]:
    host = Host(raise_on_errors=False)
    yield host
    host.teardown()


def shell(host: Host, name: str, script: str) -> Container:
    return host.create_container(name, ["/bin/sh", "-c", script])


def test_an_image_is_found_by_its_labels(host: Host, name: str) -> None:
    assert host.dbenv2docker(f"{name} (1)") == name
    assert host.db_environments[f"{name} (1)"]["databases"] == ("numbers/1", "letters/1")
    assert host.full_environment_name(name) == f"{name} (1)"


def test_a_command_is_run_to_its_end(host: Host, name: str) -> None:
    status, printed = host.run(name, ["/bin/sh", "-c", "echo said; exit 3"], PATIENCE_S)
    assert status == 3
    assert printed is not None
    assert printed.strip() == "said"
    assert host.containers == []


def test_what_a_container_is_given_is_there(host: Host, name: str, tmp_path: Path) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read/file").write_text("text\n")
    (tmp_path / "write").mkdir(mode=0o777)
    container = shell(
        host,
        name,
        "read line < file && echo $line $WORD > /out/file && echo x > /scratch/x || exit 4;"
        "echo x > /in/file && exit 5; echo x > /new && exit 6; exit 0",
    )
    container.set_workdir("/in")
    container.add_environment_variable("WORD", "a b")
    container.add_volume(str(tmp_path / "read"), "/in")
    container.add_volume(str(tmp_path / "write"), "/out", read_only=False)
    host.start(container)
    assert host.wait(container, PATIENCE_S) == 0, host.logs(container)
    assert (tmp_path / "write/file").read_text() == "text a b\n"


def test_waiting_ends_before_the_container_which_can_be_killed(host: Host, name: str) -> None:
    container = shell(host, name, "read forever")
    host.start(container)
    assert host.wait(container, timeout=0.2) is None
    assert host.status(container) == "running"
    assert host.get_ipaddress(container).count(".") in {0, 3}
    host.kill(container)
    assert host.wait(container, PATIENCE_S) == 137
    assert host.status(container) == "exited"


def test_a_container_ends_at_its_limit_of_memory(host: Host, name: str) -> None:
    container = shell(host, name, "x=xxxxxxxx; while :; do x=$x$x; done")
    host.start(container, virtual_memory_in_megabytes=32)
    assert host.wait(container, PATIENCE_S) not in {0, None}


def test_figures_are_those_of_the_engine(host: Host, name: str) -> None:
    container = shell(host, name, "while :; do :; done")
    host.start(container, virtual_memory_in_megabytes=64)
    for _ in range(PATIENCE_S):
        if host.statistics(container)["cpu"]["user"] > 0:
            break
        assert host.wait(container, timeout=1) is None
    host.kill(container)
    host.teardown()
    figures = host.statistics(container)
    assert figures["memory"]["limit"] == 64 << 20
    assert 0 < figures["memory"]["rss"] < 64 << 20
    assert 0 < figures["cpu"]["user"] < PATIENCE_S


def test_an_image_that_is_not_there_cannot_be_started(host: Host) -> None:
    container = host.create_container("dlg-dock-test:none-of-this-name", ["true"])
    with pytest.raises(RuntimeError, match="Failed to create the container, reason:"):
        host.start(container)
