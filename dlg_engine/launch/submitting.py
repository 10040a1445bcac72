"""Jobs handed to a batch system, here or over ssh.

Over ssh everything goes through the programs of OpenSSH: keys, agents, jump hosts and known hosts
are what the user has configured for them.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dlg.exceptions import RunError, UsageError
from dlg_engine.launch.facilities import Facility
from dlg_engine.launch.jobs import CLUSTER, NAME, SCRIPT

CONNECT_S = 30
"""How long a host may take to answer."""
SSH_FAILED = 255
"""The exit code of ssh where it does not reach the host or is not let in."""
CHANGED = 1
"""The exit code of tar where a file has changed while it was read."""
MOST_BACK = 1 << 32
"""How many bytes of a job are fetched at most."""


class Submitter(NamedTuple):
    """How jobs are handed to a batch system."""

    command: str
    """In the directory of the job; what a shell runs."""
    waiting: str
    """The same, but it ends with the job and has its exit code."""
    job_id: re.Pattern[str]
    """Finds the id of the job in what the command prints."""
    cancel: str


SUBMITTERS: Mapping[str, Submitter] = {
    "slurm": Submitter(
        f"sbatch --parsable {SCRIPT}",
        f"sbatch --parsable --wait {SCRIPT}",
        re.compile(r"^(\d+)", re.MULTILINE),
        "scancel",
    ),
    "pbs": Submitter(
        f"qsub {SCRIPT}", f"qsub -W block=true {SCRIPT}", re.compile(r"^(\S+)", re.MULTILINE),
        "qdel",
    ),
    "lsf": Submitter(
        f"bsub < {SCRIPT}", f"bsub -K < {SCRIPT}", re.compile(r"Job <(\d+)>"), "bkill",
    ),
    "shell": Submitter(f"./{SCRIPT}", f"./{SCRIPT}", re.compile(r"(?!)"), "kill"),
}  # fmt: skip


class SubmissionError(RunError):
    """A batch system did not take a job, or its host was not reached."""


class Submitted(NamedTuple):
    """A job that was handed over."""

    job_id: str
    """What the batch system calls it; "" where there is none."""
    code: int
    """Its exit code, where it was waited for."""


def submit_job(facility: Facility, directory: Path, *, wait: bool = False) -> Submitted:
    """Submit the job of a directory, here or at the host of the facility.

    There its directory is made a copy of, of the same name below the root of the facility. With
    `wait`, and without a batch system always, this returns when the job has ended. Raises
    SubmissionError if it is not taken.
    """
    how = SUBMITTERS[facility.scheduler]
    waited = wait or facility.scheduler == "shell"
    command = how.waiting if waited else how.command
    if facility.host:
        send(facility, directory)
        done = remote(facility, f"cd {_there(facility, directory.name)} && {command}")
    else:
        done = _run(["/bin/sh", "-c", f"exec {command}"], directory)
    found = how.job_id.search(done.stdout.decode(errors="replace"))
    if found is None and facility.scheduler != "shell":
        told = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise SubmissionError(
            f"{command.split()[0]} did not take the job: {told}",
        )
    return Submitted(found[1] if found else "", done.returncode)


def send(facility: Facility, directory: Path) -> None:
    """Copy the directory of a job to the host of the facility."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(directory, directory.name)
    root, place = _quoted(facility.root), _there(facility, directory.name)
    # Only its owner may look into it: graphs may have secrets among their parameters. A directory
    # that is there is that of another job, which may be running.
    command = f"umask 077 && mkdir -p {root} && mkdir {place} && tar -x -z -C {root} -f -"
    done = remote(facility, command, content.getvalue())
    if done.returncode:
        raise SubmissionError(
            f"the job could not be copied to {facility.host}: {_tail(done.stderr)}"
        )


def fetch(facility: Facility, name: str, target: Path) -> Path:
    """Copy what came of a job from the host of the facility to below `target`; return where.

    Its data stays there: `work` may be big. So do the keys of a job that is running.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a job")
    words = [f"--exclude={name}/work", f"--exclude={name}/{CLUSTER}", "-f", "-", name]
    done = remote(facility, f"cd {_there(facility, name)}/.. && tar -c -z {shlex.join(words)}")
    # Logs of a job that is running change while they are read, which is no failure.
    if done.returncode not in {0, CHANGED} or not done.stdout:
        raise SubmissionError(f"{facility.host} has no such job {name}: {_tail(done.stderr)}")
    try:
        with tarfile.open(fileobj=io.BytesIO(done.stdout), mode="r:gz") as archive:
            members = archive.getmembers()
            if sum(member.size for member in members) > MOST_BACK:
                raise UsageError(
                    f"job {name} left more than {MOST_BACK >> 30} GiB beside its data"
                )
            archive.extractall(target, members, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise SubmissionError(
            f"what {facility.host} sent of job {name} is broken: {error}"
        ) from error
    return target / name


def remote(
    facility: Facility, command: str, content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of a shell at the host of a facility; SubmissionError if it is not reached."""
    done = _run([*ssh_command(facility), command], None, content)
    if done.returncode == SSH_FAILED:
        raise SubmissionError(
            f"{facility.host} is not reached by ssh: {_tail(done.stderr)}; "
            f"try  ssh {facility.host}"
        )
    return done


def ssh_command(facility: Facility) -> list[str]:
    """Return the words that bring a command to the host of a facility."""
    words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}"]
    if facility.ssh_config:
        words += ["-F", str(Path(facility.ssh_config).expanduser())]
    if facility.key:
        words += ["-i", str(Path(facility.key).expanduser()), "-o", "IdentitiesOnly=yes"]
    if facility.user:
        words += ["-l", facility.user]
    return [*words, "--", facility.host]


def _run(
    words: Sequence[str], directory: Path | None, content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    try:
        process = subprocess.Popen(
            list(words), cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{words[0]} cannot be run: {error.strerror}") from error
    try:
        out, err = process.communicate(content)
    except KeyboardInterrupt:
        # A job that runs here ends its processes itself, if it is told and not killed.
        process.terminate()
        process.communicate()
        raise
    return subprocess.CompletedProcess(list(words), process.returncode, out, err)


def _there(facility: Facility, name: str) -> str:
    return _quoted(str(PurePosixPath(facility.root) / name))


def _quoted(path: str) -> str:
    """Return a path for a shell, which may be below the home directory there."""
    home, found, rest = path.partition("~/")
    return f'"$HOME"/{shlex.quote(rest)}' if found and not home else shlex.quote(path)


def _tail(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
