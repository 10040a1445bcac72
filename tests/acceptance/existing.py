"""Drive the existing system: a program for the Python that it is installed for.

    python existing.py translate OUTDIR GRAPH...
    python existing.py run WORKDIR EVENTS_PORT RPC_PORT GRAPH...

`translate` unrolls, divides and maps logical graphs. `run` runs physical graphs on a node manager
and prints a line of JSON for each: how many of its drops ended in which state.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

COMPLETED, ERROR, SKIPPED, CANCELLED = 2, 3, 7, 6
ENDED = {COMPLETED, ERROR, SKIPPED, CANCELLED}
PATIENCE_S = 30
HOSTS = ["127.0.0.1", "127.0.0.1", "127.0.0.1"]
"""Where the island is managed, then where the two parts run."""


class Watcher:
    """Learns from events how many drops of the graph that runs have ended."""

    def __init__(self) -> None:
        self.expected: set[str] = set()
        self.ended: set[str] = set()
        self.all_ended = threading.Event()

    def expect(self, oids: set[str]) -> None:
        self.expected, self.ended = oids, set()
        self.all_ended.clear()

    def handleEvent(self, event: Any) -> None:
        if event.type == "status" and event.status in ENDED:
            self.ended.add(event.oid)
            if self.ended >= self.expected:
                self.all_ended.set()


def run(manager: Any, watcher: Watcher, graph: Path) -> dict[str, Any]:
    """Run one graph; return its states and how many drops are in each."""
    droputils, graph_loader = import_module("dlg.droputils"), import_module("dlg.graph_loader")
    specs = json.loads(graph.read_text())
    manager.createSession(graph.name)
    manager.addGraphSpec(graph.name, specs)
    loaded, _ = graph_loader.loadDropSpecs(json.loads(graph.read_text()))
    watcher.expect(set(loaded))
    manager.deploySession(graph.name, list(droputils.get_roots(list(loaded.values()))))
    watcher.all_ended.wait(PATIENCE_S)
    states = Counter(state["status"] for state in manager.getGraphStatus(graph.name).values())
    manager.destroySession(graph.name)
    return {"drops": len(loaded), "states": {str(k): v for k, v in states.items()}}


def run_all(workdir: str, events_port: str, rpc_port: str, *graphs: str) -> None:
    """Run the graphs one after the other."""
    os.environ["DLG_ROOT"] = workdir
    watcher = Watcher()
    ports = {"events_port": int(events_port), "rpc_port": int(rpc_port)}
    manager = import_module("dlg.manager.node_manager").NodeManager(
        host="127.0.0.1", event_listeners=[watcher], **ports
    )
    for graph in graphs:
        try:
            said = run(manager, watcher, Path(graph))
        except Exception as error:  # noqa: BLE001 - told to whoever started this program
            said = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps({"graph": Path(graph).name, **said}) + "\n")
        sys.stdout.flush()
    os._exit(0)  # its threads and servers would go on


def translate(outdir: str, *graphs: str) -> None:
    """Write the physical graph of each logical graph into a directory."""
    pg_generator = import_module("dlg.dropmake.pg_generator")
    for graph in map(Path, graphs):
        with contextlib.redirect_stdout(io.StringIO()):
            template = pg_generator.unroll(json.loads(graph.read_text()), oid_prefix="1")
            parts = pg_generator.partition(template, "metis", num_partitions=2, num_islands=1)
            mapped = pg_generator.resource_map(parts, HOSTS, 1)
        (Path(outdir) / graph.name).write_text(json.dumps(mapped))


def main(verb: str, *arguments: str) -> None:
    """Do what the command line says."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    verbs: dict[str, Callable[..., None]] = {"translate": translate, "run": run_all}
    verbs[verb](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
