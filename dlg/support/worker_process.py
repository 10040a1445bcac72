"""A worker process: it does what comes over its socket, one thing after the other.

It imports little, so that it is there soon: what a message needs is imported when the message is
opened. In a message is something with a method `perform`, which returns the answer, and the
`surroundings` whose log it writes to.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from dlg.support import context
from dlg.support.session_log import SessionLogs, attached

_PR_SET_PDEATHSIG = 1


def serve(descriptor: int, temporary: str, modules: tuple[str, ...] = ()) -> None:
    """Be a worker process: do the work that comes over socket `descriptor` until it is closed.

    Blocks of shared memory that nobody owns yet get names that begin with `temporary`. `modules`
    are imported while there is nothing else to do; of one that cannot be, whoever needs it hears.
    """
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process of the graph
    connection = Connection(descriptor)
    sys.path[:] = connection.recv()
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    at_work: list[Path] = []
    logs = SessionLogs(lambda _session: at_work[0] if at_work else None, join=True)
    with contextlib.suppress(EOFError, ConnectionError), attached(logs):
        while True:  # until the parent has no more work
            work = connection.recv().open()
            around = work.surroundings
            at_work[:] = [around.directory] if around.directory is not None else []
            with context.working_for(session=around.session_id):
                answer = work.perform(temporary)
            connection.send_bytes(pickle.dumps(answer, protocol=5))


def _end_with_parent() -> None:
    """Let this process be killed when the thread that started it ends, however it does (Linux).

    A function that never returns would never see that nobody waits for it any more.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
