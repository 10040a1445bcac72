"""Processes that are killed in mid-experiment: it ends with the right result all the same."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

from dlg.beat.cache_files import verified
from dlg_engine.scheduling import cache
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.models import Assignment, Block, JobSplit
from dlg_engine.testing.processes import Process
from tests.dlg_engine.scheduling.prefixes import NAME, SUM, Prefix

PATIENCE_S = 60.0


class Site:
    """A prefix, a scheduler and workers, all of them real processes."""

    def __init__(self, root: Path, slots: int) -> None:
        root.mkdir()
        self.prefix = Prefix(root, slots)
        self.root, self.slots = root, slots
        self.stack = ExitStack()
        self.ports = [_free_port(), _free_port()]
        self.scheduler = self.start_scheduler()

    def start_scheduler(self) -> Process:
        """Start a scheduler, where the one before it was."""
        rest, workers = map(str, self.ports)
        return self._start(
            "scheduler", "-P", rest, "--workers-port", workers, "--lease", "6",
            "--database", str(self.root / "jobs.db"),
        )  # fmt: skip

    def start_worker(self, name: str = "w") -> Process:
        """Start a worker."""
        return self._start("worker", f"tcp://127.0.0.1:{self.ports[1]}", "--name", name)

    def _start(self, what: str, *arguments: str) -> Process:
        places = ("--prefix", str(self.prefix.path), "--cache", str(self.prefix.cache))
        started = Process("-v", "beat", what, *arguments, *places, workdir=self.root / what)
        self.stack.callback(started.end)
        return started

    def ask(self, path: str, *, post: bool = False) -> Any:
        """Ask the scheduler."""
        url = f"http://127.0.0.1:{self.ports[0]}/api/v1/beat/{path}"
        with urlopen(url, data=b"" if post else None, timeout=PATIENCE_S) as answer:
            return msgspec.json.decode(answer.read())

    def submit(self) -> None:
        """Submit the experiment."""
        self.ask(f"experiments?name={NAME}", post=True)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        """Return when something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"{what}: {self.told()}"
            threading.Event().wait(0.02)

    def told(self) -> str:
        """Return what the processes have logged."""
        logs = self.root.glob("*/log")
        return "\n".join(f"{one}:\n{one.read_text()}" for one in logs)

    def until_done(self) -> None:
        """Return when the experiment is over, which has to be well."""
        states = ("done", "failed")
        self.until(lambda: self.ask("experiments/1")["status"] in states, "it does not end")
        found = self.ask("experiments/1")
        assert found["status"] == "done", found

    def check(self) -> None:
        """Compare the result, and see that all was done once and is whole."""
        assert self.ask("experiments/1/results") == {"results": {"sum": {"total": SUM}}}
        database = SchedulingDatabase(self.root / "jobs.db")
        with database.reading() as session:
            done = Counter(
                one.split_id for one in session.query(Assignment) if one.outcome == "completed"
            )
            assert set(done) == {one.id for one in session.query(JobSplit)}
            assert set(done.values()) == {1}
            paths = [p for one in session.query(Block) for p in cache.outputs_of(one.command)]
        database.close()
        for path in paths:
            assert verified(str(self.prefix.cache / path))
        whole = {".data", ".index", ".checksum", ".manifest", ".db"}
        files = [one for one in self.prefix.cache.rglob("*") if one.is_file()]
        halves = [one for one in files if one.suffix not in whole and not one.name.startswith(".")]
        assert not halves


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(params=[1, 3], ids=["whole", "split"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "site", request.param)
    with made.stack:
        yield made


def _kill(process: Process) -> None:
    process.process.kill()
    process.process.wait(PATIENCE_S)


def _is_there(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.slow
def test_nobody_is_killed(site: Site) -> None:
    site.start_worker()
    site.prefix.open_gate()
    site.submit()
    site.until_done()
    site.check()


@pytest.mark.slow
def test_the_process_of_the_user_is_killed(site: Site) -> None:
    site.start_worker()
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    (site.root / "open").touch()
    os.kill(site.prefix.waiting, signal.SIGKILL)
    site.until_done()
    site.check()


@pytest.mark.slow
def test_a_worker_is_killed_and_another_does_its_work(site: Site) -> None:
    first = site.start_worker("first")
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    (site.root / "open").touch()
    _kill(first)
    # Its splits are another's now: nobody may write to the cache beside that.
    site.until(lambda: not _is_there(site.prefix.waiting), "the user's process lives on")
    site.start_worker("second")
    site.until_done()
    site.check()


@pytest.mark.slow
def test_a_worker_is_killed_and_comes_again(site: Site) -> None:
    first = site.start_worker()
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    (site.root / "open").touch()
    _kill(first)
    site.start_worker()
    site.until_done()
    site.check()


@pytest.mark.slow
def test_the_scheduler_is_killed_and_another_goes_on(site: Site) -> None:
    site.start_worker()
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    _kill(site.scheduler)
    site.scheduler = site.start_scheduler()
    waiting = site.prefix.waiting
    assert _is_there(waiting)  # what runs goes on
    site.prefix.open_gate()
    site.until_done()
    site.check()
    log = [line.split() for line in (site.root / "log").read_text().splitlines()]
    # Each block has seen each number once: nothing was done again.
    assert set(Counter(value for value, _pid in log).values()) <= {1, 2}


@pytest.mark.slow
def test_what_ends_while_there_is_no_scheduler_is_told_to_the_next(site: Site) -> None:
    site.start_worker()
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    _kill(site.scheduler)
    site.prefix.open_gate()
    parts = site.prefix.cache.rglob
    site.until(lambda: len(list(parts("*.manifest"))) == site.slots, "the block does not end")
    site.scheduler = site.start_scheduler()
    site.until_done()
    site.check()
    with_database = SchedulingDatabase(site.root / "jobs.db")
    with with_database.reading() as session:
        assert {one.outcome for one in session.query(Assignment)} == {"completed"}, site.told()
    with_database.close()


@pytest.mark.slow
def test_all_of_them_are_killed(site: Site) -> None:
    worker = site.start_worker()
    site.submit()
    site.until(lambda: site.prefix.waiting, "nothing runs")
    (site.root / "open").touch()
    _kill(site.scheduler)
    _kill(worker)
    site.scheduler = site.start_scheduler()
    site.start_worker()
    site.until_done()
    site.check()


@pytest.mark.slow
def test_an_experiment_is_scheduled_and_waited_for_by_a_command(site: Site) -> None:
    site.start_worker()
    site.prefix.open_gate()
    at = ("--at", f"http://127.0.0.1:{site.ports[0]}")
    done = _dlg("schedule", NAME, "--wait", *at)
    assert done.stdout.splitlines()[-1] == f"{NAME} is done", done.stderr
    assert done.returncode == 0
    (site.prefix.path / "algorithms/t/second/1.py").write_text("no Python")
    failed = _dlg("schedule", NAME, "--wait", *at)
    assert failed.returncode == 1, failed.stdout
    listed = _dlg("jobs", *at)
    assert [line.split()[:3] for line in listed.stdout.splitlines()[1:]] == [
        ["2", NAME, "failed"], ["1", NAME, "done"],
    ]  # fmt: skip
    refused = _dlg("cancel", "1", *at)
    assert (refused.returncode, "is done" in refused.stderr) == (2, True)


def _dlg(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dlg_engine.cli", "beat", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=2 * PATIENCE_S
    )
