"""The log of a session in its directory: a line of JSON for each record, with the drop it is of.

One handler serves all sessions of a process: which session and drop a record belongs to stands in
the context of the code that wrote it (`dlg.support.context`). A line is written at once and as a
whole, so that several processes may write to one file.
"""

from __future__ import annotations

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg.support import context

NAME = "session.log"
MOST_BYTES = 64 << 20
"""How big the log of a session gets; what comes then is left out, and a last line says so."""
MOST_TEXT = 64 << 10
"""How long one message may be."""
MOST_OPEN = 16
READ_BYTES = 16 << 20
"""How much is read of the end of a log."""
FULL = "the log is full: what follows is left out"


class SessionLogs(logging.Handler):
    """Writes records to the logs of the sessions that they belong to, if they do to any."""

    def __init__(
        self,
        directory_of: Callable[[str], Path | None],
        *,
        node: str = "",
        most_bytes: int = MOST_BYTES,
        join: bool = False,
    ) -> None:
        """`directory_of` gives the directory of a session; with `join` its log must be there."""
        super().__init__(logging.INFO)
        self.node = node
        self._directory_of, self._most, self._join = directory_of, most_bytes, join
        self._open: OrderedDict[Path, int] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record down; what cannot be written must not harm who logs."""
        session = context.session_id.get()
        directory = self._directory_of(session) if session else None
        if directory is None:
            return
        try:
            self._write(directory / NAME, self._line(record))
        except Exception:  # noqa: BLE001  as handlers of the standard library do
            self.handleError(record)

    def close(self) -> None:
        """Close all logs."""
        self.acquire()
        try:
            while self._open:
                os.close(self._open.popitem()[1])
        finally:
            self.release()
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        line = {
            "time": record.created,
            "level": record.levelname,
            "node": self.node,
            "drop": context.drop_uid.get(),
            "module": record.name,
            "function": record.funcName,
            "line": record.lineno,
            "message": text[:MOST_TEXT],
        }
        return json.dumps(line, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"

    def _write(self, path: Path, line: bytes) -> None:
        descriptor = self._descriptor(path)
        if descriptor is None:
            return
        size = os.fstat(descriptor).st_size
        if size > self._most:
            return
        if size + len(line) > self._most:
            last = {**json.loads(line), "level": "WARNING", "message": FULL}
            # It makes the log longer than it may get, by which it is known to be full.
            line = json.dumps(last).encode().ljust(self._most - size) + b"\n"
        os.write(descriptor, line)

    def _descriptor(self, path: Path) -> int | None:
        found = self._open.get(path)
        if found is not None:
            self._open.move_to_end(path)
            if os.fstat(found).st_nlink:
                return found
            os.close(self._open.pop(path))  # somebody has removed the directory, or the log
        create = 0 if self._join else os.O_CREAT
        try:
            found = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | create, 0o644)
        except FileNotFoundError:
            return None  # the directory is not there yet, or there is no log to join
        self._open[path] = found
        if len(self._open) > MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return found


@contextmanager
def attached(logs: SessionLogs) -> Iterator[SessionLogs]:
    """Let `logs` get the records of the whole process inside the `with`, from INFO on."""
    root = logging.getLogger()
    before = root.level
    root.addHandler(logs)
    root.setLevel(min(before or logging.WARNING, logging.INFO))
    try:
        yield logs
    finally:
        root.removeHandler(logs)
        root.setLevel(before)
        logs.close()


def read_log(
    directory: Path, *, drop: str = "", since: float = 0.0, most: int = 1000
) -> list[dict[str, Any]]:
    """Return the last `most` records of a session, or of one drop, oldest first.

    Those before the time `since` are of an earlier session of that name. Of a very long log only
    the end is read.
    """
    found = [
        one
        for one in _records(directory / NAME)
        if (not drop or one.get("drop") == drop) and one.get("time", since) >= since
    ]
    return found[-most:]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            start = max(0, os.fstat(file.fileno()).st_size - READ_BYTES)
            file.seek(start)
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines[1 if start else 0 :]:
        try:
            record = json.loads(line)
        except ValueError:  # the end of a line that is being written, or of another's making
            continue
        if isinstance(record, dict):
            yield record
