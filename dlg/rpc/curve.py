"""Keys that authenticate both ends of a ZeroMQ socket (CURVE), and who is let in by them.

All nodes of a cluster share one pair of keys. A server proves to know it by answering at all. Of
clients CURVE itself asks nothing but the public key of the server; so a server lets in only those
who have the pair, by the protocol in which ZeroMQ asks for such decisions (ZAP).
"""

from __future__ import annotations

import hashlib
from typing import Any

from dlg.rpc.contract import Keys

ZAP = "inproc://zeromq.zap.01"
"""Where ZeroMQ asks, in each of its contexts."""
_SALT = b"dlg CURVE keys from a token"


def new_pair() -> tuple[str, str]:
    """Return a new public key and the secret one that belongs to it."""
    import zmq  # noqa: PLC0415  slow to import, and few need it

    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


def keys_of(public: str, secret: str) -> Keys:
    """Return the keys of a cluster whose nodes share one pair."""
    return Keys(public.encode(), secret.encode(), public.encode())


def keys_from_token(token: str) -> Keys:
    """Return the keys that everybody makes who has the same token."""
    import zmq  # noqa: PLC0415  as above
    from zmq.utils import z85  # noqa: PLC0415  as above

    made = hashlib.scrypt(token.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=32)
    secret = z85.encode(made)
    public = zmq.curve_public(secret)
    return Keys(public, secret, public)


def secure(socket: Any, keys: Keys, *, serving: bool) -> None:
    """Give keys to a socket, which is not bound or connected yet."""
    import zmq  # noqa: PLC0415  as above

    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    if serving:
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        # The domain says whom to let in, so that whoever is asked need not know the servers; and
        # where nobody is asked, nobody is let in.
        socket.setsockopt(zmq.ZAP_DOMAIN, keys.server)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    else:
        socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server)


def verdict(question: list[bytes]) -> list[bytes]:
    """Return the answer to a question of ZeroMQ: whether a client may come in."""
    from zmq.utils import z85  # noqa: PLC0415  as above

    version, number, domain, _address, _identity, mechanism, *shown = question
    # Public keys: how long the comparison takes tells nothing.
    allowed = mechanism == b"CURVE" and z85.encode(shown[0]) == domain
    status, text = (b"200", b"OK") if allowed else (b"400", b"no member of the cluster")
    return [version, number, status, text, b"member" if allowed else b"", b""]
