"""How a session stands that runs on several nodes: what they say, put together."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dlg_engine.managers.composite import CompositeManager
from dlg_engine.sessions.states import SessionStates

MOST_ERRORS = 100


def summarise(manager: CompositeManager, session_id: str) -> dict[str, Any]:
    """Return state, drops by state, what failed where, and why a session ended as it did."""
    session = manager.session(session_id)
    state = manager.session_state(session_id)
    counts: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    reasons = [session.reason] if session.reason else []
    if state >= SessionStates.RUNNING:
        children = list(dict.fromkeys(map(manager.roster.child, session.nodes)))
        for name, found in manager.calls.try_all(children, "summary", session_id).items():
            counts.update(found["counts"])
            errors += [{"node": name, **error} for error in found["errors"]]
            if found["reason"] and found["reason"] not in reasons:
                reasons.append(found["reason"])
    own = [error for error in errors if not error["elsewhere"]]
    return {
        "status": int(state),
        "counts": dict(counts),
        "errors": (own or errors)[:MOST_ERRORS],
        "reason": "; ".join(reasons),
        "nodes": session.nodes,
    }
