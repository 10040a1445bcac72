"""What managers tell those above who follow their sessions, nodes and islands alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from dlg_engine.managers.boards import PACKED, TIMES
from dlg_engine.managers.composite_session import GONE, MOST_CHANGES, CompositeSession
from dlg_engine.managers.recorded import RecordedSession
from dlg_engine.managers.waiting import News, Source, Waiting, Wanted
from dlg_engine.sessions.states import OVER, SessionStates

NOTHING: Mapping[str, Any] = {
    "changes": b"", "times": b"", "more": False, "steps": -1, "failures": 0, "errors": [],
    "reused": 0, "started": None, "ended": None, "settled": True, "rest": None,
}  # fmt: skip


def waiting_at_node(sessions: Mapping[str, RecordedSession]) -> Waiting:
    """Return the calls of those who follow sessions of a node."""
    return _waiting(
        sessions, lambda session, _node, since, failures: _told(session, since, failures)
    )


def waiting_at_island(sessions: Mapping[str, CompositeSession]) -> Waiting:
    """Return the calls of those who follow sessions that went through an island."""
    return _waiting(sessions, _island_told)


def _waiting(
    sessions: Mapping[str, Any], tell: Callable[[Any, str, int, int], dict[str, Any]]
) -> Waiting:
    def look(wanted: Wanted) -> News:
        found: News = {}
        for session_id, nodes in wanted.items():
            session = sessions.get(session_id)
            for node, (known, steps, failures, rest) in nodes.items():
                told = _gone(known) if session is None else tell(session, node, known, failures)
                fresh = told["changes"] or told["steps"] != steps or told["failures"] != failures
                if fresh or (told["rest"] and told["rest"][0] != rest):
                    found.setdefault(session_id, {})[node] = told
        return found

    def sources(ids: Iterable[str]) -> list[Source]:
        return [sessions[one] for one in ids if one in sessions]

    return Waiting(look, sources)


def _gone(since: int) -> dict[str, Any]:
    return {**NOTHING, "since": since, "state": int(SessionStates.FAILED), "reason": GONE}


def _island_told(
    session: CompositeSession, node: str, since: int, _failures: int
) -> dict[str, Any]:
    feed = session.feeds.get(node)
    if feed is None:  # its deployment has not come here yet, or failed on the way
        over = session.state in OVER
        return {**NOTHING, "since": since, "steps": int(over), "settled": over,
                "state": int(session.state), "reason": session.reason}  # fmt: skip
    return feed.told(since)


def _told(session: RecordedSession, since: int, known_failures: int) -> dict[str, Any]:
    # First how it stands, then the changes: who is told that it has settled has them all.
    settled, steps, state = session.settled, session.bell.steps, session.state
    rest = session.rest()
    live = session.live
    failures = 0 if live is None else len(live.flow.failures)
    packed, times = session.journal.columns(since, MOST_CHANGES)
    return {
        "since": since,
        "changes": np.array(packed, dtype=PACKED).tobytes(),
        "times": np.array(times, dtype=TIMES).tobytes(),
        "more": since + len(times) < session.journal.version,
        "steps": steps,
        "state": int(state),
        "reason": session.reason,
        "failures": failures,
        "reused": session.reused,
        # How much each has stopped is known in the end only.
        "errors": session.errors() if settled or failures != known_failures else None,
        "started": session.started_s,
        "ended": session.ended_s,
        "settled": settled,
        "rest": None if rest is None else [rest.number, rest.sent, rest.taken],
    }
