"""Give the same result for the same input where other threads draw from C's random numbers too.

METIS seeds and reads `rand()`, of which a process has one for all its threads. The threads of
ZeroMQ read and seed it as well, each time a connection that was lost is tried again. In a process
that talks to others a division could so be another one each time. It is done in a child process
there, which takes 0.2 s more.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

from dlg.exceptions import WorkerDiedError

if TYPE_CHECKING:
    from dlg_translator.schedule.dag import Dag, Rows

DISTURBING = ("zmq",)
"""Packages whose threads draw from the random numbers of the whole process."""


class Divides(Protocol):
    """What divides, in this process, and can be pickled."""

    def divide_here(self, dag: Dag, wanted: int) -> Rows:
        """Return the part of each row of `dag`."""
        ...


def divided(how: Divides, dag: Dag, wanted: int) -> Rows:
    """Return what `how` finds when nobody else draws random numbers."""
    if any(package in sys.modules for package in DISTURBING):
        return _apart(how, dag, wanted)
    return how.divide_here(dag, wanted)


def _apart(how: Divides, dag: Dag, wanted: int) -> Rows:
    """Divide in a child process: both pickles are this program's own, through pipes."""
    asked = pickle.dumps((how, dag, wanted), protocol=pickle.HIGHEST_PROTOCOL)
    command = [sys.executable, "-c", f"from {__name__} import answer; answer()"]
    child = subprocess.run(command, input=asked, capture_output=True, check=False)
    if child.returncode:
        told = child.stderr.decode(errors="replace").strip()
        message = f"dividing the graph in a process of its own failed: {told}"
        raise WorkerDiedError(message)
    part_of: Rows = pickle.loads(child.stdout)  # noqa: S301  what our own child wrote
    return part_of


def answer() -> None:
    """Divide what standard input says, and write the parts to standard output."""
    how, dag, wanted = pickle.load(sys.stdin.buffer)  # noqa: S301  what our own parent wrote
    sys.stdout.buffer.write(pickle.dumps(how.divide_here(dag, wanted)))
