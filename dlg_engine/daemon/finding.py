"""Managers find each other by zeroconf.

The daemon of each host announces its own. The one that runs the master gives it the islands that
come, and the islands their nodes. Only managers of the same cluster are looked at. Being announced
says nothing about being alive: who does not answer is the heartbeat's matter. Who takes his
announcement back has left, and is let go at once.
"""

from __future__ import annotations

import logging
import platform
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dlg.exceptions import DaliugeException
from dlg.support.discovery import Neighbours
from dlg_engine.daemon.assignment import assign
from dlg_engine.daemon.processes import ManagerProcess
from dlg_engine.managers.addresses import ISLAND_PORT, NODE_PORT, read_address

logger = logging.getLogger(__name__)

KINDS: Mapping[str, str] = {"node": "NodeManager", "island": "DIM"}
"""What each role is announced as."""
USUAL: Mapping[str, int] = {"node": NODE_PORT, "island": ISLAND_PORT}
LONGEST_NAME = 15
LOOK_UP_S = 5.0
PAUSES_S = (0.2, 1.0, 3.0, 10.0)
"""How long is waited before what failed is tried again; after the last it is given up."""
CLOSE_S = 10.0

Managers = Callable[[str, str], "Above"]
"""Gives the manager of a role by its name, to be told who is below it."""


class Above(Protocol):
    """A manager that has others below it."""

    def take_in(self, name: str) -> None:
        """Take one in."""

    def let_go(self, name: str) -> None:
        """Let one go."""


@dataclass(slots=True)
class Found:
    """What was found so far: the names of managers, by the names of their services."""

    services: dict[tuple[str, str], str] = field(default_factory=dict)
    islands_of: dict[str, str] = field(default_factory=dict)
    """The island of each node."""

    def names(self, role: str) -> list[str]:
        """Return the managers of a role."""
        found = (name for (of, _), name in self.services.items() if of == role)
        return list(dict.fromkeys(found))


class Finder:
    """Announces the managers of this host, and finds others if there is a master here."""

    def __init__(self, host: str, cluster: str, managers: Managers) -> None:
        """`managers` gives the master ("master", "") and islands ("island", name)."""
        self._cluster, self._managers = cluster, managers
        self._neighbours = Neighbours(host)
        self._found = Found()
        self._announced: dict[str, int] = {}
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._browsing = self._has_master = False
        self._thread = threading.Thread(target=self._run, name="dlg-finder", daemon=True)
        self._thread.start()

    def changed(self, role: str, process: ManagerProcess | None) -> None:
        """Take note that a manager of this host listens, or has ended; returns at once."""
        if role in KINDS:
            name, url = ("", "") if process is None else (process.name, process.url)
            self._work.put(lambda: self._announce(role, name, url))
        if role == "master":
            self._has_master = process is not None
        if role == "master" and process is not None:
            self._work.put(self._begin_to_browse)

    def close(self) -> None:
        """Take all announcements back."""
        self._closing.set()
        self._work.put(None)
        self._thread.join(CLOSE_S)
        self._neighbours.close()

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while (work := self._work.get()) is not None and not self._closing.is_set():
            try:
                work()
            except Exception:
                logger.exception("what was found could not be dealt with")

    def _announce(self, role: str, name: str, url: str) -> None:
        port = self._announced.pop(role, None)
        if port is not None:
            self._neighbours.withdraw(KINDS[role], port)
        if not name:
            return
        address = read_address(name)
        told = {
            "cluster": self._cluster, "name": name, "url": url,
            "rpc": str(address.rpc_port), "events": str(address.events_port),
        }  # fmt: skip
        service = (platform.node() or "localhost")[:LONGEST_NAME]
        if address.port != USUAL[role]:  # there may be others on this host
            service += f"-{address.port}"
        self._neighbours.announce(KINDS[role], service, address.port, told)
        self._announced[role] = address.port

    def _begin_to_browse(self) -> None:
        """Look for others; a master that was started anew is told of all it had."""
        self._found.islands_of.clear()
        for island in self._found.names("island"):
            self._tell("master", "", "take_in", island)
        self._assign()
        if self._browsing:
            return
        self._browsing = True
        for role, kind in KINDS.items():
            self._neighbours.browse(kind, self._seen(role))

    def _seen(self, role: str) -> Callable[[str, bool], None]:
        def seen(service: str, is_there: bool) -> None:
            come = self._come if is_there else self._gone
            self._work.put(lambda: come(role, service))

        return seen

    def _come(self, role: str, service: str) -> None:
        told = self._neighbours.look_up(KINDS[role], service, LOOK_UP_S)
        name = told.properties.get("name", "") if told else ""
        if told is None or not name or told.properties.get("cluster") != self._cluster:
            return
        if self._found.services.get((role, service)) == name:
            return
        if (role, service) in self._found.services:  # started anew, at other ports
            self._gone(role, service)
        self._found.services[role, service] = name
        logger.info("%s %s was found", role, name, extra={"action": "manager-found"})
        if role == "island":
            self._tell("master", "", "take_in", name)
        self._assign()

    def _gone(self, role: str, service: str) -> None:
        name = self._found.services.pop((role, service), None)
        if name is None or name in self._found.names(role):
            return
        logger.info("%s %s has left", role, name, extra={"action": "manager-left"})
        if role == "island":
            self._tell("master", "", "let_go", name)
        elif name in self._found.islands_of:
            self._tell("island", self._found.islands_of.pop(name), "let_go", name)
        self._assign()

    def _assign(self) -> None:
        """Give each node that has no island to one."""
        before = self._found.islands_of
        islands = self._found.names("island")
        self._found.islands_of = assign(self._found.names("node"), islands, before)
        for node, island in self._found.islands_of.items():
            if before.get(node) != island:
                self._tell("island", island, "take_in", node)

    def _tell(self, role: str, above: str, what: str, name: str, tried: int = 0) -> None:
        """Tell a manager of one below it; what fails is tried again, for a while."""
        if not self._has_master:  # it is told of all when it is back
            return
        try:
            getattr(self._managers(role, above), what)(name)
        except DaliugeException as error:
            again = what == "take_in" and tried < len(PAUSES_S)
            logger.warning("%s %s: %s%s", what, name, error, "; again in a while" * again)
            if again:
                timer = threading.Timer(
                    PAUSES_S[tried],
                    lambda: self._work.put(lambda: self._again(role, above, name, tried + 1)),
                )
                timer.daemon = True
                timer.start()

    def _again(self, role: str, above: str, name: str, tried: int) -> None:
        below = "island" if role == "master" else "node"
        wanted = role == "master" or self._found.islands_of.get(name) == above
        if wanted and name in self._found.names(below):
            self._tell(role, above, "take_in", name, tried)
