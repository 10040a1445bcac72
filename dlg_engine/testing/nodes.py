"""Several node managers in one process, for tests of what passes between nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.graph import read_physical_graph
from dlg.graph.writing import lean_specs
from dlg_engine.managers import cargo
from dlg_engine.managers.news import News, decode, encode
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.split import split
from dlg_engine.runners import make_runner


class Nodes:
    """Node managers that reach each other by a call; what passes is packed all the same."""

    def __init__(self, names: Iterable[str], workdir: Path, runner: str = "threads") -> None:
        self.managers = {
            name: NodeManager(
                name, workdir / name, make_runner(runner, 2), courier=self, tell=self.tell
            )
            for name in names
        }

    def tell(self, node: str, news: News) -> None:
        """Send news to a node."""
        self.managers[node].hear(decode(encode([news])))

    def bring(self, source: str, session_id: str, oid: str, into: Any) -> None:
        """Bring data from a node."""
        drop = self.managers[source].drop(session_id, oid)
        form, pieces = cargo.outgoing(drop)
        cargo.receive(into, form, (bytes(piece) for piece in pieces))

    def run(
        self,
        session_id: str,
        specs: Sequence[Mapping[str, Any]],
        node_of: Callable[[Mapping[str, Any]], str],
        timeout_s: float = 30.0,
    ) -> dict[str, dict[str, int]]:
        """Run a graph over the nodes; return the state of each drop."""
        parts = split(lean_specs(read_physical_graph(list(specs))), node_of)
        for node, part in parts.items():
            manager = self.managers[node]
            manager.create_session(session_id)
            manager.add_graph(session_id, part.all_specs)
            manager.add_exports(session_id, part.exports)
        for node in parts:
            self.managers[node].deploy_session(session_id)
        states: dict[str, dict[str, int]] = {}
        for node in parts:
            if not self.managers[node].wait(session_id, timeout_s):
                raise TimeoutError(f"session {session_id} does not end on {node}")
            states |= self.managers[node].graph_status(session_id)
        return states

    def close(self) -> None:
        """End all sessions."""
        for manager in self.managers.values():
            manager.shutdown()
