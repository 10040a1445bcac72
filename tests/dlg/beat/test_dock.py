from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dlg.beat.dock import Container, DockerError, Host
from dlg.beat.engine import limits
from dlg.beat.environments import enumerate_packages

# A docker command of our own: it writes down what it was asked, and answers from a folder.
FAKE = """#!/bin/sh
here=$(dirname "$0")
for word in "$@"; do printf '%s\\037' "$word"; done >> "$here/asked"
printf '\\n' >> "$here/asked"
answer="$here/$1"
case "$1 $2 $4" in
    "image inspect {{.Id}}") answer="$here/id" ;;
    "image inspect {{json .Config.Labels}}") answer="$here/labels" ;;
    "images --filter "*) answer="$here/images-labelled" ;;
esac
if [ -e "$answer.hangs" ]; then exec sleep 1000; fi
if [ -e "$answer.fails" ]; then cat "$answer.fails" >&2; exit 125; fi
if [ -e "$answer" ]; then cat "$answer"; fi
"""


class Api(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The part of the engine's API that tells its version and what containers use."""

    daemon_threads = True
    reports: ClassVar[list[dict[str, Any]]] = []


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        stats = "/stats" in self.path
        told = Api.reports if stats else [{"ApiVersion": "1.41"}]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")  # as the engine streams
        self.send_header("Connection", "close")
        self.end_headers()
        for line in [*(json.dumps(one).encode() + b"\n" for one in told), b""]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "engine.sock")
    with Api(path, Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"unix://{path}"
        server.shutdown()
        thread.join(10)


class Fake:
    """What the command was asked, and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answers(self, command: str, text: str) -> None:
        (self.folder / command).write_text(text)

    def fails(self, command: str, text: str) -> None:
        (self.folder / f"{command}.fails").write_text(text)

    def hangs(self, command: str) -> None:
        (self.folder / f"{command}.hangs").touch()

    def asked(self, command: str) -> list[list[str]]:
        lines = (self.folder / "asked").read_text().splitlines()
        calls = [line.split("\x1f")[:-1] for line in lines]
        return [call for call in calls if call[0] == command]


@pytest.fixture
def docker(tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch) -> Fake:
    command = tmp_path / "docker"
    command.write_text(FAKE)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", api)
    monkeypatch.setattr(Api, "reports", [])
    monkeypatch.setattr(Host, "images_cache", {})
    fake = Fake(tmp_path)
    fake.answers("run", "c0ffee\n")
    fake.answers("wait", "0\n")
    return fake


@pytest.fixture
def host(docker: Fake) -> Iterator[Host]:
    host = Host(discover=False)
    yield host
    host.teardown()


def running(host: Host) -> Container:
    container = host.create_container("image", ["ls", "a b"])
    host.start(container)
    return container


def test_a_container_is_started_in_the_background(host: Host, docker: Fake) -> None:
    container = host.create_container("image", ["ls", "a b"])
    container.set_name("name")
    host.start(container)
    assert container.id == "c0ffee"
    (asked,) = docker.asked("run")
    assert asked == [
        "run",
        "--tty",
        "--interactive",
        "--detach",
        "--read-only",
        "--name=name",
        "--tmpfs=/tmp:rw,noexec,nosuid,size=500k",
        "--tmpfs=/run:rw,noexec,nosuid,size=500k",
        "image",
        "ls",
        "a b",
    ]


def test_limits_are_options() -> None:
    assert limits(0, 0) == []
    assert limits(100, 50) == [
        "--memory=100m",
        "--memory-swap=100m",
        "--cpu-period=100000",
        "--cpu-quota=50000",
    ]


def test_limits_are_for_the_container_that_is_started(host: Host, docker: Fake) -> None:
    container = host.create_container("image", "ls")
    host.start(container, virtual_memory_in_megabytes=64, max_cpu_percent=150)
    (asked,) = docker.asked("run")
    assert {"--memory=64m", "--cpu-quota=150000"} <= set(asked)


def test_what_cannot_be_started_says_why(host: Host, docker: Fake) -> None:
    docker.fails("run", "no such image\n")
    with pytest.raises(RuntimeError, match=r"Failed to create the container, reason:\nno such"):
        running(host)


def test_without_docker_it_is_said_what_to_install(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/none")
    with pytest.raises(DockerError, match="install docker"):
        running(host)


def test_waiting_gives_the_exit_code(host: Host, docker: Fake) -> None:
    docker.answers("wait", "137\n")
    assert host.wait(running(host)) == 137


def test_waiting_ends_after_a_while(host: Host, docker: Fake) -> None:
    docker.hangs("wait")
    assert host.wait(running(host), timeout=0.1) is None


def test_the_state_is_that_of_the_engine(host: Host, docker: Fake) -> None:
    docker.answers("inspect", json.dumps([{"State": {"Status": "exited"}}]))
    container = running(host)
    assert host.status(container) == "exited"
    docker.fails("inspect", "no such container")
    assert host.status(container) is None


@pytest.mark.parametrize(("state", "killed"), [("running", 1), ("exited", 0)])
def test_only_what_runs_is_killed(host: Host, docker: Fake, state: str, killed: int) -> None:
    docker.answers("inspect", json.dumps([{"State": {"Status": state}}]))
    host.kill(running(host))
    assert len(docker.asked("kill")) == killed


def test_removing_is_done_once_and_by_force(host: Host, docker: Fake) -> None:
    container = running(host)
    host.rm(container)
    host.teardown()
    assert docker.asked("rm") == [["rm", "--force", "c0ffee"]]


def test_what_was_not_started_cannot_be_waited_for(host: Host) -> None:
    container = host.create_container("image", "ls")
    host.rm(container)
    with pytest.raises(DockerError, match="not started"):
        host.wait(container)


def test_a_command_is_run_and_leaves_nothing(host: Host, docker: Fake) -> None:
    docker.answers("logs", "printed\n")
    assert host.run("image", ["ls"]) == (0, "printed\n")
    assert len(docker.asked("rm")) == 1
    docker.fails("run", "no such image")
    assert host.run("image", ["ls"]) == (1, None)


def test_the_address_may_be_that_of_any_network(host: Host, docker: Fake) -> None:
    networks = {"net": {"IPAddress": "192.0.2.7"}}
    settings = {"NetworkSettings": {"IPAddress": "", "Networks": networks}}
    docker.answers("inspect", json.dumps([settings]))
    assert host.get_ipaddress(running(host)) == "192.0.2.7"
    docker.answers("inspect", json.dumps([{"NetworkSettings": {"Networks": None}}]))
    assert host.get_ipaddress(running(host)) == ""


def test_this_machine_has_an_address(host: Host) -> None:
    assert len(host.ip.split(".")) == 4


def test_without_reports_figures_are_zero(host: Host) -> None:
    container = running(host)
    host.teardown()
    figures = host.statistics(container)
    assert figures["cpu"]["total"] == 0
    assert figures["memory"]["rss"] == 0


def report(user_s: float, machine_s: float, memory: int) -> dict[str, Any]:
    return {
        "cpu_stats": {
            "cpu_usage": {"total_usage": user_s * 1e9},
            "system_cpu_usage": machine_s * 1e9,
            "online_cpus": 2,
        },
        "memory_stats": {"usage": memory, "limit": 1000},
    }


def test_figures_are_the_whole_time_and_the_most_memory(host: Host) -> None:
    Api.reports += [report(1, 100, 10), report(2, 102, 500), report(3, 104, 20), {}]
    container = running(host)
    host.teardown()
    told = host.statistics(container)
    assert told["cpu"]["user"] == 3
    assert told["cpu"]["total"] == 4
    assert told["memory"] == {"rss": 500, "limit": 1000, "percent": 50}


def test_environments_are_found_by_labels(docker: Fake) -> None:
    docker.answers("images-labelled", "python:3\n<none>:<none>\n")
    labels = {
        "beat.env.type": "execution",
        "beat.env.name": "python",
        "beat.env.version": "3",
        "beat.env.capabilities": "gpu",
        "beat.env.custom_tmpfs": "/scratch=1g",
    }
    docker.answers("labels", json.dumps(labels))
    host = Host()
    assert "python (3)" in host
    assert host.env2docker("python (3)") == "python:3"
    assert host.full_environment_name("python") == "python (3)"
    assert list(host.processing_environments) == ["python (3)"]
    assert host.db_environments == {}
    container = host.create_container("python:3", "ls")
    assert "--gpus=all" in container.options
    assert "--tmpfs=/scratch:rw,noexec,nosuid,size=1g" in container.options
    with pytest.raises(KeyError):
        host.dbenv2docker("python (3)")


def test_old_images_are_asked_once(docker: Fake, tmp_path: Path) -> None:
    docker.answers("images", "registry/beat.env.data:1\nother:1\n")
    docker.answers("id", "sha256:1\n")
    docker.answers("logs", json.dumps({"name": "data", "version": "1", "databases": ["a/1"]}))
    cache = tmp_path / "cache" / "images.json"
    for _ in range(2):
        host = Host(images_cache=str(cache))
        host.teardown()
        assert host.db2docker(["a/1"]) == "registry/beat.env.data:1"
        assert host.dbenv2docker("data (1)") == "registry/beat.env.data:1"
        Host.images_cache.clear()
    assert len(docker.asked("run")) == 1


def test_an_engine_that_does_not_answer_is_an_error(docker: Fake) -> None:
    docker.fails("images-labelled", "cannot connect\n")
    with pytest.raises(DockerError, match="cannot be asked: cannot connect"):
        Host()


def test_packages_of_an_environment_are_listed(docker: Fake) -> None:
    docker.answers("images", "beat.env.python:3\n")
    docker.answers("logs", json.dumps({"name": "python", "version": "3"}))
    host = Host()
    docker.answers(
        "logs",
        "# packages in environment\n#\n# Name Version Build Channel\n"
        "numpy 1.26.4 py311_0 conda-forge\npip 24.0 py311_0\nsome words that are no package\n",
    )
    assert enumerate_packages(host, "python (3)") == [
        {"name": "numpy", "version": "1.26.4"},
        {"name": "pip", "version": "24.0"},
    ]
    assert enumerate_packages(host, "other (1)") == []
    host.teardown()
    docker.fails("run", "")
    assert enumerate_packages(host, "python (3)") == []
