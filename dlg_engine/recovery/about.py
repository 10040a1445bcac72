"""The files beside a session that say what it is: enough to run it again, or to look at it later.

.run/run.json       how it is run
.run/graph.msgpack  the graph, as it was read
.run/made.json      what its drops were made of
.run/outcome.json   what came of it, once it has ended
.run/journal        what it has done so far
.run/lock           held by the commands that its apps have started
.run/data           what it has made that is in memory and large
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from dlg.exceptions import RunError, UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import read_physical_graph
from dlg_engine.recovery.made import Made
from dlg_engine.reuse.files import write_whole

PLACE = ".run"
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_T = TypeVar("_T")


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is run."""

    session_id: str
    source: str
    """Where the graph came from."""
    began: float
    """Seconds since 1970."""
    runner: str = "threads"
    workers: int | None = None
    level: str = ""
    """The level at which it leaves evidence; empty for none."""
    store: str = ""
    """Where results are taken from and kept; empty for nowhere."""
    resumable: bool = False
    """Whether there is a journal, so that it can go on after its end."""
    compat: bool = False
    """Whether that evidence is what the existing system would leave."""
    code: list[str] = []
    """Where modules are imported from."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a session."""

    status: str
    ended: float
    statuses: bytes
    """The state of each drop, by rows."""
    reused: list[int] = []
    """Apps that did not run, as the store had what they make."""
    restored: list[int] = []
    """Apps that did not run, as the session had done so before."""
    errors: dict[int, str] = {}
    """What apps and data failed with."""
    again: dict[str, str] = {}
    """Apps that a session that went on has run once more, by their uids, and why."""
    left_alone: dict[int, str] = {}
    """Apps whose results are never taken from a store, and why."""


class About:
    """The files of one session."""

    def __init__(self, directory: Path) -> None:
        """`directory` is that of the session."""
        self.directory = directory
        self.place = directory / PLACE
        self.journal, self.lock = self.place / "journal", self.place / "lock"
        self.data = self.place / "data"

    @property
    def is_there(self) -> bool:
        """Whether the session has left anything to look at."""
        return (self.place / "run.json").is_file()

    def make(self) -> None:
        """Make the directory; raise `UsageError` if that is impossible."""
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {self.place}: {error.strerror}") from error

    def check_safe(self) -> None:
        """Raise `UsageError` if others could have written what is here: values in it are code."""
        about = self.place.stat()
        if about.st_uid != os.geteuid() or about.st_mode & _OTHERS_MAY_WRITE:
            raise UsageError(
                f"others may write to {self.place}, and values in it are code: it is not read. "
                "If it is yours and you trust what is in it: chmod go-w"
            )

    def write(self, name: str, value: Any) -> None:
        """Let a file hold `value`, whole or not at all."""
        encode = msgspec.json.encode if name.endswith(".json") else msgspec.msgpack.encode
        path = self.place / name
        try:
            write_whole(path, encode(value), path.with_name(f"{name}.{os.getpid()}"))
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}") from error

    def write_graph(self, graph: PhysicalGraph) -> None:
        """Keep a graph; raise `UsageError` if there are objects in it that no file can hold."""
        drops: list[Any] = [*graph.specs, *([graph.reprodata] if graph.reprodata else ())]
        try:
            self.write("graph.msgpack", drops)
        except (TypeError, OverflowError) as error:
            text = "a graph with objects in it cannot be kept, and its run not be resumed"
            raise UsageError(f"{text}: {error}") from error

    def graph(self, *, runs_here: bool = True) -> PhysicalGraph:
        """Return the graph of the session, to be run or only to be looked at."""
        specs, source = self._read("graph.msgpack", list[Any]), self.how().source
        return read_physical_graph(specs, source, runs_here=runs_here)

    def how(self) -> How:
        """Return how the session is run; raise `UsageError` if it has left nothing."""
        return self._read("run.json", How)

    def made(self) -> Made:
        """Return what the drops of the session were made of when it ran last."""
        return self._read("made.json", Made)

    def outcome(self) -> Outcome | None:
        """Return what came of the session; None if it has not ended by itself."""
        if not (self.place / "outcome.json").is_file():
            return None
        return self._read("outcome.json", Outcome)

    def forget_outcome(self) -> None:
        """Take away what came of an earlier run of the session."""
        (self.place / "outcome.json").unlink(missing_ok=True)

    def _read(self, name: str, kind: type[_T]) -> _T:
        path = self.place / name
        decode = msgspec.json.decode if name.endswith(".json") else msgspec.msgpack.decode
        try:
            return decode(path.read_bytes(), type=kind)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise UsageError(f"{path} is not what a session writes: {error}") from error
