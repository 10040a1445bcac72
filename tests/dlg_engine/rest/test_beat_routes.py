"""What the scheduler of experiments answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dlg.http.server import Server, in_thread
from dlg_engine.daemon.scheduling import SchedulingOptions, make_server
from dlg_engine.daemon.security import Security
from dlg_engine.rest.beat_service import BeatService
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.submitting import Site
from tests.dlg_engine.rest.asking import PATIENCE_S, ask, link, post
from tests.dlg_engine.scheduling.plans import Desk
from tests.dlg_engine.scheduling.prefixes import NAME, Prefix

BASE = "/api/v1/beat"
TOKEN = "only-for-biometricians-0123456789abcdef"


@pytest.fixture
def token() -> str:
    return ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "cache").mkdir()
    database = SchedulingDatabase(tmp_path / "jobs.db")
    yield Desk(database, tmp_path / "cache")
    database.close()


@pytest.fixture
def server(desk: Desk, tmp_path: Path, token: str) -> Iterator[Server]:
    (tmp_path / "site").mkdir()
    site = Site(prefix=Prefix(tmp_path / "site").path, cache=desk.cache)
    service = BeatService(desk.database, site, "tcp://127.0.0.1:1", "main")
    security = Security(token=token)
    options = SchedulingOptions(site=site, database="", port=0, security=security)
    with in_thread(make_server(options, service)) as found:
        yield found
    service.changes.close()


def _json(server: Server, path: str) -> Any:
    reply = ask(server.url, "GET", BASE + path)
    assert reply.status == 200, reply.body
    return reply.json


def test_an_experiment_is_scheduled_cancelled_and_deleted(server: Server, desk: Desk) -> None:
    made = post(server.url, f"{BASE}/experiments", {"name": NAME})
    assert made.status == 200, made.body
    assert (made.json["status"], made.json["blocks"]) == ("scheduled", {"pending": 3})
    assert [one["name"] for one in made.json["details"]] == ["one", "two", "sum"]
    assert ask(server.url, "DELETE", f"{BASE}/experiments/1").status == 400
    assert post(server.url, f"{BASE}/experiments/1/cancel").json == {"Status": "Success"}
    desk.advance()
    assert _json(server, "/experiments/1")["status"] == "pending"
    assert post(server.url, f"{BASE}/experiments/1/cancel").status == 400
    assert post(server.url, f"{BASE}/experiments/1/schedule").status == 200
    post(server.url, f"{BASE}/experiments/1/cancel")
    desk.advance()
    assert ask(server.url, "DELETE", f"{BASE}/experiments/1").status == 200
    assert _json(server, "/experiments") == {"experiments": [], "next": None}


def test_queues_and_workers_are_told_with_what_they_have(server: Server, desk: Desk) -> None:
    queue = desk.add_queue(cores=2)
    desk.add_worker("w", [queue], cores=4)
    desk.add({"a": (), "b": (), "c": ()})
    desk.advance()
    (told,) = _json(server, "/queues")["queues"]
    assert (told["waiting"], told["running"], told["workers"]) == (1, 2, ["w"])
    (one,) = _json(server, "/workers")["workers"]
    assert (one["cores"], one["cores_used"], one["running"]) == (4, 4, 2)
    assert one["queues"] == ["queue"]


def test_experiments_are_told_page_by_page(server: Server, desk: Desk) -> None:
    desk.add_queue()
    for name in "abc":
        desk.add({name: ()})
    first = _json(server, "/experiments?limit=2")
    assert [one["id"] for one in first["experiments"]] == [3, 2]
    rest = _json(server, f"/experiments?limit=2&before={first['next']}")
    assert [one["id"] for one in rest["experiments"]] == [1]
    assert rest["next"] is None


def test_an_experiment_that_cannot_be_run_is_refused_with_its_faults(server: Server) -> None:
    reply = post(server.url, f"{BASE}/experiments", {"name": "t/t/nothing/1/all"})
    assert reply.status == 400
    assert "Experiment declaration file not found" in reply.json["error"]
    reply = post(server.url, f"{BASE}/experiments", {"name": "../../etc/passwd"})
    assert reply.status == 400


@pytest.mark.parametrize("path", ["/experiments/7", "/experiments/7/results"])
def test_what_is_not_there_is_not_found(server: Server, path: str) -> None:
    reply = ask(server.url, "GET", BASE + path)
    assert (reply.status, reply.json["error"]) == (404, "there is no experiment 7")


def _next_event(answer: http.client.HTTPResponse) -> Any:
    while not (line := answer.readline()).startswith(b"data: "):
        assert line, "the stream has ended"
    return json.loads(line[6:])


def test_a_client_is_told_of_each_change(server: Server, desk: Desk) -> None:
    connection = link(server.url, PATIENCE_S)
    connection.request("GET", f"{BASE}/events")
    answer = connection.getresponse()
    assert _next_event(answer) == {"version": 0}
    desk.add_queue()
    desk.add({"a": ()})
    assert _next_event(answer)["version"] >= 1
    connection.close()


@pytest.mark.parametrize("token", [TOKEN])
def test_with_a_token_only_the_page_is_open(server: Server) -> None:
    assert ask(server.url, "GET", f"{BASE}/experiments").status == 401
    assert ask(server.url, "GET", "/").status == 200
    known = ask(server.url, "GET", f"{BASE}/experiments", Authorization=f"Bearer {TOKEN}")
    assert known.status == 200


def test_the_description_is_valid_and_has_every_answer(server: Server) -> None:
    document = ask(server.url, "GET", "/api/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"]["200"]["content"]
            told = content.get("application/json", {"schema": {}})
            assert "schema" in told, (method, path)


def test_the_page_loads_what_there_is(server: Server) -> None:
    page = ask(server.url, "GET", "/").body.decode()
    assert "static/beat.js" in page
    assert ask(server.url, "GET", "/static/beat.js").status == 200
