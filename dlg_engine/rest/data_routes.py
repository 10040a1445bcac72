"""The route by which data of a session is read from outside, at whichever manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dlg.exceptions import NoDropException
from dlg.http.answers import BYTES, Answer, as_pieces
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg_engine.managers.contents import PIECE
from dlg_engine.managers.looking import at_node
from dlg_engine.rest.service import CompositeService, ManagerService, NodeService
from dlg_engine.rest.session_routes import OID, SESSION

Read = Callable[[int], bytes]
"""Gives a piece from an offset on; one that is not full is the last."""


def data(service: ManagerService, asked: Asked) -> Answer:
    """Give what is in completed data: bytes, of an object its pickle, of a directory a tar."""
    read = _reader(service, asked.text("s"), asked.text("oid"))
    return as_pieces(_pieces(read(0), read), BYTES)


def _reader(service: ManagerService, session_id: str, oid: str) -> Read:
    """Return what reads data, wherever it is below."""
    if isinstance(service, NodeService):
        return partial(service.node.contents.piece, session_id, oid)
    if not isinstance(service, CompositeService):
        raise NoDropException(oid, "this manager has no data")
    manager = service.manager
    session = manager.session(session_id)
    home = str(manager.graph(session_id).get(oid, {}).get("node") or "")
    # An island does not know the graphs that its master has cut, only which nodes have parts.
    nodes = [home] if home else list(session.nodes)

    def read(offset: int) -> bytes:
        while True:
            try:
                return bytes(at_node(manager, nodes[0], "data_piece", session_id, oid, offset))
            except NoDropException:
                if offset or len(nodes) == 1:
                    raise
                del nodes[0]

    if not nodes:
        raise NoDropException(oid)
    return read


def _pieces(first: bytes, read: Read) -> Iterator[bytes]:
    """Yield the pieces; the first has been read, so that what is wrong is told by the status."""
    offset, piece = 0, first
    while piece:
        yield piece
        offset += len(piece)
        piece = read(offset) if len(piece) == PIECE else b""


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "GET", "/api/v1/sessions/{s}/drops/{oid}/data", data, (SESSION, OID), tag="watching",
        kind=BYTES,
    ),
)  # fmt: skip
