"""A record served as a manager serves its sessions, to be looked at only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlg.exceptions import InvalidSessionState, NoDropException, NoSessionException
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg.reproducibility.evidence import Document
from dlg_engine.managers.records import Record, RecordedSession
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.told import all_states
from dlg_engine.rest import drop_routes, existing_routes, session_routes, view_routes, watch_routes
from dlg_engine.rest.service import ManagerService, sessions
from dlg_engine.rest.session_routes import DONE

Spec = Mapping[str, Any]
NOTHING_KNOWN: Mapping[str, Any] = {
    "error": None, "stopped_by": "", "phase": 0, "size": None, "dataURL": None,
    "reused": False,
}  # fmt: skip
NO_PREVIEW: Mapping[str, Any] = {
    "kind": "none", "type": "application/octet-stream", "text": "", "base64": "", "size": None,
    "whole": False,
}  # fmt: skip


class RecordedManager:
    """The one session of a record; everything that would change it is refused."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._session = RecordedSession(record)

    def reset(self) -> None:
        """Begin anew."""
        self._session = RecordedSession(self._record)

    @property
    def session_ids(self) -> list[str]:
        """Return its id."""
        return [self._session.session_id]

    def session(self, session_id: str) -> RecordedSession:
        """Return the session; raise NoSessionException for another one."""
        if session_id != self._session.session_id:
            raise NoSessionException(session_id)
        return self._session

    def graph(self, session_id: str) -> dict[str, Spec]:
        """Return the dropspecs by oid."""
        board = self.session(session_id).board
        return dict(zip(board.oids, board.specs, strict=True))

    def graph_size(self, session_id: str) -> int:
        """Return how many drops it has."""
        return self.session(session_id).size

    def graph_status(self, session_id: str) -> Mapping[str, Mapping[str, int]]:
        """Return the state of each drop."""
        return all_states(self.session(session_id).board)

    def create_session(self, session_id: str) -> None:
        """Refuse it."""
        raise _refusal(session_id)

    def destroy_session(self, session_id: str) -> None:
        """Refuse it."""
        raise _refusal(session_id)

    def add_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Refuse it."""
        del specs
        raise _refusal(session_id)

    def deploy_session(
        self,
        session_id: str,
        completed: Iterable[str] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        """Refuse it."""
        del completed, options
        raise _refusal(session_id)

    def cancel_session(self, session_id: str) -> None:
        """Refuse it."""
        raise _refusal(session_id)


def _refusal(session_id: str) -> InvalidSessionState:
    return InvalidSessionState(f"{session_id}: a record can be looked at, and nothing else")


class ReplayService(ManagerService):
    """A record as handlers see it."""

    def __init__(self, record: Record) -> None:
        self._manager = RecordedManager(record)

    @property
    def manager(self) -> RecordedManager:
        """Return what has the session."""
        return self._manager

    def info(self) -> dict[str, Any]:
        """Return its session."""
        return {"hosts": [], "sessionIds": self.manager.session_ids, "sessions": sessions(self)}

    def status(self, session_id: str) -> int:
        """Return how it ended."""
        return int(self.manager.session(session_id).state)

    def directory(self, session_id: str) -> dict[str, str]:
        """Return nothing: its files are elsewhere, if anywhere."""
        self.manager.session(session_id)
        return {}

    def evidence(self, session_id: str) -> Document:
        """Return the drops alone: a record has no evidence."""
        return [dict(self.manager.graph(session_id)), {}]

    def has_evidence(self, session_id: str) -> bool:
        """Return that there is none."""
        self.manager.session(session_id)
        return False

    def inspect(self, what: str, session_id: str, oid: str, *args: Any) -> Any:
        """Return what the record has of a drop."""
        del args
        record = self.manager.session(session_id).record
        known = record.details.get(oid, {})
        if what == "drop_state":
            return {**NOTHING_KNOWN, "uid": oid, **known.get("state", {})}
        if what == "drop_logs":
            return known.get("logs", [])
        if what == "drop_preview":
            return dict(NO_PREVIEW)
        raise NoDropException(oid, f"a record does not have its {what}")

    def logs(self, session_id: str) -> list[dict[str, Any]]:
        """Return what drops of the record have logged, in order of time."""
        record = self.manager.session(session_id).record
        lines = [
            {**line, "drop": oid}
            for oid, known in record.details.items()
            for line in known.get("logs", [])
        ]
        return sorted(lines, key=lambda line: float(line.get("time") or 0.0))


def cluster(service: ReplayService, _asked: Asked) -> Answer:
    """Tell that nobody is there: it is a record."""
    (session_id,) = service.manager.session_ids
    return as_json({
        "level": "node", "name": f"record of {session_id}", "url": "", "version": "",
        "islands": [], "nodes": [], "readonly": True,
    })  # fmt: skip


def reset(service: ReplayService, _asked: Asked) -> Answer:
    """Begin anew, as the existing system has it."""
    service.manager.reset()
    return as_json(DONE)


def _looking(routes: Iterable[Route[Any]]) -> tuple[Route[Any], ...]:
    return tuple(route for route in routes if route.method == "GET")


ROUTES: tuple[Route[Any], ...] = (
    *_looking(session_routes.ROUTES),
    *_looking(existing_routes.ROUTES),
    *watch_routes.ROUTES,
    *drop_routes.ROUTES,
    *view_routes.ROUTES,
    Route("GET", "/api/v1/cluster", cluster, tag="nodes"),
    Route("POST", "/api/reset", reset, tag="sessions"),
)
"""What a record answers."""
