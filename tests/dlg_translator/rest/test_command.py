from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlg.exceptions import UsageError
from dlg.http.site import read_origin
from dlg_engine.cli.main import cli
from dlg_translator.rest.command import read_manager


@contextmanager
def started(*args: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `dlg tm` on a free port; yield the process and the port."""
    command = [sys.executable, "-m", "dlg_engine.cli", "tm", "-p", "0", *args]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_answers_until_it_is_told_to_end(tmp_path: Path, number: int) -> None:
    (tmp_path / "a.graph").write_text("{}")
    with started("-d", str(tmp_path), "--manager", "http://dim:8001", "-v") as (process, port):
        link = HTTPConnection("127.0.0.1", port, timeout=20)
        link.request("GET", "/api/library")
        answer = link.getresponse().read()
        link.close()
        assert b'"a.graph"' in answer
        assert b"http://dim:8001" in answer
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in told
        assert "GET /api/library" in told


def test_a_port_that_is_taken_is_the_users_mistake() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(cli, ["tm", "-p", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "cannot listen" in result.output


def test_a_folder_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(cli, ["tm", "-d", "/nowhere/at/all"])
    assert result.exit_code == 2
    assert "does not exist" in result.output


@pytest.mark.parametrize(
    "address",
    ["nonsense", "ftp://dim:8001", "http://", "http://dim:many", "a b:8001", "dim:99999"],
)
def test_what_is_no_address_of_a_manager_is_refused_at_the_start(address: str) -> None:
    result = CliRunner().invoke(cli, ["tm", "-p", "0", "--manager", address])
    assert result.exit_code == 2
    assert f"{address!r} is no address of a manager" in result.output


def test_the_address_of_a_manager_may_leave_out_the_scheme_or_the_port() -> None:
    assert read_manager("http://dim:8001/") == "http://dim:8001"
    assert read_manager("dim:8001") == "http://dim:8001"
    assert read_manager("https://dim") == "https://dim:443"
    assert read_manager("[::1]:8001") == "http://[::1]:8001"


def test_origins_are_read_as_browsers_write_them() -> None:
    assert read_origin("https://Eagle.example.org/") == "https://eagle.example.org"
    assert read_origin("http://localhost:8888") == "http://localhost:8888"
    for text in ("eagle.example.org", "*", "https://a/b", "null", ""):
        with pytest.raises(UsageError, match="no origin"):
            read_origin(text)
