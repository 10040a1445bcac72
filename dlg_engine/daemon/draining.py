"""What a node does between being told to end and ending."""

from __future__ import annotations

from dlg.support import clock
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.sessions.states import SessionStates


def drain(manager: NodeManager, deadline_s: float) -> None:
    """Let a manager take no new sessions, and give running ones so many seconds to end."""
    end_s = clock.monotonic() + deadline_s
    manager.draining = True
    for session_id in manager.session_ids:
        if manager.session_status(session_id) is SessionStates.RUNNING:
            manager.wait(session_id, max(0.0, end_s - clock.monotonic()))
