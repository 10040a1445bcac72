"""What a session leaves behind so that its run can be compared with others: `reprodata.out`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from dlg.ddap_protocol import DROPStates
from dlg.drops.hashing import hash_written
from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner
from dlg.exceptions import DaliugeException, RunError, UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.evidence import Document, Ended, ends_of, strict_document
from dlg.reproducibility.levels import Level
from dlg.reproducibility.verify import with_digest
from dlg.support import clock
from dlg.support.content import hash_of, hash_of_directory, hash_of_file
from dlg_engine.sessions.timing import Times, TimingRunner

FILE = "reprodata.out"
WORKFLOW = "workflow"
"""The folder beside it, with the file that the graph came from."""


class Witness:
    """Keeps evidence of one run: of what it read when it began, of what came out when it ended."""

    expires: ClassVar[bool] = True
    """Whether data may be let go before the end of the run."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.records: Mapping[str, Mapping[str, Any]] = {}
        """What is known of each drop, by oid, once the run has ended."""
        self.workflow: Path | None = None
        """The file that the graph came from, which is kept beside the evidence."""
        self.data: Mapping[str, Any] = {}
        """What is known of the run as a whole, once it has ended."""
        self._graph: PhysicalGraph | None = None
        self._contents: dict[int, str] = {}
        self._times: Times = {}
        self._began = 0.0
        self._kept: Mapping[str, Any] = {}

    def watch(self, runner: Runner) -> Runner:
        """Return a runner that does what `runner` does, and lets the times of apps be known."""
        return TimingRunner(runner, self._times)

    def begin(self, graph: PhysicalGraph, live: LiveGraph) -> None:
        """Look at the files that a graph is about to read, before anybody can change them."""
        self._graph, self._began = graph, clock.now()
        directory = live.surroundings.directory
        if self.workflow is not None and directory is not None:
            self._kept = {"workflow": keep_workflow(self.workflow, directory)}
        before = graph.neighbours[1]
        hash_written(live, (row for row in self._ends(graph) if before[row]))
        for row in self._ends(graph):
            if not before[row]:
                found = _content_on_disk(live.drop(row))
                if found is not None:
                    self._contents[row] = found

    def end(self, live: LiveGraph, directory: Path) -> Path:
        """Write what came of the run into `directory`; return the path of the file.

        Raises RunError if it cannot be written; what is known is known all the same.
        """
        graph = self._graph
        if graph is None:
            raise RuntimeError("evidence of a run is kept from its beginning")
        statuses = list(live.flow.status)[: len(graph)]
        for row in self._ends(graph):
            if row not in self._contents:
                found = _content(live, row, statuses[row])
                if found is not None:
                    self._contents[row] = found
        document = self._document(graph, Ended(statuses, self._contents))
        self._tell_run(document, live, graph, directory.name)
        drops, self.data = document
        self.records = {oid: spec["reprodata"] for oid, spec in drops.items()}
        path = directory / FILE
        try:
            write_document(document, path)
        except OSError as error:
            raise RunError(f"the evidence of the run cannot be written: {error}") from error
        return path

    def _ends(self, graph: PhysicalGraph) -> Iterable[int]:
        """Return the rows of data whose content is needed."""
        return ends_of(graph)

    def _document(self, graph: PhysicalGraph, ended: Ended) -> Document:
        return strict_document(graph, self.level, ended)

    def _tell_run(
        self, document: Document, live: LiveGraph, graph: PhysicalGraph, session_id: str
    ) -> None:
        """Add to a document when and where things happened, which enters no signature."""
        drops, data = document
        more = {**data.get("run", {}), **self._kept}
        data["run"] = run_told(session_id, self._began, clock.now(), more)
        has_path = [hasattr(cls, "path") for cls in live.classes]
        for row, oid in enumerate(graph.oids):
            if oid not in drops:
                continue
            record = drops[oid]["reprodata"]
            if row in self._times:
                record["times"] = self._times[row]
            elif has_path[live.class_ids[row]]:
                record["path"] = str(live.drop(row).path)


def keep_workflow(source: Path, directory: Path) -> dict[str, str]:
    """Keep the file that a graph came from beside the evidence of its run; return what is told.

    Raises UsageError if that is not possible.
    """
    try:
        content = source.read_bytes()
        kept = directory / WORKFLOW / source.name
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot keep a copy of {source}: {error}") from error
    return {"file": f"{WORKFLOW}/{source.name}", "content": hash_of(content)}


def run_told(
    session_id: str, began: float | None, ended: float | None, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is told of a run besides what came of it; times are seconds since 1970 UTC."""
    told = {"session_id": session_id, "began": began, "ended": ended, "version": version("dlg")}
    return {**told, **more}


def write_document(document: Document, path: Path) -> None:
    """Write what a run leaves behind, with a hash of it all; see `dlg.reproducibility.verify`.

    Who looks meanwhile sees nothing, or what was there before, but no half of it.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(with_digest(document))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _content_on_disk(drop: Any) -> str | None:
    """Return the hash of the file or directory of a drop; None if there is none."""
    path = getattr(drop, "path", None)
    if path is None:
        return None
    place = Path(path)
    try:
        return hash_of_directory(place) if place.is_dir() else hash_of_file(place)
    except OSError:
        return None  # it is the run that fails, if it needs it


def _content(live: LiveGraph, row: int, status: int) -> str | None:
    """Return the hash of the content of data that have ended; None if nobody can tell it.

    Data without content are known by how they ended.
    """
    if status != DROPStates.COMPLETED:
        return f"none:{DROPStates(status).name}"
    drop = live.drop(row)
    found = drop.known_hash or _content_on_disk(drop)
    if found is not None:
        return found
    try:
        return hash_of(drop.contents())
    except (DaliugeException, OSError):
        return None
