"""Jobs in processes that are watched."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.processes.calls import Call, Outcome, Stop
from dlg.beat.processes.client import UnfitEnvironmentError, WardenLostError
from dlg.beat.processes.limits import Limits
from dlg.beat.processes.pool import Pool
from dlg.beat.processes.programs import TAIL_B

MIB = 1 << 20
JOBS = """
import ctypes, os, signal, sys, threading, time
import numpy

def echo(payload, links):
    print("to the output")
    print("to the errors", file=sys.stderr)
    return {"echo": payload}

def ids(payload, links):
    return os.getpid()

def raises(payload, links):
    raise KeyError("a fault of ours")

def leaves(payload, links):
    os._exit(payload)

def kills_itself(payload, links):
    os.kill(os.getpid(), payload)

def hog(payload, links):
    try:
        numpy.ones(payload)
    except MemoryError:
        return "refused"
    return "granted"

def hogs(payload, links):
    for _ in range(4):
        if os.fork() == 0:
            held = numpy.ones(payload, numpy.uint8)
            time.sleep(100)
    time.sleep(100)

def for_ever(payload, links):
    while True:
        pass

def bomb(payload, links):
    for _ in range(payload):
        if os.fork() == 0:
            time.sleep(100)
            os._exit(0)
    time.sleep(100)

def leaves_one(payload, links):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(100)
    return pid

def leaves_an_orphan(payload, links):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        orphan = os.fork()
        if orphan == 0:
            os.setsid()
            time.sleep(100)
        os.write(writing, str(orphan).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return int(os.read(reading, 100))

def again(payload, links):
    if payload:
        exec(payload)
    return {"again": True, "pid": os.getpid()}

def forks_and_leaves(payload, links):
    if os.fork() == 0:
        time.sleep(100)
    os._exit(5)

def busy(payload, links):
    until = time.monotonic() + payload
    while time.monotonic() < until:
        pass
    return time.process_time()

def chatty(payload, links):
    for _ in range(payload):
        print("x" * 999)
    print("the last word")
    return True

def random(payload, links):
    return [int(numpy.random.randint(1 << 30)), __import__("random").random()]

def says(payload, links):
    links[0].sendall(payload.encode())
    links[0].recv(1)

def hears(payload, links):
    return links[0].recv(100).decode()

def misses(payload, links):
    links[0].recv(1)
    return {"lost": True}

def directory(payload, links):
    return os.getcwd()

def answers_and_stays(payload, links):
    threading.Thread(target=time.sleep, args=(100,)).start()
    return "done"
"""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "jobs_of_test.py").write_text(JOBS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        pool = Pool(["numpy.random", "jobs_of_test"])
        yield pool
        pool.close()


def run(pool: Pool, name: str, payload: Any = None, **limits: Any) -> Outcome:
    return pool.run([call(name, payload, **limits)])


def call(name: str, payload: Any = None, **limits: Any) -> Call:
    return Call(Limits(**limits), function=f"jobs_of_test:{name}", payload=payload)


def gone(pid: int) -> bool:
    """Return whether the process has ended; wait for it for a while."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ending = select.poll()
    ending.register(descriptor, select.POLLIN)
    try:
        return bool(ending.poll(10_000))
    finally:
        os.close(descriptor)


def test_a_job_answers_and_what_it_prints_is_kept(pool: Pool) -> None:
    outcome = run(pool, "echo", [1, {"a": None}])
    assert outcome.answer == {"echo": [1, {"a": None}]}
    assert (outcome.stdout, outcome.stderr) == ("to the output\n", "to the errors\n")
    assert outcome.usage["memory_b"] > MIB


def test_each_job_has_a_process_of_its_own_that_is_not_ours(pool: Pool) -> None:
    pids = [run(pool, "ids").answer for _ in range(3)]
    assert len({*pids, os.getpid()}) == 4


def test_random_numbers_of_jobs_differ(pool: Pool) -> None:
    first, second = run(pool, "random").answer, run(pool, "random").answer
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_an_error_of_ours_is_told_with_its_traceback(pool: Pool) -> None:
    assert "a fault of ours" in run(pool, "raises").answer["failed"]


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_leaves_without_an_answer_is_noticed(pool: Pool, code: int) -> None:
    outcome = run(pool, "leaves", code)
    assert (outcome.answer, outcome.code) == (None, code)


def test_leaving_is_noticed_even_if_a_child_lives_on(pool: Pool) -> None:
    assert run(pool, "forks_and_leaves").code == 5


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_the_signal_that_killed_a_process_is_told(pool: Pool, number: int) -> None:
    assert run(pool, "kills_itself", int(number)).code == -number


def test_more_memory_than_the_limit_is_refused(pool: Pool) -> None:
    assert run(pool, "hog", 50 * MIB, memory_b=300 * MIB).answer == "refused"
    assert run(pool, "hog", 10 * MIB, memory_b=300 * MIB).answer == "granted"
    assert run(pool, "hog", 50 * MIB).answer == "granted"


def test_a_limit_that_the_interpreter_itself_passes_is_refused(pool: Pool) -> None:
    assert "interpreter itself" in run(pool, "ids", memory_b=MIB).answer["user_error"]


def test_the_memory_of_all_processes_counts(pool: Pool) -> None:
    outcome = run(pool, "hogs", 100 * MIB, memory_b=250 * MIB, time_s=60)
    assert outcome.limit == "memory"
    assert "the limit is 250 MB" in outcome.text


def test_an_endless_loop_ends_with_its_time(pool: Pool) -> None:
    outcome = run(pool, "for_ever", time_s=0.3)
    assert (outcome.limit, outcome.answer) == ("time", None)
    assert outcome.usage["user_s"] + outcome.usage["system_s"] > 0


def test_too_many_processes_are_ended(pool: Pool) -> None:
    outcome = run(pool, "bomb", 50, time_s=60)
    assert outcome.limit == "processes"
    assert "the limit of 32" in outcome.text


def test_few_processes_are_let_alone(pool: Pool) -> None:
    assert run(pool, "bomb", 5, time_s=0.5).limit == "time"


@pytest.mark.parametrize("name", ["leaves_one", "leaves_an_orphan"])
def test_what_a_job_leaves_running_is_ended(pool: Pool, name: str) -> None:
    assert gone(run(pool, name).answer)


def test_a_process_may_be_called_again_if_nothing_in_it_has_changed(pool: Pool) -> None:
    first = run(pool, "again").answer["pid"]
    assert run(pool, "again").answer["pid"] == first
    assert run(pool, "ids").answer == first
    assert run(pool, "again").answer["pid"] != first  # that one did not ask for it


@pytest.mark.parametrize(
    "change",
    [
        "os.chdir('/tmp')",
        "os.environ['CHANGED'] = 'yes'",
        "sys.path.append('/tmp')",
        "numpy.seterr(all='raise')",
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "threading.Thread(target=time.sleep, args=(100,), daemon=True).start()",
        "sys.kept = open('/dev/null')",
        "sys.setrecursionlimit(2000)",
        "os.fork() or time.sleep(100)",
        "__import__('warnings').simplefilter('ignore')",
    ],
)
def test_a_process_in_which_something_has_changed_is_not_called_again(
    pool: Pool, change: str
) -> None:
    first = run(pool, "again", change).answer["pid"]
    assert run(pool, "again").answer["pid"] != first


def test_a_process_under_a_limit_of_memory_is_not_called_again(pool: Pool) -> None:
    first = run(pool, "again", memory_b=300 * MIB).answer["pid"]
    assert run(pool, "again").answer["pid"] != first


def test_each_call_of_a_process_has_its_own_output_and_use(pool: Pool) -> None:
    loud = "print('loud'); sum(range(10**7)); numpy.ones(20 * 2**20)"
    first = run(pool, "again", loud)
    second = run(pool, "again")
    assert first.answer == second.answer
    assert (first.stdout, second.stdout) == ("loud\n", "")
    assert second.usage["user_s"] < first.usage["user_s"]
    assert second.usage["memory_b"] < first.usage["memory_b"]


def test_processor_time_is_held_down(pool: Pool) -> None:
    used = run(pool, "busy", 1.5, cpu_percent=20).answer
    assert used < 0.9  # 0.3 in theory, and 1.5 without the limit


def test_of_much_output_the_end_is_kept(pool: Pool) -> None:
    outcome = run(pool, "chatty", 5000)
    assert outcome.stdout.startswith("[")
    assert outcome.stdout.endswith("the last word\n")
    assert len(outcome.stdout) < TAIL_B + (1 << 17)


def test_a_job_works_where_it_is_told(pool: Pool, tmp_path: Path) -> None:
    where = Call(Limits(), function="jobs_of_test:directory", directory=str(tmp_path))
    assert pool.run([where]).answer == str(tmp_path)


def test_an_answer_ends_the_job_even_if_threads_go_on(pool: Pool) -> None:
    assert run(pool, "answers_and_stays").answer == "done"


def test_programs_of_a_job_are_linked(pool: Pool) -> None:
    outcome = pool.run([call("says", "across"), call("hears")], [(0, 1)])
    assert outcome.answer == "across"


def test_how_a_helper_failed_is_told_when_it_is_missed(pool: Pool) -> None:
    outcome = pool.run([call("leaves", 7), call("misses")], [(0, 1)])
    assert outcome.answer == {"lost": True}
    assert outcome.helpers[0].code == 7


def test_a_command_is_a_job_too(pool: Pool) -> None:
    command = Call(Limits(), command=[sys.executable, "-c", "print('hi'); raise SystemExit(4)"])
    outcome = pool.run([command])
    assert (outcome.code, outcome.stdout) == (4, "hi\n")


def test_a_command_that_is_not_there_fails(pool: Pool) -> None:
    outcome = pool.run([Call(Limits(), command=["no-such-program"])])
    assert outcome.code == 1
    assert "no-such-program" in outcome.stderr


def test_a_job_can_be_stopped_by_another_thread(pool: Pool) -> None:
    stop = Stop()
    timer = threading.Timer(0.2, stop)
    timer.start()
    outcome = pool.run([call("for_ever", time_s=60)], stop=stop)
    timer.join()
    assert outcome.cancelled


def test_a_job_that_is_stopped_before_it_begins_ends_at_once(pool: Pool) -> None:
    stop = Stop()
    stop()
    assert pool.run([call("for_ever", time_s=60)], stop=stop).cancelled


def test_jobs_of_several_threads_run_at_one_time(pool: Pool) -> None:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(run(pool, "echo", 1))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [o.answer for o in outcomes] == [{"echo": 1}] * 4


def test_a_warden_that_is_killed_loses_its_job_and_is_replaced(pool: Pool) -> None:
    warden = pool.warm()["pid"]
    timer = threading.Timer(0.2, os.kill, (warden, signal.SIGKILL))
    timer.start()
    with pytest.raises(WardenLostError):
        run(pool, "for_ever", time_s=60)
    timer.join()
    assert run(pool, "echo", 1).answer == {"echo": 1}
    assert pool.warm()["pid"] != warden


def test_an_interpreter_that_does_not_do_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no module named numpy' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(UnfitEnvironmentError, match="no module named numpy"):
        Pool([]).warm(str(broken))
    with pytest.raises(UnfitEnvironmentError, match="No such file"):
        Pool([]).warm(str(tmp_path / "none"))


def test_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    program = (
        "import os\n"
        "from dlg.beat.processes.pool import Pool\n"
        "facts = Pool([]).warm()\n"
        "print(facts['pid'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=False, timeout=60
    )
    assert gone(int(done.stdout))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_from_ours_has_wardens_of_its_own(pool: Pool) -> None:
    before = run(pool, "ids").answer
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            own = Pool([])
            own.warm()
            own.close()
            code = int(bool(pool._all))
        finally:
            os._exit(code)
    os.close(writing)
    os.close(reading)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert run(pool, "ids").answer != before
