"""The description of the managers: it is valid, whole, and says what each answer looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.rest.asking import ask

LEVELS = ("node", "island", "master")
REFUSALS = {"400", "401", "404", "405", "408", "409", "413", "415", "503", "555"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(1, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture
def process(cluster: Cluster, level: str) -> Process:
    return {"node": cluster.nodes[0], "island": cluster.island, "master": cluster.master}[level]


@pytest.fixture
def document(process: Process) -> Any:
    return ask(process.url, "GET", "/api/openapi.json").json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


@pytest.mark.parametrize("level", LEVELS)
def test_the_description_is_valid_openapi(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("level", LEVELS)
def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: Any) -> None:
    found = [operation for _, _, operation in operations(document)]
    assert len({one["operationId"] for one in found}) == len(found)
    for one in found:
        assert one["summary"].endswith("."), one
        assert all(parameter["description"] for parameter in one.get("parameters", ()))


@pytest.mark.parametrize("level", LEVELS)
def test_every_operation_tells_its_refusals_and_every_json_answer_its_form(document: Any) -> None:
    for method, path, operation in operations(document):
        answers = operation["responses"]
        assert set(answers) >= REFUSALS, (method, path)
        good = answers.get("200", {"content": {}})["content"]
        for kind, content in good.items():
            told = kind != "application/json" or "schema" in content
            assert told or path.startswith("/api/v1"), (method, path)


@pytest.mark.parametrize("level", LEVELS)
def test_the_description_has_every_route(process: Process, document: Any) -> None:
    """What is not described is not there, and what is there is described."""
    for path, methods in document["paths"].items():
        shown = path.replace("{s}", "none").replace("{oid}", "none").replace("{node}", "none")
        reply = ask(process.url, "PATCH", shown)
        assert reply.status == 405, path
        allowed = {one.strip().lower() for one in reply.headers["Allow"].split(",")}
        assert allowed == set(methods), path
    assert ask(process.url, "GET", "/api/nothing").status == 404
