"""How a proxy and a monitor prove to each other that they know the same token, and never send it.

Each side makes up a number; a proof is the HMAC of both numbers and the proxy's id under a key
that is derived from the token. What one side proves, the other cannot use as its own proof.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import msgspec

from dlg.exceptions import UsageError

VERSION = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
RESERVED = frozenset({"api", "health", "session", "static"})
"""What addresses of the monitor itself begin with."""
PURPOSE = b"dlg proxy and monitor, 1"


class RefusedError(UsageError):
    """The other side does not accept this one, or is not to be trusted; why, says the text."""


class Hello(msgspec.Struct, forbid_unknown_fields=True):
    """What a monitor says first."""

    monitor: int
    """The version of what it speaks."""
    nonce: str


class Join(msgspec.Struct, forbid_unknown_fields=True):
    """What a proxy answers."""

    id: str
    nonce: str
    proof: str


class Welcome(msgspec.Struct, forbid_unknown_fields=True):
    """What the monitor says to that: it takes the proxy, or says why not."""

    proof: str = ""
    url: str = ""
    """Where the manager behind the proxy is found from now on."""
    refused: str = ""


def check_id(name: str) -> None:
    """Raise UsageError for what cannot be the id of a proxy."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise UsageError(
            f"{name!r} cannot be the id of a proxy: up to 63 letters, digits, dots and dashes "
            f"can, but not {', '.join(sorted(RESERVED))}"
        )


def new_nonce() -> str:
    """Return a number that was never there."""
    return secrets.token_hex(32)


def link_key(token: str) -> bytes:
    """Return the key of the proofs."""
    return hmac.digest(token.encode(), PURPOSE, "sha256")


def proof(key: bytes, side: str, hello: str, join: str, name: str) -> str:
    """Return the proof of one `side` ("proxy" or "monitor"), for both numbers and the id."""
    said = "\n".join((side, hello, join, name)).encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def is_proof(shown: str, expected: str) -> bool:
    """Return whether a proof is the right one, in the same time whatever it is."""
    return hmac.compare_digest(shown.encode(), expected.encode())
