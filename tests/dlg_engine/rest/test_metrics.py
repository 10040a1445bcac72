"""The figures of managers, read by the parser of Prometheus."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dlg.exceptions import MissingExtraError
from dlg_engine.rest import metrics
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import app, data
from tests.dlg_engine.rest.asking import ask, post

LEVELS = ("node", "island", "master")
BIG = "def big(x):\n    return b'x' * 100000"
FINISHED = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        run(found, "night")
        yield found


def run(cluster: Cluster, session: str) -> None:
    """Run a graph whose data goes from the first node to the second."""
    first, second = (node.name for node in cluster.nodes)
    url = cluster.master.url
    specs = [
        data("a", first, pydata=1), app("f", BIG, first, inputs=["a"], outputs=["b"]),
        data("b", first), app("g", "def g(x):\n    return len(x)", second, inputs=["b"],
                              outputs=["c"]), data("c", second),
    ]  # fmt: skip
    assert post(url, "/api/sessions", {"sessionId": session}).status == 200
    assert post(url, f"/api/sessions/{session}/graph/append", specs).status == 200
    assert post(url, f"/api/sessions/{session}/deploy").status == 200
    Cluster.wait_until(
        lambda: ask(url, "GET", f"/api/v1/sessions/{session}").json,
        lambda summary: summary["status"] == FINISHED,
    )


def process_of(cluster: Cluster, level: str) -> Process:
    return {"node": cluster.nodes[0], "island": cluster.island, "master": cluster.master}[level]


def figures(process: Process) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    reply = ask(process.url, "GET", "/metrics")
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            assert labels not in found.setdefault(sample.name, {}), sample
            found[sample.name][labels] = sample.value
    return found


def one(found: Any, name: str, **labels: str) -> float:
    return float(found[name][frozenset(labels.items())])


@pytest.mark.parametrize("level", LEVELS)
def test_sessions_are_counted_by_state(cluster: Cluster, level: str) -> None:
    found = figures(process_of(cluster, level))
    assert one(found, "dlg_sessions", state="FINISHED") == 1
    assert one(found, "dlg_sessions", state="RUNNING") == 0


@pytest.mark.parametrize("level", LEVELS)
def test_a_process_tells_what_it_needs(cluster: Cluster, level: str) -> None:
    found = figures(process_of(cluster, level))
    assert one(found, "process_resident_memory_bytes") > 1e6
    assert one(found, "process_cpu_seconds_total") > 0
    assert len(found["dlg_info"]) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_requests_are_counted_by_route_and_not_by_path(cluster: Cluster, level: str) -> None:
    process = process_of(cluster, level)
    labels = {"method": "GET", "route": "/api/sessions/{s}/graph/size", "status": "404"}
    sizes = [len(ask(process.url, "GET", f"/api/sessions/no{i}/graph/size").body) for i in (1, 2)]
    found = figures(process)
    assert one(found, "dlg_http_request_seconds_count", **labels) == 2
    assert one(found, "dlg_http_request_seconds_bucket", le="+Inf", **labels) == 2
    assert one(found, "dlg_http_sent_bytes_total", **labels) == sum(sizes)
    buckets = [
        (float(dict(key)["le"]), value)
        for key, value in found["dlg_http_request_seconds_bucket"].items()
        if labels.items() <= dict(key).items()
    ]
    counts = [value for _, value in sorted(buckets)]
    assert counts == sorted(counts)
    assert not any("no1" in label for key in found for label in map(str, found[key]))


def test_what_is_asked_for_and_not_there_is_one_route(cluster: Cluster) -> None:
    process = cluster.nodes[0]
    for i in range(3):
        ask(process.url, "GET", f"/nowhere/{i}")
    found = figures(process)
    assert one(found, "dlg_http_request_seconds_count", method="GET", route="", status="404") >= 3


def test_the_bytes_of_a_graph_are_counted_as_they_came(cluster: Cluster) -> None:
    process = cluster.nodes[0]
    assert post(process.url, "/api/sessions", {"sessionId": "bytes"}).status == 200
    body = b"[" + b" " * 10_000 + b"]"
    path = "/api/sessions/bytes/graph/append"
    assert ask(process.url, "POST", path, body, Content_Type="application/json").status == 200
    assert ask(process.url, "DELETE", "/api/sessions/bytes").status == 200
    labels = {"method": "POST", "route": "/api/sessions/{s}/graph/append", "status": "200"}
    assert one(figures(process), "dlg_http_received_bytes_total", **labels) == len(body)


def test_a_node_counts_drops_events_and_bytes(cluster: Cluster) -> None:
    first, second = cluster.nodes
    found, other = figures(first), figures(second)
    assert sum(found["dlg_drops"].values()) == 3
    assert sum(other["dlg_drops"].values()) == 4  # with the replica and what fetched it
    assert one(found, "dlg_drops", state="ERROR") == 0
    assert one(other, "dlg_drops", state="COMPLETED") >= 2
    assert one(found, "dlg_apps_running") == 0
    assert one(found, "dlg_events_sent_total", node=second.name) == 1
    assert one(found, "dlg_events_waiting", node=second.name) == 0
    assert one(other, "dlg_events_received_total", node=first.name) == 1
    assert one(found, "dlg_data_sent_bytes_total") >= 100_000
    assert one(other, "dlg_data_sent_bytes_total") == 0


@pytest.mark.parametrize("level", ["node", "island"])
def test_calls_and_their_failures_are_counted_by_method(cluster: Cluster, level: str) -> None:
    process, above = process_of(cluster, level), cluster.island
    before = figures(process)
    assert one(before, "dlg_rpc_calls_total", method="create_session") >= 1
    assert one(before, "dlg_rpc_failures_total", method="create_session") == 0
    if level == "node":
        path = f"/api/node/{quote(process.name)}/sessions/none/status"
        assert ask(above.url, "GET", path).status == 404
        found = figures(process)
        assert one(found, "dlg_rpc_failures_total", method="session_status") >= 1


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtraError, match=r"dlg\[metrics\]"):
        metrics._prometheus()
