"""Calls between nodes: the front door.

One process offers a table of methods (`Answerer`), another calls them (`Peer`), and a transport
carries packed bytes between the two: zerorpc between processes, or nothing at all within one.
"""

from __future__ import annotations

from dlg.rpc.answering import Answerer, LateCallError, OtherLifeError, UnknownMethodError
from dlg.rpc.calling import Peer
from dlg.rpc.contract import Address, CallTimeoutError, Keys, PeerLostError, Serving, Transport
from dlg.rpc.failures import RemoteError
from dlg.rpc.in_process import InProcessTransport
from dlg.rpc.messages import PackingError
from dlg.rpc.over_zerorpc import ZeroRPCTransport
from dlg.rpc.proxy import (
    DropProxy,
    RPCClient,
    RPCClientBase,
    RPCObject,
    RPCServer,
    RPCServerBase,
    ZeroRPCClient,
    ZeroRPCServer,
)

__all__ = [
    "Address",
    "Answerer",
    "CallTimeoutError",
    "DropProxy",
    "InProcessTransport",
    "Keys",
    "LateCallError",
    "OtherLifeError",
    "PackingError",
    "Peer",
    "PeerLostError",
    "RPCClient",
    "RPCClientBase",
    "RPCObject",
    "RPCServer",
    "RPCServerBase",
    "RemoteError",
    "Serving",
    "Transport",
    "UnknownMethodError",
    "ZeroRPCClient",
    "ZeroRPCServer",
    "ZeroRPCTransport",
]
