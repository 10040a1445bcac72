"""A Slurm of this machine's own, with two nodes: real programs, in a directory of their own."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
PATIENCE_S = 60
NODES = ("one", "two")
CONF = """
ClusterName=dlgtest
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool-%n
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd-%n.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
MpiDefault=none
MailProg=/bin/true
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=15
NodeName=DEFAULT CPUs=4 RealMemory=1000 State=UNKNOWN
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]}
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""


def missing() -> str:
    """Return why there can be no Slurm here; "" if there can."""
    found = [name for name in PROGRAMS if program(name) is None]
    return f"needs {', '.join(found)} (Debian: munge slurmctld slurmd)" if found else ""


def program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Return what `holds` returns once that is true."""
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what} after {patience_s} s"
        time.sleep(0.1)
    return found


class Slurm:
    """Its programs, as processes of ours."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home, self._stack = home, stack
        self.conf = home / "slurm.conf"
        host = socket.gethostname().partition(".")[0]
        self.conf.write_text(
            CONF.format(home=home, host=host, user=getpass.getuser(), ports=free_ports(3))
        )
        self.env = {**os.environ, "SLURM_CONF": str(self.conf)}
        (home / "state").mkdir()
        for node in NODES:
            (home / f"spool-{node}").mkdir()
        key = home / "munge.key"
        key.touch(0o400)
        key.chmod(0o600)
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        self._start(
            "munged", "--foreground", "--force", f"--key-file={key}",
            f"--socket={home}/munge.socket", f"--pid-file={home}/munged.pid",
            f"--log-file={home}/munged.log", f"--seed-file={home}/munged.seed",
        )  # fmt: skip
        until((home / "munge.socket").exists, "munged does not listen")
        self._start("slurmctld", "-D", "-f", str(self.conf))
        for node in NODES:
            self._start("slurmd", "-D", "-N", node, "-f", str(self.conf))
        until(lambda: self.call("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2", "idle")

    def _start(self, name: str, *args: str) -> None:
        with (self.home / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(
                [str(program(name)), *args], env=self.env, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip
        self._stack.callback(end, process)

    def call(self, *words: str) -> str:
        """Return what a command of Slurm prints; "" where it fails."""
        done = subprocess.run(
            words, env=self.env, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        return done.stdout if done.returncode == 0 else ""

    def state(self, job_id: str) -> str:
        """Return the state of a job."""
        told = self.call("scontrol", "-o", "show", "job", job_id)
        return next((w[9:] for w in told.split() if w.startswith("JobState=")), "")

    def end_of(self, job_id: str) -> str:
        """Return the state of a job when it has ended."""
        going_on = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")
        until(lambda: self.state(job_id) not in going_on, f"job {job_id} is not over", 200)
        return self.state(job_id)

    def idle(self) -> bool:
        """Return whether nothing runs any more."""
        return not self.call("squeue", "-h").strip()


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


@contextmanager
def running() -> Iterator[Slurm]:
    """Start a Slurm; skip where its programs are not, or cannot run."""
    if missing():
        pytest.skip(missing())
    # Not below pytest's directory: names of sockets must be short, and munged wants safe parents.
    home = Path(tempfile.mkdtemp(prefix="dlg-slurm-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            try:
                slurm = Slurm(home, stack)
            except AssertionError as error:
                if os.geteuid() == 0:  # then it is no question of rights
                    raise AssertionError(f"{error}; {_said(home)}") from error
                pytest.skip(f"Slurm cannot run here: {error}; {_said(home)}")
            yield slurm
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _said(home: Path) -> str:
    lines: Sequence[str] = [
        line for log in sorted(home.glob("*.out"))
        for line in log.read_text(errors="replace").splitlines() if "error" in line.lower()
    ]  # fmt: skip
    return " / ".join(lines[-3:])
