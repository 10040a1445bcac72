"""Drive managers with the existing system's own clients; a program for its Python.

    python drive.py LEVEL HOST PORT SESSION NODE...

It prints a line of JSON: what each step gave.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

PATIENCE_S = 30.0
FINISHED = 4
CLIENTS = {
    "node": "NodeManagerClient",
    "island": "DataIslandManagerClient",
    "master": "MasterManagerClient",
}


def specs(nodes: list[str]) -> list[dict[str, Any]]:
    """Return a chain of four copies, a node after the other."""
    memory, copy = "dlg.data.drops.memory.InMemoryDROP", "dlg.apps.simple.CopyApp"

    def place(i: int) -> dict[str, str]:
        return {"node": nodes[i % len(nodes)], "island": "here"}

    found: list[dict[str, Any]] = [
        {"oid": "d0", "categoryType": "Data", "dropclass": memory, **place(0)}
    ]
    for i in range(4):
        links = {"inputs": [f"d{i}"], "outputs": [f"d{i + 1}"]}
        app: dict[str, Any] = {"oid": f"a{i}", "categoryType": "Application", "dropclass": copy}
        found.append({**app, **links, **place(i + 1)})
        found.append({"oid": f"d{i + 1}", "categoryType": "Data", "dropclass": memory, **place(i)})
    return found


def flat(status: Any) -> list[int]:
    """Return the numbers in a status of any level."""
    if isinstance(status, dict):
        return [number for part in status.values() for number in flat(part)]
    return [int(status)]


def kind_of(call: Any) -> str:
    """Return the class of the error that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return type(error).__name__
    return ""


def drive(client: Any, session: str, nodes: list[str]) -> dict[str, Any]:
    """Take a session through its life; return what was seen."""
    said: dict[str, Any] = {}
    client.create_session(session)
    said["again"] = kind_of(lambda: client.create_session(session))
    client.append_graph(session, specs(nodes))
    said["size"] = client.graph_size(session)
    client.deploy_session(session, completed_uids=["d0"])
    end = time.monotonic() + PATIENCE_S
    while min(flat(client.session_status(session))) < FINISHED and time.monotonic() < end:
        os.sched_yield()
    said["status"] = flat(client.session_status(session))
    said["drops"] = sorted(client.graph_status(session))
    said["graph"] = sorted(client.graph(session))
    said["listed"] = session in [one["sessionId"] for one in client.sessions()]
    # Nodes may have finished a moment before those above have heard of all of them.
    while not (told := kind_of(lambda: client.cancelSession(session))) and time.monotonic() < end:
        os.sched_yield()
    said["cancel"] = told
    said["nodes"] = client.nodes() if hasattr(client, "nodes") else None
    client.destroy_session(session)
    said["gone"] = kind_of(lambda: client.session(session))
    return said


def main(level: str, host: str, port: str, session: str, *nodes: str) -> None:
    """Do it at one level."""
    client = getattr(import_module("dlg.clients"), CLIENTS[level])(host, int(port))
    with client:
        sys.stdout.write(json.dumps(drive(client, session, list(nodes))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
