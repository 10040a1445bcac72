"""Messages of attempts in the database, many at a time."""

from __future__ import annotations

import logging

from sqlalchemy import exc, insert

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import watching
from dlg_engine.tasks.schema import log_message
from dlg_engine.tasks.statements import repeated
from dlg_engine.tasks.task_database import TaskDatabaseConnection

MOST = 100
"""How many messages wait at most before they are written."""
LONGEST_S = 1.0
"""How long a message waits at most, if others follow it."""
LONGEST_MESSAGE = 4096


class EasLoggingHandler(logging.Handler):
    """Writes messages to the database of tasks: at once from ERROR on, others in batches.

    What is left is written by `flush`, and when the attempt changes or the handler is closed. A
    database that cannot be reached does not stop the task: `lost` counts what was not written.
    """

    def __init__(self, database: Database | None = None) -> None:
        super().__init__()
        self._owner: TaskDatabaseConnection | None = None
        if database is None:
            self._owner = TaskDatabaseConnection()
            database = self._owner.database
        self._database = database
        self._attempt_id: int | None = None
        self._waiting: list[dict[str, object]] = []
        self._since = 0.0
        self.lost = 0

    def set_task_attempt_id(self, attempt_id: int | None = None) -> None:
        """Say which attempt messages belong to from now on; None for none."""
        self.flush()
        self._attempt_id = attempt_id

    def emit(self, record: logging.LogRecord) -> None:
        """Take a message, with its arguments and traceback."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001  a message whose arguments do not fit, as logging does
            self.handleError(record)
            return
        if len(text) > LONGEST_MESSAGE:
            text = text[: LONGEST_MESSAGE - 3] + "..."
        if not self._waiting:
            self._since = clock.monotonic()
        self._waiting.append(
            {
                "attempt_id": self._attempt_id,
                "time": record.created,
                "severity": record.levelno,
                "message": text,
            }
        )
        late = clock.monotonic() - self._since > LONGEST_S
        if record.levelno >= logging.ERROR or len(self._waiting) >= MOST or late:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()
        try:
            rows, self._waiting = self._waiting, []
            if rows:
                repeated(lambda: self._write(rows))
        except exc.SQLAlchemyError:
            self.lost += len(rows)
        finally:
            self.release()

    def _write(self, rows: list[dict[str, object]]) -> None:
        with self._database.transaction() as session:
            session.execute(insert(log_message), rows)
        watching.tell(self._database)

    def close(self) -> None:
        """Write what waits, and close the database if it was opened here."""
        self.flush()
        if self._owner is not None:
            self._owner.close_db()
        super().close()
