"""Taking managers below in and letting them go, as they come, die and return."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from dlg.exceptions import DaliugeException, SubManagerException
from dlg.rpc import Address, Peer, Transport
from dlg_engine.managers.addresses import ISLAND_PORT, NODE_PORT, read_address
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.heartbeat import Heartbeat
from dlg_engine.managers.liveness import INTERVAL_S, LIMIT_S

logger = logging.getLogger(__name__)

HELLO_S = 5.0
"""How long somebody who is to be taken in may take to answer."""


class Below:
    """The managers below a composite manager: nodes, or islands with their nodes."""

    def __init__(
        self,
        transport: Transport,
        *,
        islands: bool = False,
        interval_s: float = INTERVAL_S,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._transport, self._islands = transport, islands
        self._peers: dict[str, Peer] = {}
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self.manager = CompositeManager(self.peer)
        self.heartbeat = Heartbeat(
            self.peer,
            lost=self._lose,
            returned=self._take_back,
            heard=self._learn,
            interval_s=interval_s,
            limit_s=limit_s,
        )

    def peer(self, name: str) -> Peer:
        """Return a manager below, to be called."""
        with self._lock:
            found = self._peers.get(name)
            if found is None:
                found = self._peers[name] = Peer(self._transport, self._rpc_of(name))
            return found

    def _rpc_of(self, name: str) -> Address:
        return read_address(name, ISLAND_PORT if self._islands else NODE_PORT).rpc

    def add(self, text: str) -> str:
        """Take in a manager that answers, with what its nodes run; return its name.

        Raises UsageError for a text that names none, SubManagerException if it does not answer.
        """
        name = self._take_in(text)
        self.manager.adoption.look(self.manager.roster.below(name))
        return name

    def _take_in(self, text: str) -> str:
        name = str(read_address(text, ISLAND_PORT if self._islands else NODE_PORT))
        try:
            about = self.peer(name).call("about", timeout_s=HELLO_S)
        except DaliugeException as error:
            raise SubManagerException(
                f"{name} does not answer: {error}", {name: str(error)}
            ) from error
        for node in about["nodes"] if self._islands else [name]:
            self.manager.roster.add(str(node), name)
        self.heartbeat.watch(name, about)
        logger.info("%s was taken in", name, extra={"action": "node-added"})
        return name

    def expect(self, text: str) -> None:
        """Take in a manager that answers, or wait for it to do so."""
        try:
            self.add(text)
        except SubManagerException as error:
            name = str(read_address(text, ISLAND_PORT if self._islands else NODE_PORT))
            logger.warning("%s; it is taken in when it does", error)
            self.heartbeat.expect(name)

    def look_again(self, name: str) -> None:
        """Take note at once of what has changed below an island."""
        self._learn(name, self.peer(name).call("about", timeout_s=HELLO_S))

    def _learn(self, name: str, about: Mapping[str, Any]) -> None:
        """Take note of the nodes that came to an island, or left it."""
        self.manager.calls.settle(name)
        if not self._islands or name in self.heartbeat.lost:
            return
        roster = self.manager.roster
        told, known = [str(node) for node in about["nodes"]], roster.below(name)
        new = [node for node in told if node not in known]
        for node in new:
            roster.add(node, name)
        self.manager.adoption.look_later(new)  # this is the thread of the heartbeat
        for node in known:
            if node not in told:
                self.manager.losses.lose([node], f"is no longer of island {name}")

    def remove(self, name: str) -> None:
        """Let a manager go; its sessions are told that it left."""
        with self._changing:
            self.heartbeat.forget(name)
        self._lose(name, "was removed")
        self.manager.calls.forget(name)
        self._transport.forget(self._rpc_of(name))
        with self._lock:
            self._peers.pop(name, None)

    def close(self) -> None:
        """Watch nobody any more."""
        self.heartbeat.close()
        self.manager.close()

    def _lose(self, name: str, why: str) -> None:
        self.manager.calls.give_up(name)
        text = f"is below island {name}, which {why}" if self._islands else why
        self.manager.losses.lose(self.manager.roster.below(name), text)

    def _take_back(self, name: str) -> None:
        self.manager.calls.settle(name)
        with self._changing:
            if name in self.heartbeat.told:  # it may have been removed meanwhile
                self._take_in(name)
                self.manager.adoption.look_later(self.manager.roster.below(name))
