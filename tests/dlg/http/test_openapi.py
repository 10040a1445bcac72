from __future__ import annotations

from typing import Any

from dlg.exceptions import SubManagerException
from dlg.http.answers import Answer
from dlg.http.asking import Asked, Kind, Param
from dlg.http.errors import STATUS
from dlg.http.openapi import Document, Told, describe_routes
from dlg.http.routes import Route, Takes


def do(service: None, asked: Asked) -> Answer:
    """Do something."""
    del service, asked
    return Answer()


ID, N = Param("s", help="A session."), Param("n", Kind.WHOLE, "How many.", least=1, default=2)
ROUTES = (
    Route("GET", "/s/{s}", do, (ID, N)),
    Route("PUT", "/s/{s}", do, (ID, N)),
    Route("DELETE", "/s/{s}", do, (ID, N)),
    Route("POST", "/s/{s}/graph", do, (ID, N), takes=Takes.JSON, media=("text/plain",)),
    Route("GET", "/drop/{oid*}", do, (Param("oid", help="A drop."),)),
)
DOCUMENT = Document(
    title="shop",
    description="A shop.",
    tags={"page": "All."},
    statuses={**STATUS, SubManagerException: 555},
    words={555: "A manager below failed."},
    error={"type": {"type": "string"}},
    secured=True,
    told={
        ("PUT", "/s/{s}"): Told(answer={"$ref": "#/components/schemas/Size"}),
        ("DELETE", "/s/{s}"): Told(status=405),
        ("POST", "/s/{s}/graph"): Told(body={"type": "array"}),
    },
    schemas={"Size": {"type": "integer"}},
)


def _operation(path: str, method: str) -> Any:
    return describe_routes(ROUTES, DOCUMENT)["paths"][path][method]


def test_the_document_says_what_the_service_is() -> None:
    found = describe_routes(ROUTES, DOCUMENT)
    assert found["info"]["title"] == "shop"
    assert found["tags"] == [{"name": "page", "description": "All."}]
    assert found["components"]["schemas"]["Error"]["properties"]["type"] == {"type": "string"}


def test_a_token_is_part_of_the_description() -> None:
    found = describe_routes(ROUTES, DOCUMENT)
    assert found["security"] == [{"token": []}]
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "security" not in describe_routes(ROUTES, Document(title="open"))


def test_statuses_of_the_service_are_told() -> None:
    answers = _operation("/s/{s}", "get")["responses"]
    assert answers["555"]["description"] == "A manager below failed."
    assert list(answers) == ["200", *sorted(list(answers)[1:])]


def test_what_has_slashes_is_filled_in_like_all_else() -> None:
    (place,) = _operation("/drop/{oid}", "get")["parameters"]
    assert (place["name"], place["in"], place["required"]) == ("oid", "path", True)


def test_parameters_stand_where_the_method_has_room_for_them() -> None:
    for method, inside in (("get", "query"), ("delete", "query")):
        operation = _operation("/s/{s}", method)
        assert [p["in"] for p in operation["parameters"]] == ["path", inside]
        assert "requestBody" not in operation
    schema = _operation("/s/{s}", "put")["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["n"] == {
        "type": "integer", "default": 2, "minimum": 1, "description": "How many."
    }  # fmt: skip


def test_a_document_leaves_the_parameters_to_the_query() -> None:
    operation = _operation("/s/{s}/graph", "post")
    assert list(operation["requestBody"]["content"]) == ["text/plain"]
    assert [p["in"] for p in operation["parameters"]] == ["path", "query"]


def test_what_an_answer_looks_like_is_told() -> None:
    found = describe_routes(ROUTES, DOCUMENT)
    answer = found["paths"]["/s/{s}"]["put"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/Size"}
    assert found["components"]["schemas"]["Size"] == {"type": "integer"}


def test_what_is_always_refused_has_no_good_answer() -> None:
    assert "200" not in _operation("/s/{s}", "delete")["responses"]


def test_a_body_of_which_the_form_is_known_has_to_be_there() -> None:
    body = _operation("/s/{s}/graph", "post")["requestBody"]
    assert body == {"content": {"text/plain": {"schema": {"type": "array"}}}, "required": True}
