"""A graph on its way to a manager: a session that has all of it, or no session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dlg.clients import ManagerClient
from dlg.exceptions import DaliugeException
from dlg.reproducibility.levels import Level
from dlg_translator.model.spec_texts import texts_of

MOST_BYTES = 1 << 25
"""About how much of a graph goes in one request: neither side holds more of it as one text."""


def submit_graph(
    client: ManagerClient,
    session_id: str,
    specs: Iterable[Mapping[str, Any]],
    level: Level | None = None,
    *,
    reuse: bool = False,
) -> None:
    """Create a session, give it the graph and start it; evidence is kept at `level`.

    With `reuse` nodes take results from their stores.

    Raises what the manager refuses; the session is gone then.
    """
    client.create_session(session_id)
    try:
        for body in bodies(specs):
            client.link.ask("POST", ("sessions", session_id, "graph", "append"), body)
        client.deploy_session(session_id, reproducibility=level, reuse=reuse)
    except BaseException as error:
        try:
            client.destroy_session(session_id)
        except DaliugeException as second:
            error.add_note(f"the session {session_id} could not be deleted either: {second}")
        raise


def bodies(specs: Iterable[Mapping[str, Any]], most: int = MOST_BYTES) -> Iterator[bytes]:
    """Yield JSON lists that together are the list of `specs`, each of about `most` bytes."""
    waiting: list[str] = []
    size = 0
    for texts in texts_of(specs):
        waiting += texts
        size += sum(map(len, texts))
        if size >= most:
            yield _body(waiting)
            waiting, size = [], 0
    if waiting:
        yield _body(waiting)


def _body(texts: list[str]) -> bytes:
    # They lack their closing braces, so that something could have been added.
    return f"[{'},'.join(texts)}}}]".encode()
