"""The nodes of a cluster: whether they answer, what they run, and what their clocks say."""

from __future__ import annotations

import email.utils
import http.client
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from dlg.clients import ManagerClient, NodeManagerClient
from dlg.clients.http import Link
from dlg.exceptions import DaliugeException
from dlg.support import clock
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.resources import LEAST_FREE, amount
from dlg_engine.doctor.verdicts import Verdict, ok, problem, warning

TIMEOUT_S = 10.0
AT_ONCE = 16
OFF_S, FAR_OFF_S = 2.0, 60.0
LITTLE_FREE = LEAST_FREE


@dataclass(frozen=True)
class Node:
    """What a node has told when it was asked itself."""

    name: str
    dlg: str = ""
    python: str = ""
    """"" of a release that does not tell."""
    ahead_s: tuple[float, float] | None = None
    """How much its clock is ahead of ours, at least and at most."""
    disk_free: float | None = None
    error: str = ""
    """Why it has told nothing."""


@dataclass(frozen=True)
class Nodes:
    """All of them."""

    manager: str = ""
    """Whose nodes they are; "" for those that were named."""
    nodes: Sequence[Node] = ()
    missing: str = ""
    """Why there is no manager."""
    own: Node = Node("here")
    """What runs here."""


def measure(scope: Scope) -> Nodes:
    """Ask the manager who is there, and then each node itself, several at once."""
    clients: list[tuple[str, ManagerClient | str]] = [
        (client.link.url, client) for client in scope.nodes
    ]
    manager = ""
    if scope.manager is not None:
        manager = scope.manager.link.url
        clients += [_reach(scope.manager, told) for told in scope.manager.cluster()["nodes"]]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dlg-doctor") as pool:
        nodes = list(pool.map(lambda one: _ask(*one), clients))
    own = Node("here", version("dlg"), platform.python_version())
    return Nodes(manager, nodes, scope.no_manager, own)


def _reach(manager: ManagerClient, told: dict[str, Any]) -> tuple[str, ManagerClient | str]:
    """Return a client of a node, which belongs to the same cluster as its manager; or why not."""
    name, link = str(told["name"]), manager.link
    if not told.get("alive"):
        return name, "its manager has not heard of it for a while"
    parts = urlsplit(str(told.get("url") or ""))
    if not parts.hostname or not parts.port:
        return name, "its manager does not know its address yet"
    tls = link.tls if parts.scheme == "https" else None
    return name, NodeManagerClient(
        parts.hostname, parts.port, token=link.token, tls=tls, timeout=TIMEOUT_S
    )


def _ask(name: str, client: ManagerClient | str) -> Node:
    if isinstance(client, str):
        return Node(name, error=client)
    try:
        return _told(name, client.cluster(), _ahead(client.link))
    except DaliugeException as error:
        return Node(name, error=str(error))
    except (OSError, http.client.HTTPException) as error:
        return Node(name, error=f"{client.link.url} broke off: {error}")
    except (AttributeError, LookupError, TypeError, ValueError):
        return Node(name, error=f"what answers at {client.link.url} is no manager")


def _told(name: str, told: dict[str, Any], ahead_s: tuple[float, float] | None) -> Node:
    """Return what a node has told; raise whatever comes of it if it was none."""
    disk = next((one.get("disk_free") for one in told["nodes"]), None)
    name = str(told.get("name") or name)
    return Node(name, str(told["version"]), str(told.get("python", "")), ahead_s, disk)


def _ahead(link: Link) -> tuple[float, float] | None:
    """Return between which times a node's clock is ahead of ours; it tells whole seconds."""
    with closing(link.connect(TIMEOUT_S)) as connection:
        begun = clock.now()
        connection.request("GET", "/health")
        told = connection.getresponse().headers.get("Date")
        ended = clock.now()
    if told is None:
        return None
    theirs = email.utils.parsedate_to_datetime(told).timestamp()
    return theirs - ended, theirs + 1.0 - begun


def judge_nodes(fact: Nodes) -> Iterator[Verdict]:
    """Say whether all nodes of the cluster answer."""
    if fact.missing:
        yield ok(f"no cluster was looked at: {fact.missing}")
        return
    silent = [node for node in fact.nodes if node.error]
    where = f" of {fact.manager}" if fact.manager else ""
    if not fact.nodes:
        yield warning(f"there are no nodes{where}", "start some with  dlg nm, or  dlg daemon")
    elif len(silent) < len(fact.nodes):
        yield ok(f"{len(fact.nodes) - len(silent)} nodes{where} answer")
    for node in silent:
        yield problem(
            f"{node.name} does not answer: {node.error}",
            "look whether it runs, and whether its ports pass the firewalls between; its log says "
            "more: ~/dlg/logs there",
        )
    for node in fact.nodes:
        if node.disk_free is not None and node.disk_free < LITTLE_FREE:
            yield warning(
                f"{node.name} has only {amount(node.disk_free)} free on its disk",
                "make room there, or start it with another directory: dlg nm --workdir",
            )


def judge_versions(fact: Nodes) -> Iterator[Verdict]:
    """Say whether all nodes run the same release, with the same Python."""
    nodes = [node for node in fact.nodes if not node.error]
    if not nodes:
        return
    releases = Counter(node.dlg for node in nodes)
    if len(releases) > 1:
        yield problem(
            f"nodes run different releases: {_shown(nodes, releases, 'dlg')}",
            "install the same release on all of them: they speak to each other",
        )
    pythons = Counter(_minor(node.python) for node in nodes if node.python)
    if len(pythons) > 1:
        yield problem(
            f"nodes run different Pythons: {_shown(nodes, pythons, 'python')}",
            "use the same one everywhere: functions and objects that are sent between them can "
            "only be read by the same",
        )
    if len(releases) == 1 and len(pythons) <= 1:
        yield ok(f"all nodes run dlg {', '.join(releases)}, Python {', '.join(pythons) or '?'}")
    strange = [p for p in pythons if p != _minor(fact.own.python)]
    if strange and len(pythons) == 1:
        yield warning(
            f"this host has Python {_minor(fact.own.python)}, the nodes have {strange[0]}",
            "graphs with functions of yours (dlg.delayed) have to be submitted with theirs",
        )
    elif set(releases) != {fact.own.dlg} and len(releases) == 1:
        yield warning(
            f"this host has dlg {fact.own.dlg}, the nodes have {', '.join(releases)}",
            "install the same release here",
        )


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _shown(nodes: Sequence[Node], counts: Counter[str], what: str) -> str:
    """Return who has what, those that few have by name."""
    usual = counts.most_common(1)[0][0]
    others = [
        f"{node.name} has {getattr(node, what)}"
        for node in nodes
        if not getattr(node, what).startswith(usual)
    ]
    return f"{counts[usual]} have {usual}, {', '.join(others)}"


def judge_clocks(fact: Nodes) -> Iterator[Verdict]:
    """Say whether the clocks of all nodes agree with that of this host."""
    known = [node for node in fact.nodes if node.ahead_s is not None]
    fine = 0
    for node in known:
        least, most = node.ahead_s or (0.0, 0.0)
        off_s = max(0.0, least, -most)
        which = "ahead" if least > 0 else "behind"
        says = f"the clock of {node.name} is {off_s:.0f} s {which} of the one here"
        cure = "have both set by NTP: systemctl enable --now chrony (or ntpd, systemd-timesyncd)"
        if off_s >= FAR_OFF_S:
            yield problem(says, cure)
        elif off_s >= OFF_S:
            yield warning(says, cure)
        else:
            fine += 1
    if fine:
        yield ok(f"the clocks of {fine} nodes agree with the one here")


NODES = Check("nodes", measure, judge_nodes)
VERSIONS = Check("versions", measure, judge_versions)
CLOCKS = Check("clocks", measure, judge_clocks)
