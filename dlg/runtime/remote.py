"""Delayed calls on the nodes of a manager: the graph goes there, results and exceptions come back.

How they travel, and whose results are opened, is said in `dlg.clients.sending`.
"""

from __future__ import annotations

import ast
import base64
import builtins
import pickle
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.clients import ManagerClient
from dlg.clients.drops import describe_drop, read_data
from dlg.clients.events import follow
from dlg.clients.sending import connect, forget, nodes_of, spread
from dlg.exceptions import DaliugeException, RunError
from dlg.graph.physical import PhysicalGraph
from dlg.support import by_value
from dlg.support.symbols import get_symbol


def compute_there(
    graph: PhysicalGraph, rows: Sequence[int], manager: str, *, trust: bool = False
) -> tuple[Any, ...]:
    """Run a graph of calls on the nodes of `manager` and return the values of `rows`.

    `manager` is `host:port`. Raises what the first call raised that failed, of its own class
    where that can be imported. With `trust`, pickles of any manager are opened.
    """
    client = connect(manager, trust=trust)
    session_id = f"delayed-{secrets.token_hex(8)}"
    client.create_session(session_id)
    try:
        client.append_graph(session_id, dropspecs(graph, nodes_of(client)))
        client.deploy_session(session_id)
        summary = _wait(client, session_id)
        if summary["state"] != "FINISHED":
            raise _failure(client, summary)
        return tuple(_value(client, session_id, graph.oids[row]) for row in rows)
    finally:
        forget(client, session_id, sys.exception())


def dropspecs(graph: PhysicalGraph, nodes: Sequence[str]) -> list[dict[str, Any]]:
    """Return a graph of calls as dropspecs, with a node for each; calls become texts."""
    inputs: dict[int, list[int]] = {}
    for data, app in zip(
        graph.links.consumers.src.tolist(), graph.links.consumers.dst.tolist(), strict=True
    ):
        inputs.setdefault(app, []).append(data)
    home = spread([[row // 2 for row in inputs.get(app, ())] for app in _apps(graph)], len(nodes))
    found: list[dict[str, Any]] = []
    with by_value.packer([Path(sys.path[0] or ".")]) as pack:
        for app in _apps(graph):
            node, spec = nodes[home[app // 2]], graph.specs[app]
            found.append({
                "oid": graph.oids[app], "name": spec["name"], "categoryType": "Application",
                "dropclass": graph.class_names[graph.class_ids[app]], "node": node,
                "call": base64.b64encode(pack(spec["call"])).decode(),
                "inputs": [graph.oids[row] for row in inputs.get(app, ())],
                "outputs": [graph.oids[app + 1]],
            })  # fmt: skip
            found.append({
                "oid": graph.oids[app + 1], "categoryType": "Data", "node": node,
                "dropclass": graph.class_names[graph.class_ids[app + 1]],
                **graph.specs[app + 1],
            })  # fmt: skip
    return found


def _apps(graph: PhysicalGraph) -> range:
    return range(0, len(graph), 2)


def _wait(client: ManagerClient, session_id: str) -> Mapping[str, Any]:
    """Return the summary of a session that is over."""
    summary: Mapping[str, Any] = {}
    for event in follow(client.link, session_id):
        if event.name == "session":
            summary = event.data
    return summary


def _value(client: ManagerClient, session_id: str, oid: str) -> Any:
    """Return the value of data that was completed."""
    packed = read_data(client.link, session_id, oid)
    return pickle.loads(packed)  # noqa: S301  only of managers that are known, see the module


def _failure(client: ManagerClient, summary: Mapping[str, Any]) -> BaseException:
    """Return the exception of the first call that failed, of its own class if there is one."""
    session_id, errors = str(summary["sessionId"]), summary.get("errors") or ()
    for told in errors:
        try:
            detail = describe_drop(client.link, session_id, str(told["uid"]))
        except DaliugeException:
            continue  # its node has gone
        if error := detail.get("error"):
            made = remake(f"{error['module']}.{error['class']}", str(error["message"]))
            name, node = told.get("name"), detail.get("node")
            made.add_note(f"raised in the delayed call {name!r}, on node {node}:\n"
                          f"{str(error['traceback']).rstrip()}")  # fmt: skip
            return made
    why = "; ".join(str(told["exception"]) for told in errors) or summary.get("reason")
    return RunError(f"the computation was not finished: {why or summary.get('state')}")


def remake(class_name: str, message: str) -> BaseException:
    """Return an exception of the class of that name, or a `RunError` that names it."""
    try:
        kind = getattr(builtins, class_name, None) or get_symbol(class_name)
    except ImportError:
        kind = None
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            made = kind.__new__(kind)
        except TypeError:  # as of a group of exceptions, which cannot be without its members
            return RunError(f"{class_name}: {message}")
        made.args = (_key(message) if issubclass(kind, KeyError) else message,)
        return made
    return RunError(f"{class_name}: {message}")


def _key(message: str) -> Any:
    """Return the key that a KeyError tells: its message is how the key is written."""
    try:
        return ast.literal_eval(message)
    except (ValueError, SyntaxError):
        return message
