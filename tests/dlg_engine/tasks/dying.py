"""A program that brings a file into a store again and again, and is killed a bit later each time.

    python dying.py DATABASE STORE SOURCE PRODUCT

It kills itself at the first, second, ... thing that Python tells its audit hooks (opening a file,
renaming or removing one, making a directory) or that a system call for the disk is made for, until
nothing is left to die at. Each time it prints how the attempt stands.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from dlg_engine.tasks.task_database import TaskDatabaseConnection

WATCHED = ("open", "os.rename", "os.remove", "os.mkdir")
MOST = 200


class Death:
    """Comes at the n-th step."""

    def __init__(self, step: int) -> None:
        self.left = step
        self._sync = os.fsync

    def near(self, event: str, _args: tuple[Any, ...] = ()) -> None:
        if event in WATCHED:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def sync(self, fd: Any) -> None:
        self.near("open")
        self._sync(fd)
        self.near("open")


def register(where: list[str], attempt: int, step: int) -> None:
    """Bring the file into the store, and die at a step."""
    database, store, source, product = where
    with TaskDatabaseConnection(store, database) as tasks:
        tasks.file_version_by_product(int(product))  # what is imported on first use is
        death = Death(step)
        os.fsync = death.sync
        sys.addaudithook(death.near)
        tasks.file_version_register(int(product), attempt, source)
        left = death.left
    os._exit(7 if left > 0 else 8)


def main() -> None:
    """See the module."""
    where = sys.argv[1:]
    content = Path(where[2]).read_bytes()
    for step in range(1, MOST):
        with TaskDatabaseConnection(where[1], where[0]) as tasks:
            task = tasks.task_lookup(1)
            assert task is not None
            attempt = tasks.execution_attempt_register(1)
        Path(where[2]).write_bytes(content)
        child = os.fork()
        if child == 0:
            register(where, attempt, step)
        _, status = os.waitpid(child, 0)
        whole = Path(where[2]).exists() and Path(where[2]).read_bytes() == content
        sys.stdout.write(f"{attempt} {int(os.WIFSIGNALED(status))} {int(whole)}\n")
        sys.stdout.flush()
        if not os.WIFSIGNALED(status):
            if os.WEXITSTATUS(status) != 7:
                sys.exit(status)
            return
    sys.exit("it never came to its end")


if __name__ == "__main__":
    main()
