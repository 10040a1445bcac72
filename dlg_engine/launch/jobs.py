"""A job: what is to be run, and the directory that holds it and what comes of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dlg.exceptions import RunError, UsageError

FILE = "job.json"
SCRIPT = "job.sh"
LOGS = "logs"
GRAPHS = "graph"
CODE = "code"
CLUSTER = "cluster.toml"
REPORT = "report.json"
LOG = "job.log"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_CODE = 1 << 26
"""How many bytes of users' modules go with a job."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run; it stands in `job.json` of the directory."""

    name: str
    """Of the job, of its directory and of its session."""
    graph: str
    """Its file, in the directory."""
    facility: str
    scheduler: str
    launcher: str
    """What starts ranks; see `Facility`."""
    nodes: int = 1
    islands: int = 1
    ranks_per_node: int = 1
    apart: bool = False
    """Whether master and islands have ranks without nodes."""
    minutes: int = 60
    cpus: int = 0
    threads: int = 0
    """How many apps a node runs at once; 0 for as many as there are processors."""
    processes: bool = False
    network: str = ""
    submitting: tuple[str, ...] = ()
    """More arguments for `dlg submit`: how the graph is filled and divided."""
    unrolling: tuple[str, ...] = ()
    """Arguments for `dlg unroll`, where what is run differs from the graph."""
    proxy: tuple[str, ...] = ()
    """Arguments for `dlg proxy`, where pages are shown outside."""

    @property
    def ranks(self) -> int:
        """How many processes it has."""
        return self.nodes * self.ranks_per_node


def write_job(directory: Path, job: Job, graph: Path, code: Iterable[Path], script: str) -> None:
    """Make the directory of a job, with all that it needs; UsageError if that is impossible.

    Modules of users in the directories `code` go with it.
    """
    if not NAME.fullmatch(job.name):
        raise UsageError(f"{job.name!r} cannot be the name of a job")
    try:
        directory.mkdir(parents=True, mode=0o700)
        for folder in (LOGS, GRAPHS, CODE):
            (directory / folder).mkdir()
        shutil.copyfile(graph, directory / job.graph)
        _copy_code(code, directory / CODE)
        (directory / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(job)) + b"\n")
        path = directory / SCRIPT
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)
    except FileExistsError as error:
        raise UsageError(f"{directory} is there already: choose another --name") from error
    except OSError as error:
        raise UsageError(f"{error.filename or directory}: {error.strerror}") from error


def _copy_code(folders: Iterable[Path], target: Path) -> None:
    """Copy the modules and packages of `folders`; what comes first wins, as when importing."""
    left = MOST_CODE
    for folder in folders:
        for source in _modules(folder):
            place = target / source.relative_to(folder)
            if place.exists():
                continue
            left -= source.stat().st_size
            if left < 0:
                raise UsageError(
                    f"the modules in {folder} have more than {MOST_CODE >> 20} MiB: install them "
                    "where the job runs, and put the graph into a directory of its own"
                )
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)


def _modules(folder: Path) -> Iterable[Path]:
    """Yield the files of the modules and packages right in a folder."""
    for found in sorted(folder.iterdir()):
        if found.suffix == ".py" and found.is_file():
            yield found
        elif (found / "__init__.py").is_file():
            yield from sorted(one for one in found.rglob("*.py") if one.is_file())


def read_job(directory: Path) -> Job:
    """Return the job of a directory; UsageError if there is none."""
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Job)
    except OSError as error:
        raise UsageError(f"{directory} is no directory of a job: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} describes no job: {error}") from error


class JobError(RunError):
    """A job could not run its graph."""
