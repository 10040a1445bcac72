from __future__ import annotations

from typing import Any

import pytest

from dlg.exceptions import (
    DaliugeException,
    InvalidGraphException,
    NoSessionException,
    RunError,
    SubManagerException,
    UsageError,
)
from dlg.http.errors import (
    STATUS,
    BadRequestError,
    BusyError,
    ForbiddenError,
    Statuses,
    describe,
    describe_with_class,
    status_of,
)
from dlg.http.site import Site


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("a"), 400), (ForbiddenError("a"), 403), (BusyError("a"), 503),
        (NoSessionException("a"), 400), (RunError("a"), 500), (ValueError("a"), 500),
    ],
)  # fmt: skip
def test_an_error_has_the_status_of_its_nearest_class(error: Exception, status: int) -> None:
    assert status_of(error) == status


def test_a_service_adds_rows_in_any_order_and_takes_none_away() -> None:
    table: Statuses = {DaliugeException: 555, **STATUS, NoSessionException: 404}
    found = [
        status_of(error, table)
        for error in (NoSessionException("a"), ForbiddenError("a"), SubManagerException("a"))
    ]
    assert found == [404, 403, 555]


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ("session", 404, {"type": "NoSessionException", "args": ["no session 's': gone"]}),
        ("user", 400, {"type": "UsageError", "args": ["you"], "error": "you"}),
        (
            "manager", 555,
            {
                "type": "ErrorManagerCaughtException",
                "args": ["two", {"b": str(object), "c": ["a", 1]}],
            },
        ),
    ],
)  # fmt: skip
def test_a_service_tells_errors_in_its_own_words(
    client: Any, how: str, status: int, told: dict[str, Any]
) -> None:
    reply = client.get(f"/fail?how={how}")
    assert reply.status == status
    assert {**reply.json, **told} == reply.json
    assert set(reply.json) == {"type", "args", "error", "problems"}


def test_a_failure_of_the_service_tells_nothing_of_its_insides(client: Any) -> None:
    reply = client.get("/fail?how=bug")
    assert reply.status == 500
    assert b"swordfish" not in reply.body
    assert (reply.json["type"], reply.json["args"]) == ("RuntimeError", [])


@pytest.mark.parametrize("path", ["/nowhere", "/static/none.js", "/echo?a=%FF", "/fail", "/raw"])
def test_every_refusal_has_the_same_form(client: Any, path: str) -> None:
    reply = client.get(path)
    assert reply.status in {400, 404, 405}
    assert set(reply.json) == {"type", "args", "error", "problems"}
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_without_a_form_of_its_own_a_service_tells_a_sentence_and_problems(open_shop: Any) -> None:
    reply = open_shop(Site()).get("/fail?how=user")
    assert reply.json["error"] == "you"
    assert [p["code"] for p in reply.json["problems"]] == ["usage"]


def test_all_problems_of_a_graph_are_told() -> None:
    error = BadRequestError("two things", [])
    assert describe(error, 400)["problems"][0]["code"] == "bad-request"
    assert describe_with_class(InvalidGraphException("a"), 400)["type"] == "InvalidGraphException"
