from __future__ import annotations

from typing import Any

from dlg_translator.rest.routes import ROUTES, by_path


def test_the_description_has_every_route(site: Any) -> None:
    document = site.get("/openapi.json").json
    found = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert found == {(route.method, route.path) for route in ROUTES}
    assert site.get("/api").json == document
    assert document["openapi"].startswith("3.1")


def test_every_route_says_what_it_does_and_every_parameter_what_it_is() -> None:
    for route in ROUTES:
        assert route.summary.endswith("."), route
        assert all(param.help for param in route.params), route


def test_operations_have_names_of_their_own(site: Any) -> None:
    paths = site.get("/api").json["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_no_route_stands_in_the_table_twice() -> None:
    assert sum(len(methods) for methods in by_path().values()) == len(ROUTES)


def test_parameters_are_described_with_their_limits(site: Any) -> None:
    body = site.get("/api").json["paths"]["/partition"]["post"]["requestBody"]
    schema = body["content"]["application/x-www-form-urlencoded"]["schema"]
    assert schema["properties"]["num_partitions"]["minimum"] == 1
    assert schema["properties"]["algorithm"]["default"] == "metis"
    assert schema["additionalProperties"] is True


def test_every_get_route_answers_without_failing(site: Any) -> None:
    for route in ROUTES:
        if route.method == "GET":
            status = site.get(route.path.replace("{id}", "anything")).status
            assert status in {200, 400, 404}, route


def test_every_post_route_tells_what_is_missing(site: Any) -> None:
    for route in ROUTES:
        if route.method == "POST":
            reply = site.form(route.path.replace("{id}", "anything"))
            assert reply.status in {400, 404}, route
            assert reply.json["problems"], route
