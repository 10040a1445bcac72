"""Drive a master's hosts with the existing system's own client; a program for its Python.

    python hosts.py MASTER_PORT DAEMON ISLAND_HOST NODE

It prints a line of JSON: what each step gave.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main(port: str, daemon: str, island_host: str, node: str) -> None:
    """Make an island on a host, give it a node, and take both away."""
    client: Any = import_module("dlg.clients").MasterManagerClient("127.0.0.1", int(port))
    said: dict[str, Any] = {}
    with client:
        said["none"] = client.dims()
        client.create_island(daemon, [])
        said["made"] = client.dims()
        client.add_node_to_dim(island_host, node)
        said["nodes"] = client.nodes()
        client.remove_node_from_dim(island_host, node)
        for island in said["made"]["islands"]:
            client.remove_dim(island)
        said["gone"] = client.dims()
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
