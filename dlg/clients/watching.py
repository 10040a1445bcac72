"""Looking at the sessions of a manager, at whichever level: `dlg.clients.events` follows one."""

from __future__ import annotations

from typing import Any

from dlg.clients.http import Link

Json = dict[str, Any]


def list_sessions(link: Link, *, limit: int = 100, after: str = "") -> Json:
    """Return how up to `limit` sessions stand, newest first, and after which the next page is."""
    return _get(link, "sessions", limit=limit, **({"after": after} if after else {}))


def states_since(link: Link, session_id: str, version: int = 0) -> Json:
    """Return the present version, and the states of drops that changed after `version`."""
    return _get(link, "sessions", session_id, "status", since=version)


def list_drops(
    link: Link, session_id: str, *, offset: int = 0, limit: int = 100, state: str = "",
    text: str = "",
) -> Json:  # fmt: skip
    """Return up to `limit` drops, those in a state or with a text, and how many there are."""
    chosen = {name: value for name, value in (("state", state), ("text", text)) if value}
    return _get(link, "sessions", session_id, "drops", offset=offset, limit=limit, **chosen)


def drop_logs(link: Link, session_id: str, oid: str, most: int = 1000) -> list[Json]:
    """Return the last lines that a drop has left in the log."""
    return list(_get(link, "sessions", session_id, "drops", oid, "logs", most=most)["logs"])


def preview(link: Link, session_id: str, oid: str, most: int = 4096) -> Json:
    """Return what the first bytes of data look like."""
    return _get(link, "sessions", session_id, "drops", oid, "preview", most=most)


def timeline(link: Link, session_id: str, most: int = 5000) -> Json:
    """Return when each app ran on which node."""
    return _get(link, "sessions", session_id, "timeline", most=most)


def session_log(link: Link, session_id: str) -> str:
    """Return the log of a session: above a node, that of all its nodes by time."""
    return str(link.get("v1", "sessions", session_id, "logs") or "")


def _get(link: Link, *path: str, **query: Any) -> Json:
    return dict(link.get("v1", *path, **query))
