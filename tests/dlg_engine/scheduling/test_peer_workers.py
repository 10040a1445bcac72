"""The existing system's worker for our scheduler, and our worker for its controller."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.beat.worker_frames import Terms
from dlg_engine.scheduling import helpers
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.executing import Workplace
from dlg_engine.scheduling.models import Assignment, Experiment, Worker
from dlg_engine.scheduling.scheduler import Scheduler
from dlg_engine.scheduling.submitting import Site, results_of, submit
from tests.dlg_engine.scheduling.plans import Desk
from tests.dlg_engine.scheduling.workers import Rung, scheduling, working

ROOT = Path(__file__).parents[3]
PEER = ROOT / "build" / "beat-peer"
PROGRAMS = PEER / ".venv" / "bin"
EXPERIMENT = "user/user/single/1/single"
TERMS = Terms(heartbeat_s=0.2, lease_s=3.0)
CONTROLLER = """
import json, sys
from beat.core.experiment import Experiment
from beat.core.worker import WorkerController

controller = WorkerController("127.0.0.1", None)
print(controller.address, flush=True)
ready = []
controller.callbacks.onWorkerReady = ready.append
while not ready:
    controller.process(1000)
blocks = Experiment(sys.argv[1], sys.argv[2]).setup()
for number, (name, block) in enumerate(blocks.items(), 1):
    controller.execute(ready[0], number, block["configuration"])
    found = None
    while found is None:
        found = controller.process(1000)
    worker, status, job, data = found
    told = [worker.decode(), status.decode(), job, json.loads(data[0])["status"]]
    print(json.dumps(told), flush=True)
controller.destroy()
"""

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    if not (PROGRAMS / "worker").exists():
        pytest.skip("needs the existing packages: make beat-peer")
    prefix = tmp_path / "prefix"
    shutil.copytree(PEER / "prefix", prefix)
    (tmp_path / "cache").mkdir()
    index = [PROGRAMS / "python", PROGRAMS / "index", prefix, tmp_path / "cache"]
    subprocess.run([*map(str, index), "simple/1"], check=True)
    return Site(prefix=prefix, cache=tmp_path / "cache")


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Iterator[Desk]:
    database = SchedulingDatabase(tmp_path / "jobs.db")
    yield Desk(database, site.cache)
    database.close()


@pytest.fixture
def rung(desk: Desk) -> Iterator[Rung]:
    made = Rung(desk.database)
    yield made
    made.close()


def _start(site: Site, scheduler: Scheduler, name: str = "old") -> subprocess.Popen[bytes]:
    places = [f"--prefix={site.prefix}", f"--cache={site.cache}"]
    program = [str(PROGRAMS / "python"), str(PROGRAMS / "worker")]
    return subprocess.Popen([*program, f"--name={name}", *places, scheduler.address])


def _until(desk: Desk, rung: Rung, experiment: Experiment, state: str) -> None:
    rung.until(lambda: desk.states(experiment)[0] == state)


def _is_active(desk: Desk, name: str) -> bool:
    with desk.look() as look:
        return any(one.name == name and one.active for one in look.all(Worker))


def _value(desk: Desk, site: Site, experiment: Experiment) -> object:
    with desk.look() as look:
        return results_of(site, look.job(experiment, "analysis").block)


def test_its_worker_works_for_our_scheduler(desk: Desk, site: Site, rung: Rung) -> None:
    with scheduling(desk.database, terms=TERMS) as scheduler:
        worker = _start(site, scheduler)
        try:
            experiment = submit(site, EXPERIMENT, desk.database)
            _until(desk, rung, experiment, "DONE")
            assert _value(desk, site, experiment) == {"out_data": 42}
            with desk.look() as look:
                (row,) = look.all(Worker)
                assert (row.name, row.beats) == ("old", False)
        finally:
            worker.terminate()
            worker.wait(20)
        rung.until(lambda: not _is_active(desk, "old"))


def test_what_its_worker_leaves_when_it_is_killed_is_done_by_ours(
    desk: Desk, site: Site, rung: Rung
) -> None:
    code = site.prefix / "algorithms/v1/integers_echo/1.py"
    source = code.read_text()
    code.write_text(f"import time\ntime.sleep(600)\n{source}")
    with scheduling(desk.database, terms=TERMS) as scheduler:
        worker = _start(site, scheduler)
        try:
            experiment = submit(site, EXPERIMENT, desk.database)
            _until(desk, rung, experiment, "RUNNING")
            code.write_text(source)
        finally:
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
            worker.kill()
            worker.wait(20)
            for child in children:  # the existing worker leaves them behind
                os.kill(int(child), 9)
        place = Workplace(prefix=site.prefix, cache=site.cache)
        with working(scheduler.address, place, "ours"):
            _until(desk, rung, experiment, "DONE")
    assert _value(desk, site, experiment) == {"out_data": 42}
    with desk.look() as look:
        outcomes = [one.outcome for one in look.all(Assignment)]
        assert outcomes == ["queued", "completed", "completed"]


def test_its_worker_stops_what_is_cancelled(desk: Desk, site: Site, rung: Rung) -> None:
    code = site.prefix / "algorithms/v1/integers_echo/1.py"
    code.write_text(f"import time\ntime.sleep(600)\n{code.read_text()}")
    with scheduling(desk.database, terms=TERMS) as scheduler:
        worker = _start(site, scheduler)
        try:
            experiment = submit(site, EXPERIMENT, desk.database)
            _until(desk, rung, experiment, "RUNNING")
            helpers.cancel_experiment(experiment, database=desk.database)
            _until(desk, rung, experiment, "PENDING")
        finally:
            worker.terminate()
            worker.wait(20)


def test_our_worker_works_for_its_controller(site: Site) -> None:
    command = [str(PROGRAMS / "python"), "-c", CONTROLLER, str(site.prefix), EXPERIMENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        address = controller.stdout.readline().strip()
        place = Workplace(prefix=site.prefix, cache=site.cache)
        with working(address, place, "ours"):
            told = controller.stdout.read().splitlines()
            assert controller.wait(60) == 0
    assert told == ['["ours", "don", 1, 0]', '["ours", "don", 2, 0]']
