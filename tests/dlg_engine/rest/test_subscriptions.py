"""Nodes that are driven as a data island of the existing system drives its own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlg.graph.spec_links import removeUnmetRelationships
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import app, data
from tests.dlg_engine.rest.asking import ask, post

ADD = "def add(x):\n    return x + 1"
SUM = "def total(x, y):\n    return x + y"
FINISHED, FAILED, COMPLETED, ERROR = 4, 6, 2, 3
_numbers = itertools.count()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Process]]:
    with Cluster(3, tmp_path_factory.mktemp("cluster")) as found:
        yield found.nodes


def drive(nodes: Sequence[Process], specs: list[dict[str, Any]], roots: list[str]) -> str:
    """Do what such a data island does: cut, append, subscribe, deploy, trigger."""
    session = f"night-{next(_numbers)}"
    used = {spec["node"] for spec in specs}
    url = {node.name: node.url for node in nodes if node.name in used}
    home = {spec["oid"]: spec["node"] for spec in specs}
    relations: dict[str, dict[str, list[Any]]] = {name: {} for name in url}
    parts = {name: [dict(s) for s in specs if s["node"] == name] for name in url}
    for name, part in parts.items():
        assert post(url[name], "/api/sessions", {"sessionId": session}).status == 200
        for relation in removeUnmetRelationships(part):
            here, there = sorted((home[relation.lhs], home[relation.rhs]), key=lambda n: n != name)
            triple = [relation.lhs, int(relation.rel), relation.rhs]
            relations[here].setdefault(there, []).append(triple)
            relations[there].setdefault(here, []).append(triple)
        reply = post(url[name], f"/api/sessions/{session}/graph/append", part)
        assert reply.status == 200, reply.body
    for name, found in relations.items():
        if found:
            reply = post(url[name], f"/api/sessions/{session}/subscriptions", found)
            assert reply.status == 200, reply.body
    for where in url.values():
        assert ask(where, "POST", f"/api/sessions/{session}/deploy").status == 200
    for name, where in url.items():
        own = [oid for oid in roots if home[oid] == name]
        if own:
            assert post(where, f"/api/sessions/{session}/trigger", own).status == 200
    return session


def ends(nodes: Sequence[Process], session: str) -> tuple[set[int], dict[str, int]]:
    """Return the states of a session on its nodes, and of its drops, when all is over."""
    states: set[int] = set()
    drops: dict[str, int] = {}
    path = f"/api/sessions/{session}"
    for node in nodes:
        if ask(node.url, "GET", f"{path}/status").status != 200:
            continue  # it has no drop of the graph
        states.add(Cluster.wait_until(
            lambda url=node.url: ask(url, "GET", f"{path}/status").json,  # type: ignore[misc]
            lambda status: status >= FINISHED,
        ))  # fmt: skip
        found = ask(node.url, "GET", f"{path}/graph/status").json
        drops |= {oid: state["status"] for oid, state in found.items()}
        assert ask(node.url, "DELETE", path).status == 200
    return states, drops


@settings(
    max_examples=6, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(places=st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_a_graph_that_was_cut_runs_wherever_its_drops_are(
    nodes: Sequence[Process], places: list[int]
) -> None:
    at = [nodes[place].name for place in places]
    specs = [
        data("a", at[0], pydata=1, consumers=["f", "g"]),
        app("f", ADD, at[1], inputs=["a"], outputs=["b"]), data("b", at[2], producers=["f"]),
        app("g", ADD, at[3], inputs=["a"], outputs=["c"]), data("c", at[4], consumers=["h"]),
        app("h", SUM, at[5], inputs=["b", "c"], outputs=["d"]), data("d", at[6]),
        data("alone", at[7]),
    ]  # fmt: skip
    states, drops = ends(nodes, drive(nodes, specs, ["a", "alone"]))
    assert states == {FINISHED}
    assert set(drops) == {spec["oid"] for spec in specs}


def test_nothing_starts_before_it_is_triggered(nodes: Sequence[Process]) -> None:
    first, second = nodes[0].name, nodes[1].name
    specs = [data("a", first, pydata=1), app("f", ADD, second, inputs=["a"], outputs=["b"]),
             data("b", second)]  # fmt: skip
    session = drive(nodes, specs, [])
    found = ask(nodes[0].url, "GET", f"/api/sessions/{session}/graph/status").json
    assert found["a"]["status"] == 0
    assert post(nodes[0].url, f"/api/sessions/{session}/trigger", ["a"]).status == 200
    assert ends(nodes, session)[0] == {FINISHED}


def test_a_failure_goes_along_the_links(nodes: Sequence[Process]) -> None:
    first, second = nodes[0].name, nodes[1].name
    bad = "def bad(x):\n    raise ValueError('cloudy')"
    specs = [data("a", first, pydata=1), app("f", bad, first, inputs=["a"], outputs=["b"]),
             data("b", first), app("g", ADD, second, inputs=["b"], outputs=["c"]),
             data("c", second)]  # fmt: skip
    session = drive(nodes[:2], specs, ["a"])
    states, drops = ends(nodes[:2], session)
    assert states == {FAILED}
    assert drops["c"] == ERROR


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[]", 400), ('{"n": 5}', 400), ('{"n": [5]}', 400), ('{"n": [["a", 0]]}', 400),
        ('{"n": [["a", "0", "b"]]}', 400), ('{"n": [["a", true, "b"]]}', 400), ("{", 400),
        ('{"NODE": [["a", 0, "b"]]}', 409), ('{"NODE": [["a", 3, "d"]]}', 409),
        ('{"NODE": [["a", 99, "d"]]}', 409), ('{"NODE": [["f", 0, "d"]]}', 409),
        ('{"nobody:x": [["a", 0, "d"]]}', 400), ("{}", 200),
    ],
)  # fmt: skip
def test_what_are_no_links_is_refused(nodes: Sequence[Process], body: str, status: int) -> None:
    session = f"links-{next(_numbers)}"
    url = nodes[0].url
    assert post(url, "/api/sessions", {"sessionId": session}).status == 200
    specs = [data("d"), app("f", ADD, inputs=["d"])]
    assert post(url, f"/api/sessions/{session}/graph/append", specs).status == 200
    body = body.replace("NODE", nodes[1].name).replace('"n"', json.dumps(nodes[1].name))
    path = f"/api/sessions/{session}/subscriptions"
    reply = ask(url, "POST", path, body, Content_Type="application/json")
    assert reply.status == status, reply.body
    assert ask(url, "POST", path, body, Content_Type="text/plain").status == 415
    assert ask(url, "DELETE", f"/api/sessions/{session}").status == 200
