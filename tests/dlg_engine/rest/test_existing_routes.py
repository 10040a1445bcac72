"""Routes that those ask for who know them from the existing system, at all levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import app, data
from tests.dlg_engine.rest.asking import ask, post

LEVELS = ("node", "island", "master")
ABOVE = ("island", "master")
ADD = "def add(x):\n    return x + 1"
FINISHED = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture
def process(cluster: Cluster, level: str) -> Process:
    return {"node": cluster.nodes[0], "island": cluster.island, "master": cluster.master}[level]


@pytest.fixture
def session(process: Process, level: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"{request.node.originalname}-{level}"
    assert post(process.url, "/api/sessions", {"sessionId": name}).status == 200
    yield name
    ask(process.url, "DELETE", f"/api/sessions/{name}")


@pytest.mark.parametrize("level", LEVELS)
def test_a_manager_is_not_shut_down_by_a_question(process: Process) -> None:
    reply = ask(process.url, "GET", "/api/shutdown")
    assert reply.status == 405
    assert "POST /api/stop" in reply.json["error"]
    assert ask(process.url, "GET", "/health").status == 200


@pytest.mark.parametrize("level", LEVELS)
def test_options_are_an_empty_object(process: Process) -> None:
    for path in ("/api/sessions", "/api/sessions/any/graph/append"):
        reply = ask(process.url, "OPTIONS", path)
        assert (reply.status, reply.json) == (200, {})


def _run(process: Process, session: str, specs: list[Any], **form: str) -> None:
    """Give a session its graph, start it, and wait for its end."""
    assert post(process.url, f"/api/sessions/{session}/graph/append", specs).status == 200
    kind = "application/x-www-form-urlencoded"
    path = f"/api/sessions/{session}/deploy"
    assert ask(process.url, "POST", path, urlencode(form), Content_Type=kind).status == 200
    Cluster.wait_until(
        lambda: ask(process.url, "GET", f"/api/v1/sessions/{session}").json,
        lambda summary: summary["status"] == FINISHED and summary["ended"],
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("asked", ["by the graph", "by who deploys it"])
def test_a_session_leaves_evidence_if_somebody_asks(
    cluster: Cluster, process: Process, session: str, level: str, asked: str
) -> None:
    first, second = (node.name for node in cluster.nodes)
    specs = [data("a", first, pydata=1),
             app("f", ADD, first if level == "node" else second, inputs=["a"], outputs=["b"]),
             data("b", first)]  # fmt: skip
    assert _get(process, f"/api/sessions/{session}/repro/status") is False
    if asked == "by the graph":
        _run(process, session, [*specs, {"rmode": "-1"}])
    else:
        _run(process, session, specs, repro="all")
    assert _get(process, f"/api/sessions/{session}/repro/status") is True
    found = _get(process, f"/api/sessions/{session}/repro/data")
    assert set(found["graph"]) == {"a", "f", "b"}
    assert found["graph"]["b"]["reprodata"]["strict"]["content"].startswith("blake3:")
    assert len(found["reprodata"]["REPLICATE_TOTAL"]["signature"]) == 64


@pytest.mark.parametrize("level", LEVELS)
def test_without_a_level_there_are_drops_and_no_evidence(
    cluster: Cluster, process: Process, session: str
) -> None:
    _run(process, session, [data("a", cluster.nodes[0].name, pydata=1)])
    found = _get(process, f"/api/sessions/{session}/repro/data")
    assert (set(found["graph"]), found["reprodata"]) == ({"a"}, {})
    assert _get(process, f"/api/sessions/{session}/repro/status") is False


@pytest.mark.parametrize("level", LEVELS)
def test_evidence_that_cannot_be_is_refused(process: Process, session: str) -> None:
    path = f"/api/sessions/{session}/deploy?repro=twice"
    reply = ask(process.url, "POST", path, b"")
    assert (reply.status, "no level of reproducibility" in reply.json["error"]) == (400, True)
    for what in ("data", "status"):
        assert ask(process.url, "GET", f"/api/sessions/none/repro/{what}").status == 404


@pytest.mark.parametrize("level", ABOVE)
def test_a_session_is_looked_at_on_each_of_its_nodes(
    cluster: Cluster, process: Process, session: str
) -> None:
    first, second = (node.name for node in cluster.nodes)
    specs = [
        data("a", first, pydata=1), app("f", ADD, second, inputs=["a"], outputs=["b"]),
        data("b", first),
    ]  # fmt: skip
    assert post(process.url, f"/api/sessions/{session}/graph/append", specs).status == 200
    assert post(process.url, f"/api/sessions/{session}/deploy").status == 200
    Cluster.wait_until(
        lambda: ask(process.url, "GET", f"/api/v1/sessions/{session}").json,
        lambda summary: summary["status"] == FINISHED,
    )
    for node, oids in ((first, {"a", "b"}), (second, {"f"})):
        base = f"/api/node/{quote(node)}/sessions"
        (entry,) = (e for e in _get(process, base) if e["sessionId"] == session)
        assert (entry["status"], entry["size"]) == (FINISHED, len(oids))
        assert _get(process, f"{base}/{session}/status") == FINISHED
        assert set(_get(process, f"{base}/{session}/graph")) == oids
        assert set(_get(process, f"{base}/{session}/graph/status")) == oids
        whole = _get(process, f"{base}/{session}")
        assert (whole["status"], set(whole["graph"])) == (FINISHED, oids)
        assert whole["dir"].endswith(session)


@pytest.mark.parametrize("level", ABOVE)
def test_what_a_node_does_not_have_is_not_found(cluster: Cluster, process: Process) -> None:
    node = quote(cluster.nodes[0].name)
    for path in ("nobody/sessions", f"{node}/sessions/none", f"{node}/sessions/none/graph"):
        reply = ask(process.url, "GET", f"/api/node/{path}")
        assert reply.status == 404, reply.body


@pytest.mark.parametrize("level", ABOVE)
def test_sessions_that_are_gone_are_remembered_by_their_directories(
    cluster: Cluster, process: Process, level: str
) -> None:
    name = f"gone-{level}"
    assert post(process.url, "/api/sessions", {"sessionId": name}).status == 200
    specs = [data("a", cluster.nodes[1].name, pydata=1)]
    assert post(process.url, f"/api/sessions/{name}/graph/append", specs).status == 200
    assert post(process.url, f"/api/sessions/{name}/deploy").status == 200
    assert {"sessionId": name} not in _get(process, "/api/past_sessions")
    assert ask(process.url, "DELETE", f"/api/sessions/{name}").status == 200
    assert {"sessionId": name} in _get(process, "/api/past_sessions")


@pytest.mark.parametrize("level", ABOVE)
def test_what_the_user_did_wrong_is_his_fault_on_every_level(
    cluster: Cluster, process: Process, level: str
) -> None:
    taken = f"taken-{level}"
    assert post(cluster.nodes[0].url, "/api/sessions", {"sessionId": taken}).status == 200
    reply = post(process.url, "/api/sessions", {"sessionId": taken})
    assert reply.status == 409
    assert reply.json["type"] == "SubManagerException"
    assert cluster.nodes[0].name in reply.json["error"]
    ask(cluster.nodes[0].url, "DELETE", f"/api/sessions/{taken}")
    reply = post(process.url, "/api/sessions", {"sessionId": "../up"})
    assert (reply.status, reply.json["type"]) == (400, "UsageError")


@pytest.mark.parametrize("level", ABOVE)
def test_a_manager_that_cannot_be_reached_is_not_the_users_fault(
    process: Process, level: str
) -> None:
    kind = {"island": "node", "master": "island"}[level]
    reply = ask(process.url, "POST", f"/api/{kind}/127.0.0.1:1:2:3", b"")
    assert reply.status == 555


def _get(process: Process, path: str) -> Any:
    reply = ask(process.url, "GET", path)
    assert reply.status == 200, reply.body
    return reply.json
