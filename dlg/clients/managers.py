"""A class for each level of managers: what can be asked of it over REST."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlg.clients.access import find_access
from dlg.clients.http import TIMEOUT_S, Link

NODE_PORT, ISLAND_PORT, MASTER_PORT = 8000, 8001, 8002

Spec = Mapping[str, Any]


class ManagerClient:
    """What all managers offer: sessions."""

    default_port = NODE_PORT

    def __init__(
        self,
        host: str = "localhost",
        port: int | None = None,
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        """Without a `token` it is found, with the certificate, where `find_access` looks."""
        port = port or self.default_port
        if token is None:
            access = find_access(host, port)
            token, tls = access.token, tls or access.tls
        self.link = Link(host, port, token, tls, timeout)

    def info(self) -> dict[str, Any]:
        """Return what the manager says of itself."""
        return dict(self.link.get())

    def sessions(self) -> list[dict[str, Any]]:
        """Return id, status and size of each session."""
        return list(self.link.get("sessions"))

    def create_session(self, session_id: str) -> None:
        """Create a session; SessionAlreadyExistsException if the id is taken."""
        self.link.post("sessions", body={"sessionId": session_id})

    def append_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Add dropspecs to the graph of a session."""
        self.link.post("sessions", session_id, "graph", "append", body=list(specs))

    def deploy_session(
        self,
        session_id: str,
        completed: Iterable[str] | None = None,
        *,
        reproducibility: int | str | None = None,
        reuse: bool = False,
    ) -> None:
        """Start a session at the drops `completed`, or at all that wait for nobody.

        `reproducibility` is a level, by number or name, at which evidence is kept; a graph may
        ask for one itself. With `reuse`, apps whose results are in the store of their node do
        not run, and new results are kept there.
        """
        form = {} if completed is None else {"completed": ",".join(completed)}
        if reproducibility is not None:
            form["repro"] = str(reproducibility)
        if reuse:
            form["reuse"] = "true"
        self.link.post("sessions", session_id, "deploy", form=form)

    def cancel_session(self, session_id: str) -> None:
        """Give a session up."""
        self.link.post("sessions", session_id, "cancel")

    def destroy_session(self, session_id: str) -> None:
        """Forget a session; NoSessionException if there is none."""
        self.link.delete("sessions", session_id)

    def session(self, session_id: str) -> dict[str, Any]:
        """Return status, graph and directory of a session."""
        return dict(self.link.get("sessions", session_id))

    def session_status(self, session_id: str) -> Any:
        """Return the status: a number, or one for each manager below."""
        return self.link.get("sessions", session_id, "status")

    def session_summary(self, session_id: str) -> dict[str, Any]:
        """Return how a session stands: state, drops by state, errors, reason."""
        return dict(self.link.get("v1", "sessions", session_id))

    def graph(self, session_id: str) -> dict[str, Spec]:
        """Return the dropspecs of a session by oid."""
        return dict(self.link.get("sessions", session_id, "graph"))

    def graph_size(self, session_id: str) -> int:
        """Return how many drops a session has."""
        return int(self.link.get("sessions", session_id, "graph", "size"))

    def graph_status(self, session_id: str) -> dict[str, dict[str, int]]:
        """Return the state of each drop."""
        return dict(self.link.get("sessions", session_id, "graph", "status"))

    def evidence(self, session_id: str) -> dict[str, Any]:
        """Return what a session leaves behind to be compared: `graph` and `reprodata`."""
        return dict(self.link.get("sessions", session_id, "repro", "data"))

    def has_evidence(self, session_id: str) -> bool:
        """Return whether a session is over and all is there that it leaves behind."""
        return bool(self.link.get("sessions", session_id, "repro", "status"))

    def cluster(self) -> dict[str, Any]:
        """Return who is there: islands and nodes, what they have and how busy they are."""
        return dict(self.link.get("v1", "cluster"))

    def stop(self) -> None:
        """Shut the manager down."""
        self.link.post("stop")


class NodeManagerClient(ManagerClient):
    """The manager of a node."""

    def add_node_subscriptions(self, session_id: str, relations: Mapping[str, Any]) -> None:
        """Tell which drops of other nodes those of a session are linked to."""
        self.link.post("sessions", session_id, "subscriptions", body=relations)

    def trigger_drops(self, session_id: str, uids: Sequence[str]) -> None:
        """Complete data and start apps."""
        self.link.post("sessions", session_id, "trigger", body=list(uids))

    def add_link(self, session_id: str, lhs: str, kind: int, rhs: str) -> None:
        """Link drops of two parts of a graph."""
        form = {"lhOID": lhs, "rhOID": rhs, "linkType": kind}
        self.link.post("sessions", session_id, "graph", "link", form=form)


class DataIslandManagerClient(ManagerClient):
    """The manager of the nodes of a data island."""

    default_port = ISLAND_PORT

    def nodes(self) -> list[str]:
        """Return the nodes below."""
        found = self.link.get("nodes")
        return list(found["nodes"] if isinstance(found, dict) else found)

    def add_node(self, node: str) -> None:
        """Take a node in."""
        self.link.post("node", node)

    def remove_node(self, node: str) -> None:
        """Let a node go."""
        self.link.delete("node", node)


class MasterManagerClient(DataIslandManagerClient):
    """The manager of data islands."""

    default_port = MASTER_PORT

    def islands(self) -> list[str]:
        """Return the islands below."""
        return list(self.link.get("islands")["islands"])

    def add_island(self, island: str) -> None:
        """Take an island in, with its nodes."""
        self.link.post("island", island)

    def remove_island(self, island: str) -> None:
        """Let an island go."""
        self.link.delete("island", island)
