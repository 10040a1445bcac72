"""What this host has: room and speed of its disks, and how much its user may have at once."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlg.support import clock
from dlg.support.hosts import resources
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, problem, warning

MEGABYTE, GIGABYTE = 1 << 20, 1 << 30
LEAST_FREE, LITTLE_FREE = 256 * MEGABYTE, 5 * GIGABYTE
LITTLE_SHARE = 0.03
SLOW_S = 0.25
"""A journal is written through to the disk each time an app ends: this often is not fast."""
SAMPLE = b"\0" * 65536
FEW_FILES = 4096
LITTLE_MEMORY = 512 * MEGABYTE
LITTLE_SHARED = 64 * MEGABYTE
SHARED = Path("/dev/shm")  # noqa: S108  looked at, not written to


@dataclass(frozen=True)
class Disk:
    """The disk that a directory is on."""

    what: str
    path: Path
    free: int = 0
    total: int = 0
    fsync_s: float = 0.0
    error: str = ""
    """Why nothing can be written there."""


def measure_disks(scope: Scope) -> Sequence[Disk]:
    """Write a little through to each disk, where the directory is or will be."""
    return [_disk(what, path) for what, path in scope.directories.items()]


def _disk(what: str, path: Path) -> Disk:
    there = next(one for one in (path, *path.parents) if one.exists())
    try:
        usage = shutil.disk_usage(there)
        begun = clock.monotonic()
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(SAMPLE)
            file.flush()
            os.fsync(file.fileno())
        return Disk(what, path, usage.free, usage.total, clock.monotonic() - begun)
    except OSError as error:
        return Disk(what, path, error=error.strerror or str(error))


def judge_disks(disks: Sequence[Disk]) -> Iterator[Verdict]:
    """Say whether there is room on the disks, whether they can be written to, and how fast."""
    for disk in disks:
        where = f"{disk.what} {disk.path}"
        move = "make room, or name another root directory: DLG_ROOT"
        if disk.error:
            yield problem(f"{where} cannot be written to: {disk.error}", move)
        elif disk.free < LEAST_FREE:
            yield problem(f"{where}: {amount(disk.free)} free", move)
        elif disk.free < min(LITTLE_FREE, disk.total * LITTLE_SHARE):
            yield warning(f"{where}: only {amount(disk.free)} free", move)
        elif disk.fsync_s > SLOW_S:
            yield warning(
                f"{where}: {1000 * disk.fsync_s:.0f} ms to write 64 KiB through",
                "journals and task databases are slow there: use a local disk for DLG_ROOT",
            )
        else:
            took = f"{1000 * disk.fsync_s:.1f} ms to write through"
            yield ok(f"{where}: {amount(disk.free)} free, {took}")


@dataclass(frozen=True)
class Limits:
    """How much there is for processes of this user."""

    files: int
    """How many files and sockets a process may have open; -1 for any number."""
    memory: int
    """How many bytes of memory are free."""
    shared: int | None = None
    """How many bytes of shared memory are free; None where there is no such disk."""


def measure_limits(_scope: Scope) -> Limits:
    """Ask the system."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = resources("/")
    memory = int(found["memory_total"] - found["memory_used"])
    shared = shutil.disk_usage(SHARED).free if SHARED.is_dir() else None
    return Limits(-1 if soft == resource.RLIM_INFINITY else soft, memory, shared)


def judge_limits(fact: Limits) -> Iterator[Verdict]:
    """Say whether processes may open enough files, and whether there is memory."""
    if 0 <= fact.files < FEW_FILES:
        yield warning(
            f"a process may have only {fact.files} files and sockets open",
            f"raise it before a manager is started: ulimit -n {FEW_FILES}, or LimitNOFILE in its "
            "systemd unit",
        )
    else:
        count = "any number of" if fact.files < 0 else f"{fact.files:,}"
        yield ok(f"a process may have {count} files and sockets open")
    if fact.memory < LITTLE_MEMORY:
        yield warning(
            f"only {amount(fact.memory)} of memory are free",
            "end other programs, or run fewer apps at once: dlg nm --max-threads",
        )
    else:
        yield ok(f"{amount(fact.memory)} of memory are free")
    if fact.shared is not None and fact.shared < LITTLE_SHARED:
        yield warning(
            f"only {amount(fact.shared)} of shared memory are free, for drops that are kept there",
            f"make {SHARED} bigger; of a container by  docker run --shm-size=1g",
        )


def amount(size: float) -> str:
    """Return an amount of bytes for people."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


DISKS = Check("disks", measure_disks, judge_disks)
LIMITS = Check("limits", measure_limits, judge_limits)
