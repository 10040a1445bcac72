"""A node on a network: its manager, and the three ways in which others reach it.

Calls (`dlg.rpc`) are how managers above tell it what to do. News of ended drops come and go by
`events`, and contents of data by `data_channel`.
"""

from __future__ import annotations

import os
import ssl
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dlg.drops.runners import Runner
from dlg.exceptions import NoDropException
from dlg.rpc import Address, Answerer, Keys, Peer, Transport
from dlg.rpc.proxy import CALLS, PROPERTIES
from dlg.support import clock
from dlg_engine.managers import cargo, facts
from dlg_engine.managers.addresses import NodeAddress, read_address
from dlg_engine.managers.contents import Contents
from dlg_engine.managers.data_channel import DataClient, DataServer
from dlg_engine.managers.events import EventLinks
from dlg_engine.managers.evidence import evidence_look_ups
from dlg_engine.managers.inspecting import inspect_node
from dlg_engine.managers.looking import look_ups
from dlg_engine.managers.news import News
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.orphans import Orphans
from dlg_engine.managers.reusing import look_for_changes, reuse_look_ups
from dlg_engine.managers.run_options import read_options
from dlg_engine.managers.subscriptions import arrange, read_relations


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What nodes of a cluster share; without it they must be on one host."""

    token: str = field(default="", repr=False)
    keys: Keys | None = field(default=None, repr=False)
    tls_server: ssl.SSLContext | None = None
    tls_client: ssl.SSLContext | None = None
    trusting: bool = False
    """Whether objects are taken from whoever answers: nobody else is on the network."""


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
        self._data_client = DataClient(
            token=secrets.token, tls=secrets.tls_client, trusting=secrets.trusting
        )
        self._peers: dict[str, Peer] = {}
        self._data_at: dict[str, Address] = {}
        self.data = DataServer(
            Address(bind, 0), self._provide, token=secrets.token, tls=secrets.tls_server
        )
        self.manager = NodeManager("", workdir, runner, courier=self, tell=self._tell)
        self.orphans = Orphans(
            self.manager.session_status, lambda one, why: self.manager.session(one).give_up(why)
        )
        self.contents = Contents(self.manager)
        self.events = EventLinks(
            "", Address(bind, address.events_port), self.manager.hear,
            where=lambda node: read_address(node).events, keys=secrets.keys,
        )  # fmt: skip
        self.answerer = Answerer(self.methods())
        self._serving = transport.serve(Address(bind, address.rpc_port), self.answerer.answer)
        self.address = address._replace(
            events_port=self.events.address.port, rpc_port=self._serving.address.port
        )
        self.manager.node = self.events.node = str(self.address)
        self.url = f"http://{address.host}:{address.port}"
        """Where its REST is."""
        self._since = clock.now()
        self.life = uuid.uuid4().hex
        """Another one each time it is started."""

    @property
    def name(self) -> str:
        """Return how others call it."""
        return str(self.address)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return what can be called from other nodes and from managers above."""
        manager = self.manager
        return {
            "about": self.about,
            "create_session": self.create_session,
            "destroy_session": manager.destroy_session,
            "add_part": self.add_part,
            "deploy_session": self.deploy_session,
            "trigger": lambda session_id, starts: manager.trigger(
                session_id, [oid for oids in starts.values() for oid in oids]
            ),
            "cancel_session": manager.cancel_session,
            "end_at_rest": lambda session_id: manager.session(session_id).end_at_rest(),
            "give_up": lambda session_id, why: manager.session(session_id).give_up(why),
            "session_status": lambda session_id: int(manager.session_status(session_id)),
            **look_ups(manager),
            **evidence_look_ups(manager),
            **reuse_look_ups(manager),
            "data_piece": self.contents.piece,
            "graph_status": self.graph_status,
            "changes": manager.waiting.changes,
            "inspect": lambda _node, what, *args: inspect_node(manager, what, *args),
            "check_data": self.check_data,
            "forget_node": self.forget_node,
            "get_drop_property": self.get_drop_property,
            "call_drop": self.call_drop,
        }

    def about(self) -> dict[str, Any]:
        """Return what other nodes must know to reach this one, and that it lives."""
        self.orphans.heard()
        told = {"node": self.name, "data_port": self.data.address.port, "pid": os.getpid(),
                "life": self.life}  # fmt: skip
        return {**told, "facts": self.facts()}

    def create_session(self, session_id: str) -> None:
        """Create a session for a manager above; it does not outlive that for long."""
        self.manager.create_session(session_id)
        self.orphans.watch(session_id)

    def facts(self) -> dict[str, Any]:
        """Return what the node has and how busy it is."""
        return facts.of_node(self.manager, self.url, self._since)

    def add_part(
        self, session_id: str, node: str, packed: bytes, exports: dict[str, list[str]]
    ) -> None:
        """Add dropspecs (JSON) to a session, and say who waits for which of its drops."""
        del node  # for managers on the way here
        self.manager.add_graph(session_id, msgspec.json.decode(packed))
        self.manager.add_exports(session_id, exports)

    def deploy_session(
        self,
        session_id: str,
        completed: list[str] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Start a session for a manager above."""
        self.manager.deploy_session(session_id, completed, read_options(options))

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

    def check_data(self, session_id: str) -> dict[str, int]:
        """Look whether the data of a session is all there; return the phases of what was not."""
        live = self.manager.session(session_id).live
        found = {} if live is None else self.manager.life.check(live)
        return {uid: int(phase) for uid, phase in found.items()}

    def subscribe(self, session_id: str, document: Any) -> None:
        """Take note of links to other nodes that a manager of the existing system has cut.

        The session then starts nothing by itself: it waits for `trigger` and for news.
        """
        session = self.manager.session(session_id)
        relations = {
            str(self._peer(node).call("about")["node"]): listed
            for node, listed in read_relations(document).items()
        }

        def specs_of(node: str, oids: Sequence[str]) -> Mapping[str, Any]:
            found = self._peer(node).call("drop_specs", session_id, list(oids))
            return dict(msgspec.json.decode(found))

        plan = arrange(self.name, session.own_specs(), relations, specs_of)
        self.manager.add_graph(session_id, plan.stand_ins)
        for data, kind, app in plan.links:
            self.manager.add_link(session_id, data, kind, app)
        self.manager.add_exports(session_id, plan.exports)
        session.waits_for_trigger = True

    def forget_node(self, node: str) -> None:
        """Let go of a node that is lost: of what was for it, and of what comes from it."""
        self.events.forget(node)
        self._peers.pop(node, None)
        address = self._data_at.pop(node, None)
        if address is not None:
            self._data_client.forget(address)

    def shutdown(self, deadline_s: float = 0.0) -> None:
        """Take nothing new, end the sessions and close everything."""
        self.orphans.close()
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
        look_for_changes(self.manager.session(session_id), self._peer(source), oid, into.oid)

    def _peer(self, node: str) -> Peer:
        return self._peers.setdefault(node, Peer(self._transport, read_address(node).rpc))

    def _data_address(self, node: str) -> Address:
        found = self._data_at.get(node)
        if found is None:
            address = read_address(node)
            port = int(self._peer(node).call("about")["data_port"])
            found = self._data_at[node] = Address(address.host, port)
        return found

    def _provide(self, session_id: str, oid: str) -> Any:
        return cargo.outgoing(self.manager.drop(session_id, oid))
