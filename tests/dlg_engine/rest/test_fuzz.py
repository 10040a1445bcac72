"""Requests made of the description, thousands of them: nothing fails that way, all is as told.

Schemathesis makes them, valid and invalid; every answer must have a status, a type and a form that
the description tells. No request may make a manager fail, or be told that one has.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import app, data
from tests.dlg_engine.rest.asking import PATIENCE_S, ask, post

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

LEVELS = ("node", "island", "master")
EXAMPLES = 20
ENDS_IT = {("POST", "/api/stop")}
"""What would end the manager."""
REACHES_OUT = {("POST", "/api/node/{node}"), ("POST", "/api/island/{node}")}
"""What speaks to others, and waits for those who are not there."""
STREAM = "text/event-stream"
NOBODY = ("nobody:at:all", "[::1", " ", "127.0.0.1:99999")
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ADD = "def add(x):\n    return x + 1"
OVER = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture
def process(cluster: Cluster, level: str) -> Process:
    return {"node": cluster.nodes[0], "island": cluster.island, "master": cluster.master}[level]


@pytest.fixture
def sessions(cluster: Cluster, process: Process, level: str) -> list[str]:
    """Make sessions of which one is new, one built, and one over."""
    names = [f"new-{level}", f"built-{level}", f"over-{level}"]
    node = cluster.nodes[0].name
    specs = [
        data("a", node, pydata=1), app("f", ADD, node, inputs=["a"], outputs=["b"]),
        data("b", node),
    ]  # fmt: skip
    for name in names:
        assert post(process.url, "/api/sessions", {"sessionId": name}).status == 200
    for name in names[1:]:
        post(process.url, f"/api/sessions/{name}/graph/append", specs)
    post(process.url, f"/api/sessions/{names[2]}/deploy")
    Cluster.wait_until(
        lambda: ask(process.url, "GET", f"/api/v1/sessions/{names[2]}").json,
        lambda summary: summary["status"] >= OVER,
    )
    return names


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_no_request_makes_a_manager_fail(
    process: Process, cluster: Cluster, sessions: list[str]
) -> None:
    schema = schemathesis.openapi.from_url(f"{process.url}/api/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        key = (operation.method.upper(), operation.path)
        if key not in ENDS_IT:
            # A stream of events ends with its session.
            there = sessions[-1:] if STREAM in kinds_of(operation) else sessions
            make_requests(operation, process.url, _places(key, cluster, there))
            tried += 1
    assert tried > 20
    assert process.process.poll() is None


def kinds_of(operation: Any) -> set[str]:
    """Return the media types of a good answer."""
    return set(operation.definition.raw["responses"].get("200", {}).get("content", {}))


def _places(
    key: tuple[str, str], cluster: Cluster, sessions: list[str]
) -> dict[str, st.SearchStrategy[str]]:
    """Return what is filled in besides what schemathesis thinks of: things that are there."""
    names = [node.name for node in cluster.nodes]
    if key in REACHES_OUT:
        names = list(NOBODY)
    elif key[0] == "DELETE":
        return {}
    return {
        "s": st.sampled_from(sessions),
        "node": st.sampled_from(names),
        "oid": st.sampled_from(["a", "f", "b"]),
    }


def make_requests(operation: Any, url: str, places: Mapping[str, st.SearchStrategy[Any]]) -> None:
    """Make requests to an operation; fill some of `places` with what is there."""

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def examples(drawn: st.DataObject) -> None:
        mode = drawn.draw(st.sampled_from(GenerationMode))
        case = drawn.draw(operation.as_strategy(generation_mode=mode))
        must = (operation.method.upper(), operation.path) in REACHES_OUT
        for name in set(case.path_parameters or {}) & set(places):
            if must or drawn.draw(st.booleans()):
                case.path_parameters[name] = drawn.draw(places[name])
        answer = case.call(base_url=url, timeout=PATIENCE_S)
        status = answer.status_code
        assert status < 500, (case.as_curl_command(), answer.text)
        case.validate_response(answer, checks=CHECKS)

    examples()
