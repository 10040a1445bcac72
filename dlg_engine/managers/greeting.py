"""How two nodes begin a connection for data: each shows that it knows the token of the cluster.

The token itself is never sent: both answer a riddle that the other has made up for this one
connection. The side that connects must know as much as the other, as it will open what it gets.
"""

from __future__ import annotations

import hmac
import secrets
import socket

from dlg_engine.managers.wire import WireError, receive_frame, send_frame

RIDDLE = 32
"""Bytes of a riddle, and of an answer."""
_LISTENING, _CONNECTING = b"dlg data, the side that listens", b"dlg data, the side that connects"


class StrangerError(Exception):
    """The other side does not know the token."""


def greet(link: socket.socket, token: str) -> None:
    """Begin a connection; raise StrangerError if the other side does not know the token."""
    own = secrets.token_bytes(RIDDLE)
    send_frame(link, own)
    said = receive_frame(link, 2 * RIDDLE)
    theirs, proof = said[:RIDDLE], said[RIDDLE:]
    if not hmac.compare_digest(proof, _answer(token, _LISTENING, own, theirs)):
        raise StrangerError
    send_frame(link, _answer(token, _CONNECTING, own, theirs))


def welcome(link: socket.socket, token: str) -> None:
    """Take a connection; raise StrangerError if the other side does not know the token."""
    theirs = receive_frame(link, RIDDLE)
    if len(theirs) != RIDDLE:
        raise WireError("it does not begin as nodes begin")
    own = secrets.token_bytes(RIDDLE)
    send_frame(link, own + _answer(token, _LISTENING, theirs, own))
    if not hmac.compare_digest(
        receive_frame(link, RIDDLE), _answer(token, _CONNECTING, theirs, own)
    ):
        raise StrangerError


def _answer(token: str, side: bytes, connecting: bytes, listening: bytes) -> bytes:
    return hmac.digest(token.encode(), side + connecting + listening, "sha256")
