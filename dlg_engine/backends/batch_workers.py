"""A Dask cluster whose workers are jobs of a batch system, by dask-jobqueue, its only owner.

The scheduler runs in this process, and has to be reached from where the jobs are. Workers are let
in by a certificate of this one cluster; where they read it is a directory that all hosts share.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg.exceptions import MissingExtraError, RunError, UsageError
from dlg.support.certificates import new_certificate

SYSTEMS: Mapping[str, str] = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster"}
"""The batch systems, and what is called so by dask-jobqueue."""
USUAL: Mapping[str, Any] = {"cores": 1, "memory": "2GiB", "walltime": "01:00:00", "processes": 1}
"""What a job asks for unless it is told otherwise."""
DEATHS = 2
"""How many workers may die over a part before it is run apart."""
LIFETIME = 0.95
"""After which part of its time a worker ends by itself."""
LOOPBACK = "127.0.0.1"
LOGS = "workers"
OURS = frozenset(
    {"security", "protocol", "worker_extra_args", "log_directory", "config_name", "nanny"}
)
"""Options that are not the user's."""
NUMBERS = ("cores", "processes")


class JobqueueError(RunError):
    """A batch system did not take the jobs that would be workers."""


@contextmanager
def workers_of(
    system: str, jobs: int, shared: Path, options: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Have so many jobs of workers; yield what the engine `dask` needs to run graphs on them.

    `shared` is a directory that all hosts see; logs of workers go there. `options` are those of
    dask-jobqueue: cores, memory, walltime, queue, account, ... Jobs are cancelled in the end.
    Raises UsageError for options that it does not know and JobqueueError if jobs are refused.
    """
    kind = _kind(system)
    wanted = _wanted(kind, system, options)
    shared.mkdir(parents=True, exist_ok=True)
    certificate, key = new_certificate("dlg-dask")
    tls = {"ca_file": certificate, "cert": certificate, "key": key}
    try:
        cluster = kind(
            security=_security(tls), protocol="tls://", shared_temp_directory=str(shared),
            log_directory=str(shared / LOGS),
            scheduler_options={
                "dashboard": False, "dashboard_address": f"{LOOPBACK}:0",
                "allowed_failures": DEATHS - 1,
            },
            **wanted,
        )  # fmt: skip
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(f"no cluster of {system} can be had: {error}") from error
    with cluster:
        try:
            cluster.sync(_submitted, cluster, jobs)
        except (RuntimeError, ValueError, OSError) as error:
            _give_up(cluster)
            raise JobqueueError(f"{system} does not take the jobs: {_told(error)}") from error
        yield {"scheduler": cluster.scheduler_address, "tls": tls}


async def _submitted(cluster: Any, jobs: int) -> None:
    """Have the jobs submitted; what goes wrong with that is raised here, not logged somewhere."""
    for _ in range(jobs):
        cluster.worker_spec.update(cluster.new_worker_spec())
    await cluster


def _give_up(cluster: Any) -> None:
    """Let jobs that were not taken count as over: a cluster cannot be closed with them."""
    for job in cluster.workers.values():
        if job.status.name == "created":
            job.status = type(job.status).closed


def _told(error: Exception) -> str:
    """Return the line that tells most: dask-jobqueue tells all of what the command said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if "error" in line.lower()]
    return (said or lines or [type(error).__name__])[-1]


def _kind(system: str) -> Any:
    if system not in SYSTEMS:
        raise UsageError(f"{system!r} is no batch system; known are {', '.join(SYSTEMS)}")
    try:
        import dask_jobqueue  # noqa: PLC0415  an optional library
    except ImportError as error:
        raise MissingExtraError(error.name or "dask_jobqueue", "hpc") from error
    return getattr(dask_jobqueue, SYSTEMS[system])


def _wanted(kind: Any, system: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as they are meant, with what is usual; UsageError for unknown ones."""
    known = _parameters(kind)
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise UsageError(f"jobs of {system} have no option {name!r}; {cure}")
    found = {**USUAL, **{name: _value(name, text) for name, text in options.items()}}
    # Shortly before their time is over workers hand on what they hold, and are not just killed.
    lifetime_s = int(_seconds(str(found["walltime"])) * LIFETIME)
    found["worker_extra_args"] = ["--lifetime", f"{lifetime_s}s"]
    if system == "lsf":
        found["walltime"] = str(found["walltime"]).rpartition(":")[0]  # it knows no seconds
    return found


def _seconds(walltime: str) -> int:
    """Return how long hours:minutes:seconds are."""
    found = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)", walltime)
    if found is None:
        raise UsageError(f"walltime is written 01:30:00, not {walltime!r}")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _parameters(kind: Any) -> list[str]:
    found: dict[str, None] = {}
    for one in kind.job_cls.__mro__:
        found.update(dict.fromkeys(inspect.signature(one.__init__).parameters))
    return [
        name
        for name in found
        if name not in {"self", "args", "kwargs", "base_class_kwargs", "scheduler", "name", *OURS}
    ]


def _value(name: str, text: Any) -> Any:
    if name not in NUMBERS:
        return text
    if not str(text).isdecimal() or int(text) < 1:
        raise UsageError(f"{name} is a number from 1, not {text!r}")
    return int(text)


def _security(tls: Mapping[str, str]) -> Any:
    from distributed import Security  # noqa: PLC0415  an optional library

    ends = {
        f"tls_{end}_{what}": tls[what]
        for end in ("scheduler", "worker", "client") for what in ("cert", "key")
    }  # fmt: skip
    return Security(tls_ca_file=tls["ca_file"], require_encryption=True, **ends)
