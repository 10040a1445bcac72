"""One attempt in an interpreter of its own, for tasks that leave something behind or may crash.

The worker that has the attempt waits for it, keeps its lease, and notes what came of it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import asdict, dataclass

from dlg.exceptions import RunError
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.job_working import job_handlers
from dlg_engine.tasks.logging_database import EasLoggingHandler
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt


class AttemptProcessError(RunError):
    """The interpreter of an attempt has failed, or died."""


@dataclass(frozen=True, slots=True)
class OwnProcess:
    """Where an interpreter for an attempt finds the database, and code of users."""

    database: str
    store: str | None
    code: tuple[str, ...]

    def do(self, attempt: TaskExecutionAttempt) -> None:
        """Do an attempt in an interpreter; raise AttemptProcessError if it does not end well."""
        order = json.dumps({**asdict(self), "attempt_id": attempt.attempt_id})
        # By its standard input: other users of the host can see arguments, with passwords in them.
        done = subprocess.run(
            [sys.executable, "-m", __name__], input=order, text=True, errors="replace",
            stderr=subprocess.PIPE, stdout=sys.stderr, check=False,
        )  # fmt: skip
        if done.returncode < 0:
            raise AttemptProcessError(f"the interpreter died with signal {-done.returncode}")
        if done.returncode:
            said = done.stderr.strip() or f"it ended with exit code {done.returncode}"
            raise AttemptProcessError(f"in an interpreter of its own:\n{said}")


def main() -> None:
    """Do the attempt that standard input names."""
    order = json.load(sys.stdin)
    sys.path.extend(place for place in order["code"] if place not in sys.path)
    number = int(order["attempt_id"])
    with TaskDatabaseConnection(order["store"], order["database"]) as tasks:
        attempt = tasks.execution_attempt_lookup(number, embed_task_object=True)
        if attempt is None or attempt.task_object is None:
            raise NoSuchEntryError("attempt", number)
        messages = EasLoggingHandler(tasks.database)
        messages.set_task_attempt_id(number)
        logging.getLogger().addHandler(messages)
        logging.getLogger().setLevel(logging.INFO)
        kind = str(attempt.task_object.task_type)
        try:
            job_handlers(tasks, [kind])[kind](attempt)
        finally:
            messages.close()


if __name__ == "__main__":
    main()
