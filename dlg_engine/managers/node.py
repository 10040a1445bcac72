"""A node on a network: its manager, and the three ways in which others reach it.

Calls (`dlg.rpc`) are how managers above tell it what to do. News of ended drops come and go by
`events`, and contents of data by `data_channel`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dlg.drops.runners import Runner
from dlg.exceptions import NoDropException
from dlg.rpc import Address, Answerer, Keys, Peer, Transport
from dlg.rpc.proxy import CALLS, PROPERTIES
from dlg_engine.managers import cargo
from dlg_engine.managers.addresses import NodeAddress, read_address
from dlg_engine.managers.data_channel import DataClient, DataServer
from dlg_engine.managers.events import EventLinks
from dlg_engine.managers.news import News
from dlg_engine.managers.node_manager import NodeManager


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What nodes of a cluster share; without it they must be on one host."""

    token: str = ""
    keys: Keys | None = None


class Node:
    """A running node."""

    def __init__(
        self,
        address: NodeAddress,
        workdir: Path,
        runner: Runner,
        transport: Transport,
        *,
        bind: str = "127.0.0.1",
        secrets: Secrets | None = None,
    ) -> None:
        """Listen; ports that are 0 are found. Raises UsageError for one that cannot be had.

        `address` is how others reach the node, `bind` the interface on which it listens.
        """
        secrets = secrets or Secrets()
        self._transport = transport
        self._data_client = DataClient(token=secrets.token)
        self._peers: dict[str, Peer] = {}
        self._data_at: dict[str, Address] = {}
        self.data = DataServer(Address(bind, 0), self._provide, token=secrets.token)
        self.manager = NodeManager("", workdir, runner, courier=self, tell=self._tell)
        self.events = EventLinks(
            "", Address(bind, address.events_port), self.manager.hear,
            where=lambda node: read_address(node).events, keys=secrets.keys,
        )  # fmt: skip
        self._serving = transport.serve(
            Address(bind, address.rpc_port), Answerer(self.methods()).answer
        )
        self.address = address._replace(
            events_port=self.events.address.port, rpc_port=self._serving.address.port
        )
        self.manager.node = self.events.node = str(self.address)

    @property
    def name(self) -> str:
        """Return how others call it."""
        return str(self.address)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return what can be called from other nodes and from managers above."""
        manager = self.manager
        return {
            "about": self.about,
            "create_session": manager.create_session,
            "destroy_session": manager.destroy_session,
            "add_part": self.add_part,
            "deploy_session": manager.deploy_session,
            "trigger": lambda session_id, starts: manager.trigger(
                session_id, [oid for oids in starts.values() for oid in oids]
            ),
            "cancel_session": manager.cancel_session,
            "give_up": lambda session_id, why: manager.session(session_id).give_up(why),
            "session_status": lambda session_id: int(manager.session_status(session_id)),
            "sessions": self.sessions,
            "graph_status": self.graph_status,
            "summary": lambda session_id: manager.session(session_id).summary(),
            "drop": self.describe_drop,
            "forget_node": self.forget_node,
            "get_drop_property": self.get_drop_property,
            "call_drop": self.call_drop,
        }

    def about(self) -> dict[str, Any]:
        """Return what other nodes must know to reach this one, and that it lives."""
        return {"node": self.name, "data_port": self.data.address.port, "pid": os.getpid()}

    def add_part(
        self, session_id: str, node: str, packed: bytes, exports: dict[str, list[str]]
    ) -> None:
        """Add dropspecs (JSON) to a session, and say who waits for which of its drops."""
        del node  # for managers on the way here
        self.manager.add_graph(session_id, msgspec.json.decode(packed))
        self.manager.add_exports(session_id, exports)

    def sessions(self) -> dict[str, int]:
        """Return the state of each session."""
        return {one: int(self.manager.session_status(one)) for one in self.manager.session_ids}

    def graph_status(self, session_id: str) -> bytes:
        """Return the state of each drop as JSON."""
        return msgspec.json.encode(self.manager.graph_status(session_id))

    def get_drop_property(self, session_id: str, uid: str, name: str) -> Any:
        """Return a property of a drop; only those of `dlg.rpc.proxy.PROPERTIES`."""
        if name not in PROPERTIES:
            raise NoDropException(uid, f"{name!r} cannot be asked for from another node")
        return getattr(self.manager.drop(session_id, uid), name)

    def call_drop(self, session_id: str, uid: str, method: str, *args: Any) -> Any:
        """Call a method of a drop; only those of `dlg.rpc.proxy.CALLS`."""
        if method not in CALLS:
            raise NoDropException(uid, f"{method!r} cannot be called from another node")
        return getattr(self.manager.drop(session_id, uid), method)(*args)

    def describe_drop(self, session_id: str, oid: str) -> dict[str, Any]:
        """Return what there is to know of a drop."""
        drop = self.manager.drop(session_id, oid)
        failure = drop.failure
        return {
            "session": session_id,
            "oid": oid,
            "status": int(drop.status),
            "error": "" if failure is None else f"{type(failure).__name__}: {failure}",
            "stopped_by": drop.stopped_by,
            "logs": [],
        }

    def forget_node(self, node: str) -> None:
        """Let go of a node that is lost: of what was for it, and of what comes from it."""
        self.events.forget(node)
        self._peers.pop(node, None)
        address = self._data_at.pop(node, None)
        if address is not None:
            self._data_client.forget(address)

    def shutdown(self, deadline_s: float = 0.0) -> None:
        """Take nothing new, end the sessions and close everything."""
        self.manager.shutdown(deadline_s)
        self._serving.close()
        self.events.close()
        self.data.close()
        self._data_client.close()

    # -- to and from other nodes ---------------------------------------------------------------

    def _tell(self, node: str, news: News) -> None:
        self.events.tell(node, news)

    def bring(self, source: str, session_id: str, oid: str, into: Any) -> None:
        """Write what data `oid` of a session holds on node `source` into the drop `into`."""
        self._data_client.bring(self._data_address(source), session_id, oid, into)

    def _data_address(self, node: str) -> Address:
        found = self._data_at.get(node)
        if found is None:
            address = read_address(node)
            peer = self._peers.setdefault(node, Peer(self._transport, address.rpc))
            port = int(peer.call("about")["data_port"])
            found = self._data_at[node] = Address(address.host, port)
        return found

    def _provide(self, session_id: str, oid: str) -> Any:
        return cargo.outgoing(self.manager.drop(session_id, oid))
