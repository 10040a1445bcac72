"""What is answered about a database of tasks, and what is refused."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import text as sql
from sqlalchemy import update

from dlg.http.server import Server, in_thread
from dlg_engine.daemon.security import Security
from dlg_engine.daemon.task_pages import TaskPagesOptions, make_server
from dlg_engine.rest.task_service import TaskService
from dlg_engine.tasks import schema
from dlg_engine.tasks.registering import NewTask
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.rest.asking import PATIENCE_S, Reply, ask, link, post
from tests.dlg_engine.tasks.databases import ENGINES, empty_database
from tests.dlg_engine.tasks.night import BROKEN, Night

BASE = "/api/v1"
TOKEN = "only-for-astronomers-0123456789abcdef"


@pytest.fixture
def token() -> str:
    return ""


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def night(tmp_path: Path, engine: str) -> Iterator[Night]:
    with (
        empty_database(engine, tmp_path) as url,
        TaskDatabaseConnection(tmp_path / "store", url) as tasks,
    ):
        found = Night(tasks, tmp_path / "made")
        yield found
        found.close()


@pytest.fixture
def server(night: Night, token: str) -> Iterator[Server]:
    service = TaskService(night.tasks.database, night.tasks.file_store_path, "sql")
    options = TaskPagesOptions(database="", port=0, security=Security(token=token))
    with in_thread(make_server(options, service)) as found:
        yield found
    service.changes.close()


def _json(server: Server, path: str) -> Any:
    reply = ask(server.url, "GET", BASE + path)
    assert reply.status == 200, reply.body
    return reply.json


def _of(server: Server, name: str) -> Any:
    """Return all of the task of this name."""
    (row,) = [r for r in _json(server, f"/tasks?text={name.replace(' ', '%20')}")["tasks"]
              if r["name"] == name]  # fmt: skip
    return _json(server, f"/tasks/{row['id']}")


def _version(server: Server, task: str) -> int:
    return int(_of(server, task)["products"][0]["versions"][0]["id"])


@pytest.mark.parametrize("engine", ENGINES)
def test_all_queries_answer_on_each_engine(server: Server, night: Night) -> None:
    night.submit()
    night.work()
    assert _json(server, "/jobs")["jobs"][0]["states"] == {
        "waiting": 1, "done": 24, "failed": 7, "blocked": 2,
    }  # fmt: skip
    assert _json(server, "/tasks?job=transits&state=failed&type=search")["total"] == 6
    assert {one["type"] for one in _json(server, "/progress?job=transits")["types"]} == {
        "count", "make", "null", "search",
    }  # fmt: skip
    assert len(_json(server, "/timeline?job=transits")["spans"]) == 31
    found = _json(server, "/map?job=transits&type=search&x=task:period&y=task:radius")
    assert (len(found["cells"]), found["left_out"]) == (16, 0)
    found = _json(server, "/map?type=search&x=attempt:found")
    assert found["x"]["labels"] == ["false", "true"]
    names = {one["name"] for one in _json(server, "/map/keywords?type=search")["keywords"]}
    assert names >= {"task:planet", "task:period", "task:radius", "attempt:found"}
    assert len(_json(server, "/map/tiles?type=make")["tiles"]) == 16
    assert len(_json(server, "/now")["recent"]) == 20
    assert _json(server, "/logs?level=40")["messages"][0]["text"] == "the star has gone out"
    assert _of(server, "star 0")["attempts"][0]["verdict"] is True
    reply = post(server.url, f"{BASE}/retry", {"job": "transits"})
    assert reply.json == {"tasks": 7}


def test_jobs_are_listed_newest_first_and_page_by_page(server: Server, night: Night) -> None:
    for run in ("a", "b", "c"):
        night.submit(namespace=run, planets=1)
    first = _json(server, "/jobs?limit=2")
    assert [one["namespace"] for one in first["jobs"]] == ["c", "b"]
    rest = _json(server, f"/jobs?limit=2&before={first['next']}")
    assert [one["namespace"] for one in rest["jobs"]] == ["a"]
    assert rest["next"] is None


def test_a_job_is_a_tree_of_which_one_level_comes_at_a_time(server: Server, night: Night) -> None:
    night.submit()
    (root,) = _json(server, "/tasks?job=transits&namespace=run%201&parent=0")["tasks"]
    assert root["below"] == {"waiting": 17, "active": 16}
    first = _json(server, f"/tasks?parent={root['id']}&limit=30")
    assert (len(first["tasks"]), first["total"]) == (30, 33)
    rest = _json(server, f"/tasks?parent={root['id']}&limit=30&after={first['next']}")
    assert (len(rest["tasks"]), rest["next"]) == (3, None)


def test_a_task_is_told_with_all_attempts_products_and_neighbours(
    server: Server, night: Night
) -> None:
    night.submit()
    night.work("host7:1")
    found = _of(server, "search 7")
    assert [one["name"] for one in found["above"]] == ["transits"]
    assert (found["task"]["verdict"], found["attempts"][0]["worker"]) == ("passed", "host7:1")
    (product,) = found["products"]
    assert (product["semantic"], product["filename"]) == ("verdict", "verdict_007.json")
    assert product["versions"][0]["passed"] is True
    assert [one["by"] for one in found["needs"]] == ["lightcurve"]
    assert [one["name"] for one in found["followers"]] == ["recovery"]
    assert found["metadata"] == {"planet": 7, "period": 4.3, "radius": 8.0}
    failed = _of(server, f"star {BROKEN}")
    assert "ValueError: the star has gone out" in failed["attempts"][0]["error"]


def test_who_was_refused_by_quality_control_is_told_apart_from_who_failed(
    server: Server, night: Night
) -> None:
    night.submit()
    night.work()
    verdicts = {one["name"]: one["verdict"] for one in _json(server, "/map/tiles")["tiles"]}
    assert verdicts["search 0"] == "rejected"
    assert verdicts[f"star {BROKEN}"] == "failed"
    assert verdicts[f"search {BROKEN}"] == "blocked"
    assert verdicts["search 7"] == "passed"


@pytest.mark.parametrize("engine", ENGINES)
def test_many_numbers_are_put_into_bins_of_a_map(server: Server, night: Night) -> None:
    night.submit(planets=60)
    found = _json(server, "/map?type=make&x=task:planet")
    assert (len(found["x"]["edges"]), found["x"]["log"]) == (15, False)
    bins = Counter(min(13, planet * 14 // 59) for planet in range(60))
    assert {cell["x"]: sum(cell["verdicts"].values()) for cell in found["cells"]} == bins
    assert found["x"]["labels"][0] == "0 to 4.21"


def test_a_map_shows_what_attempts_say_they_have_found(server: Server, night: Night) -> None:
    night.passes_all = True
    night.submit()
    night.work()
    path = "/map?type=search&x=task:radius"
    counts = _totals(_json(server, path))
    assert counts == {"passed": 15, "blocked": 1}
    said = {one["name"]: one["verdict"] for one in _json(server, "/map/keywords")["keywords"]}
    assert (said["attempt:found"], said["task:radius"]) == (True, False)
    assert _totals(_json(server, f"{path}&by=attempt:found")) == {
        "passed": 9, "rejected": 6, "blocked": 1,
    }  # fmt: skip


def _totals(found: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for cell in found["cells"]:
        for verdict, count in cell["verdicts"].items():
            counts[verdict] = counts.get(verdict, 0) + count
    return counts


def test_what_runs_is_told_with_its_worker(server: Server, night: Night) -> None:
    night.submit(planets=2)
    with night.held("host2:7"):
        (one,) = _json(server, "/now")["running"]
        assert (one["worker"], one["type"], one["state"]) == ("host2:7", "make", "running")
        (span,) = _json(server, "/timeline")["spans"]
        assert span["ended"] is None
        progress = {one["type"]: one for one in _json(server, "/progress")["types"]}
        assert progress["make"]["attempts"] == {"queued": 1, "running": 1}


def test_messages_are_found_by_level_task_and_text(server: Server, night: Night) -> None:
    night.submit()
    night.work()
    assert len(_json(server, "/logs?limit=10")["messages"]) == 10
    assert {one["level"] for one in _json(server, "/logs?level=30")["messages"]} == {30, 40}
    number = _of(server, "star 0")["task"]["id"]
    (one,) = _json(server, f"/logs?task={number}")["messages"]
    assert (one["task"], one["name"]) == (number, "star 0")
    assert len(_json(server, "/logs?text=GONE%20OUT")["messages"]) == 1
    assert _json(server, "/logs?text=100%25")["messages"] == []


def test_pictures_text_and_json_are_shown(server: Server, night: Night) -> None:
    night.submit()
    night.broken.clear()
    night.work()
    picture = _json(server, f"/versions/{_version(server, 'star 0')}/preview?most=16")
    assert (picture["kind"], picture["type"]) == ("image", "image/svg+xml")
    text = _json(server, f"/versions/{_version(server, 'search 7')}/preview")
    assert (text["kind"], json.loads(text["text"])["found"]) == ("json", True)


def test_a_file_is_given_to_be_kept_and_never_to_be_shown(server: Server, night: Night) -> None:
    night.submit()
    night.work()
    reply = ask(server.url, "GET", f"{BASE}/versions/{_version(server, 'star 0')}/file")
    assert reply.body.startswith(b"<svg")
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="star_000.svg"'
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def _place(night: Night, version: int) -> Path:
    return Path(str(night.tasks.file_version_path_for_id(version)))


def _refused(server: Server, version: int) -> list[int]:
    """Return how a version is refused: to be shown, and to be kept."""
    paths = (f"{BASE}/versions/{version}/{what}" for what in ("preview", "file"))
    return [ask(server.url, "GET", path).status for path in paths]


def test_a_link_that_leaves_the_store_is_not_followed(
    server: Server, night: Night, tmp_path: Path
) -> None:
    night.submit(planets=1)
    night.work()
    version = _version(server, "star 0")
    place = _place(night, version)
    secret = tmp_path / "secret"
    secret.write_bytes(place.read_bytes())
    place.unlink()
    place.symlink_to(secret)
    assert _refused(server, version) == [404, 404]


def test_a_place_in_the_database_that_leaves_the_store_is_refused(
    server: Server, night: Night, tmp_path: Path
) -> None:
    night.submit(planets=1)
    night.work()
    version = _version(server, "star 0")
    for directory in ("../made", str(tmp_path)):
        with night.tasks.transaction() as session:
            session.execute(update(schema.product).values(directory=directory))
        assert _refused(server, version) == [400, 400]


def test_a_file_that_was_changed_is_not_given(server: Server, night: Night) -> None:
    night.submit(planets=1)
    night.work()
    version = _version(server, "star 0")
    place = _place(night, version)
    content = place.read_bytes()
    place.write_bytes(content[::-1])
    assert ask(server.url, "GET", f"{BASE}/versions/{version}/file").status == 409
    place.write_bytes(content + b"more")
    assert _refused(server, version) == [409, 409]


def test_an_answer_breaks_off_if_a_long_file_was_changed(server: Server, night: Night) -> None:
    (number,) = night.tasks.tasks_register([NewTask(task_type="make", outputs={"all": "all.bin"})])
    attempt_id = night.tasks.execution_attempt_register(number)
    attempt = night.tasks.execution_attempt_lookup(attempt_id)
    assert attempt is not None
    night.give(attempt, "all", bytes(3 << 20))
    assert len(ask(server.url, "GET", f"{BASE}/versions/1/file").body) == 3 << 20
    _place(night, 1).write_bytes(bytes((3 << 20) - 1) + b"!")
    with pytest.raises(http.client.HTTPException):
        ask(server.url, "GET", f"{BASE}/versions/1/file")


def test_a_failed_task_is_tried_again_and_those_behind_it_go_on(
    server: Server, night: Night
) -> None:
    night.submit(planets=4)
    night.work()
    night.broken.clear()
    failed = _of(server, f"star {BROKEN}")["task"]["id"]
    reply = post(server.url, f"{BASE}/tasks/{failed}/retry")
    assert reply.json == {"Status": "Success"}
    night.work()
    assert len(_of(server, f"star {BROKEN}")["attempts"]) == 2
    assert _of(server, f"search {BROKEN}")["task"]["state"] == "done"


def test_what_has_not_failed_is_not_tried_again(server: Server, night: Night) -> None:
    night.submit(planets=4)
    night.work()
    done = _of(server, "star 0")["task"]["id"]
    reply = post(server.url, f"{BASE}/tasks/{done}/retry")
    assert (reply.status, reply.json["error"]) == (
        400, f"task {done} is done, it has not failed",
    )  # fmt: skip


WRONG = [
    ("/tasks/99", 404), ("/versions/99/preview", 404), ("/versions/99/file", 404),
    ("/tasks/x", 400), ("/tasks?limit=100000", 400), ("/tasks?limit=0", 400),
    ("/timeline?limit=1000000", 400), ("/logs?before=-1", 400),
    ("/map?x=version:md5", 400), ("/map?x=error_text", 400), ("/map", 400),
    ("/map?x=task:a&by=b", 400),
    ("/versions/..%2F..%2Fetc%2Fpasswd/file", 400), ("/versions/1/file/../../x", 404),
    ("/tasks?colour=red", 400), ("/versions/1/preview?most=99999999", 400),
    ("/tasks/99999999999999999999", 400),
]  # fmt: skip


def test_what_is_wrong_is_refused_with_a_reason(server: Server) -> None:
    for path, status in WRONG:
        reply = ask(server.url, "GET", BASE + path)
        assert reply.status == status, (path, reply.body)
        assert reply.json["error"], path


@pytest.mark.parametrize("engine", ENGINES)
def test_what_no_database_can_hold_is_only_not_found(server: Server) -> None:
    for text in ("%00", "a%00b", "%F0%9F%AA%90", "%ED%A0%80", "x" * 5000):
        for path in (f"/tasks?text={text}", f"/tasks?job={text}", f"/tasks?type={text}",
                     f"/tasks?state={text}", f"/logs?text={text}", f"/map?x=task:{text}",
                     "/jobs?before=7&limit=1", f"/map/tiles?namespace={text}"):  # fmt: skip
            assert ask(server.url, "GET", BASE + path).status in {200, 400}, path
    assert ask(server.url, "GET", f"{BASE}/logs?before={1 << 64}").status == 400


def test_signs_of_queries_are_only_text(server: Server, night: Night) -> None:
    night.submit(planets=1)
    for text in ("%25' OR 1=1 --", "'; DROP TABLE eas_task; --", "_"):
        assert _json(server, f"/tasks?text={text.replace(' ', '%20')}")["tasks"] == []
        assert _json(server, f"/tasks?job={text.replace(' ', '%20')}")["tasks"] == []
    assert _json(server, "/tasks")["total"] == 4


def _retry(server: Server, **headers: str) -> Reply:
    return ask(server.url, "POST", f"{BASE}/retry", b"", **headers)


def test_pages_of_others_and_other_names_of_this_host_may_do_nothing(server: Server) -> None:
    assert _retry(server, Origin="http://evil.example.org").status == 403
    assert _retry(server, Host="evil.example.org").status == 421
    assert ask(server.url, "GET", f"{BASE}/jobs", Host="evil.example.org").status == 421
    assert _retry(server, Origin=server.url).status == 200


def test_answers_say_that_nothing_may_be_loaded_from_elsewhere(server: Server) -> None:
    policy = ask(server.url, "GET", "/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy


@pytest.mark.parametrize("token", [TOKEN])
def test_with_a_token_only_the_page_is_open(server: Server, night: Night) -> None:
    night.submit(planets=1)
    night.work()
    for path in ("/jobs", "/tasks/1", "/versions/1/file", "/versions/1/preview", "/events"):
        assert ask(server.url, "GET", BASE + path).status == 401
    assert _retry(server).status == 401
    assert ask(server.url, "GET", "/").status == 200
    assert ask(server.url, "GET", "/health").status == 200
    known = {"Authorization": f"Bearer {TOKEN}"}
    assert ask(server.url, "GET", f"{BASE}/versions/1/file", **known).status == 200


def _next_event(answer: http.client.HTTPResponse) -> Any:
    while not (line := answer.readline()).startswith(b"data: "):
        assert line, "the stream has ended"
    return json.loads(line[6:])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_is_told_of_changes_by_others(server: Server, night: Night) -> None:
    connection = link(server.url, PATIENCE_S)
    connection.request("GET", f"{BASE}/events")
    answer = connection.getresponse()
    first = _next_event(answer)["version"]
    night.submit(planets=1)
    assert _next_event(answer)["version"] > first
    connection.close()


@pytest.mark.services
@pytest.mark.parametrize("engine", ["postgresql"])
def test_changes_are_told_after_the_connection_to_the_database_was_lost(
    server: Server, night: Night
) -> None:
    connection = link(server.url, PATIENCE_S)
    connection.request("GET", f"{BASE}/events")
    answer = connection.getresponse()
    with night.tasks.database.transaction() as session:
        query = "pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN %'"
        ended = session.execute(sql(f"select {query} and datname = current_database()")).all()
    assert len(ended) == 1
    version = _next_event(answer)["version"]
    while version < 3:  # of the first look, of listening anew, and of what follows
        night.submit(namespace=f"run {version}", planets=1)
        version = _next_event(answer)["version"]
    connection.close()


def test_the_description_is_valid_and_has_every_answer(server: Server) -> None:
    document = ask(server.url, "GET", "/api/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"]["200"]["content"]
            told = content.get("application/json", {"schema": {}})
            assert "schema" in told, (method, path)
            assert operation["summary"].endswith("."), (method, path)


def test_answers_are_as_they_are_described(server: Server, night: Night) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    night.submit(planets=4)
    night.work()
    document = ask(server.url, "GET", "/api/openapi.json").json
    paths = {
        "/jobs": "", "/tasks": "", "/tasks/{id}": "", "/now": "", "/progress": "",
        "/timeline": "", "/map/keywords": "", "/map/tiles": "", "/logs": "", "/database": "",
        "/versions/{id}/preview": "", "/map": "?x=task:radius",
    }  # fmt: skip
    for path, query in paths.items():
        operation = document["paths"][BASE + path]["get"]
        told = operation["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {**told, "components": document["components"]}
        jsonschema.validate(_json(server, path.replace("{id}", "2") + query), whole)
