"""`dlg beat scheduler`, `worker` and those who ask a scheduler: options, mistakes, protection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlg_engine.cli.main import cli
from dlg_engine.testing.processes import Process
from tests.dlg_engine.scheduling.prefixes import NAME, Prefix

TOKEN = "only-for-biometricians-0123456789abcdef"


def beat(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["beat", *arguments], standalone_mode=True)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    (tmp_path / "site").mkdir()
    return Prefix(tmp_path / "site")


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["scheduler", "--database", "nonsense://x"], "'nonsense://x' cannot be used"),
        (["scheduler", "-H", "0.0.0.0"], "can be reached from other hosts"),
        (["scheduler", "--root", "no-name"], "--root no-name: NAME/VERSION=DIR is expected"),
        (["worker", "tcp://10.1.1.1:5"], "the scheduler at tcp://10.1.1.1:5 could be anybody"),
        (["worker", "nowhere", "--insecure"], "'nowhere' is no address of a scheduler"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(
    prefix: Prefix, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    places = ["--prefix", str(prefix.path), "--cache", str(tmp_path / "cache")]
    result = beat(*arguments, *places)
    assert result.exit_code == 2, result.output
    assert complaint in result.output
    assert "Traceback" not in result.output


def test_a_scheduler_that_is_not_there_is_told() -> None:
    result = beat("jobs", "--at", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "no manager answers at http://127.0.0.1:1" in result.output


def test_with_a_token_all_sides_have_to_show_it(
    prefix: Prefix, tmp_path: Path, processes: ExitStack
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    prefix.open_gate()
    places = ("--prefix", str(prefix.path), "--cache", str(prefix.cache))
    shown = ("--token-file", str(token))
    scheduler = Process(
        "beat", "scheduler", "-P", "0", "--workers-port", "0", *places, *shown,
        "--database", str(tmp_path / "jobs.db"), workdir=tmp_path / "scheduler",
    )  # fmt: skip
    processes.callback(scheduler.end)
    address = scheduler.said.partition('"workers": "')[2].partition('"')[0]
    worker = Process("beat", "worker", address, *places, *shown, workdir=tmp_path / "worker")
    processes.callback(worker.end)
    assert "token" in beat("jobs", "--at", scheduler.url).output
    done = beat("schedule", NAME, "--wait", "--at", scheduler.url, *shown)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"{NAME} is done"
