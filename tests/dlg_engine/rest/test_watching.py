"""Watching sessions over REST at all levels: nothing is missed and nothing is told twice."""

from __future__ import annotations

import http.client
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from dlg.clients import ManagerClient, NodeManagerClient
from dlg.clients.events import follow
from dlg.exceptions import InvalidSessionState, NoSessionException, UsageError
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import Specs, app, data

ADD = "def add(x):\n    return x + 1"
WAIT = {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
LEVELS = ("node", "island", "master")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture(params=LEVELS)
def manager(cluster: Cluster, request: pytest.FixtureRequest) -> Process:
    found: Process = cluster.nodes[0] if request.param == "node" else getattr(
        cluster, request.param
    )  # fmt: skip
    return found


@pytest.fixture
def client(manager: Process) -> ManagerClient:
    return manager.client(ManagerClient)


@pytest.fixture
def names(cluster: Cluster, manager: Process) -> list[str]:
    if manager is cluster.nodes[0]:
        return [manager.name]
    return [node.name for node in cluster.nodes]


@pytest.fixture
def session(client: ManagerClient) -> Iterator[str]:
    name = f"night {next(_numbers)}"
    client.create_session(name)
    yield name
    client.destroy_session(name)


def chain(names: list[str], length: int) -> Specs:
    place = itertools.cycle(names)
    specs = [data("d0", next(place), pydata=0, name="the start")]
    for i in range(length):
        specs.append(app(f"a{i}", ADD, next(place), inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", next(place), expireAfterUse=False))
    return specs


def start(client: ManagerClient, session: str, specs: Specs) -> None:
    client.append_graph(session, specs)
    client.deploy_session(session)


def changes(events: list[Any]) -> list[list[Any]]:
    return [one for event in events if event.name == "changes" for one in event.data["changes"]]


def pieces(client: ManagerClient, session: str, last: str, most: int) -> list[dict[str, Any]]:
    """Return up to `most` events after `last`, then hang up."""
    path = f"/api/v1/sessions/{session.replace(' ', '%20')}/events"
    link = http.client.HTTPConnection(client.link.host, client.link.port, timeout=30)
    found: list[dict[str, Any]] = []
    with closing(link):
        link.request("GET", path, headers={"Last-Event-ID": last} if last else {})
        answer = link.getresponse()
        assert answer.status == 200
        event: dict[str, Any] = {}
        for line in (raw.decode().rstrip("\n") for raw in iter(answer.readline, b"")):
            key, _, value = line.partition(": ")
            if line:
                event[key] = value
                continue
            found += [event] if "data" in event else []
            event = {}
            if len(found) == most:
                break
    return found


def test_a_client_that_follows_a_session_is_told_every_change_and_its_end(
    client: ManagerClient, names: list[str], session: str
) -> None:
    start(client, session, chain(names, 20))
    told = list(follow(client.link, session))
    assert (told[0].name, told[-1].name) == ("session", "session")
    assert told[0].data["ended"] is None
    assert told[-1].data["state"] == "FINISHED"
    assert told[-1].data["ended"] >= told[-1].data["started"] >= told[-1].data["created"]
    last = {oid: (status, ran) for oid, status, ran, _time in changes(told)}
    states = client.graph_status(session)
    assert last == {oid: (s["status"], s.get("execStatus")) for oid, s in states.items()}
    # Data completes; an app runs and finishes.
    assert len(changes(told)) == told[-1].data["version"]
    times = Counter(oid for oid, *_ in changes(told))
    assert {times[f"a{i}"] for i in range(20)} == {2}


def test_a_client_that_is_cut_off_again_and_again_gets_each_change_once(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 60)
    client.append_graph(session, specs)
    client.deploy_session(session)
    last, got, over = "", [], False
    while not over:
        for event in pieces(client, session, last, 2):
            told = json.loads(event["data"])
            over = event["event"] == "session" and told["ended"] is not None
            if event["event"] == "changes":
                last = event["id"]
                got += told["changes"]
    assert len(got) == int(last) == client.session_summary(session)["version"]
    whole = changes(list(follow(client.link, session)))
    assert got == whole


def test_events_name_drops_by_row_for_those_who_want_it(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 4)
    start(client, session, specs)
    told = list(follow(client.link, session, form="rows"))
    oids = [spec["oid"] for spec in specs]
    assert {oids[row] for row, *_ in changes(told)} == set(oids)
    again = changes(list(follow(client.link, session)))
    assert [oids[row] for row, *_ in changes(told)] == [oid for oid, *_ in again]


def test_a_status_since_a_version_has_what_changed_after_it(
    client: ManagerClient, names: list[str], session: str
) -> None:
    start(client, session, chain(names, 5))
    list(follow(client.link, session))
    get = client.link.get
    whole = get("v1", "sessions", session, "status")
    assert whole["drops"] == client.graph_status(session)
    version = whole["version"]
    assert get("v1", "sessions", session, "status", since=version)["drops"] == {}
    some = get("v1", "sessions", session, "status", since=version - 1)
    ((oid, state),) = some["drops"].items()
    assert state == whole["drops"][oid]
    with pytest.raises(UsageError, match="is to come"):
        get("v1", "sessions", session, "status", since=version + 1)


def test_a_failure_and_what_it_stops_are_told_while_they_happen(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 4)
    specs[1]["func_code"] = "def f(x):\n    raise ValueError('cloudy')"
    start(client, session, specs)
    told = list(follow(client.link, session))
    assert told[-1].data["state"] == "FAILED"
    (error,) = told[-1].data["errors"]
    assert (error["uid"], error["exception"]) == ("a0", "ValueError: cloudy")
    assert error["node"] == specs[1]["node"]
    assert error["stopped"] >= 1
    assert told[-1].data["counts"]["ERROR"] >= 7


def test_a_session_that_is_cancelled_ends_for_those_who_watch(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 2)
    specs[1] |= WAIT
    start(client, session, specs)
    events = follow(client.link, session)
    assert next(events).data["state"] == "RUNNING"
    client.cancel_session(session)
    rest = list(events)
    assert rest[-1].data["state"] == "CANCELLED"
    assert rest[-1].data["reason"] == "cancelled"
    ends = {oid: status for oid, status, *_ in changes(rest)}
    assert ends["a0"] == ends["d2"] == 6


def test_a_session_that_is_deleted_ends_for_those_who_watch(
    client: ManagerClient, names: list[str]
) -> None:
    client.create_session("gone")
    specs = chain(names, 2)
    specs[1] |= WAIT
    start(client, "gone", specs)
    events = follow(client.link, "gone")
    next(events)
    client.destroy_session("gone")
    assert list(events)[-1].data["state"] == "CANCELLED"
    with pytest.raises(NoSessionException):
        next(follow(client.link, "gone"))


def test_a_session_can_be_followed_from_before_its_deployment(
    client: ManagerClient, names: list[str], session: str
) -> None:
    events = follow(client.link, session)
    assert next(events).data["state"] == "PRISTINE"
    start(client, session, chain(names, 3))
    rest = list(events)
    assert rest[-1].data["state"] == "FINISHED"
    assert len(changes(rest)) == rest[-1].data["version"]


def test_sessions_are_listed_newest_first_page_by_page(
    client: ManagerClient, names: list[str], session: str
) -> None:
    more = [f"page {next(_numbers)}" for _ in range(4)]
    for name in more:
        client.create_session(name)
    client.append_graph(more[-1], chain(names, 1))
    first = client.link.get("v1", "sessions", limit=3)
    assert [one["sessionId"] for one in first["sessions"]] == more[:0:-1]
    assert (first["sessions"][0]["drops"], first["sessions"][0]["state"]) == (3, "BUILDING")
    second = client.link.get("v1", "sessions", limit=2, after=first["next"])
    assert [one["sessionId"] for one in second["sessions"]] == [more[0], session]
    for name in more:
        client.destroy_session(name)
    with pytest.raises(NoSessionException):
        client.link.get("v1", "sessions", after=more[0])


def test_drops_are_listed_by_state_and_text_page_by_page(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 4)
    specs[5]["func_code"] = "def f(x):\n    raise ValueError('cloudy')"
    start(client, session, specs)
    list(follow(client.link, session))

    def drops(**query: Any) -> dict[str, Any]:
        return dict(client.link.get("v1", "sessions", session, "drops", **query))

    page = drops(limit=4)
    assert (page["total"], page["next"]) == (9, 4)
    assert [(d["row"], d["oid"], d["kind"]) for d in page["drops"]] == [
        (0, "d0", "data"), (1, "a0", "app"), (2, "d1", "data"), (3, "a1", "app")
    ]  # fmt: skip
    assert page["drops"][1]["category"] == "PyFuncApp"
    assert page["drops"][1]["execStatus"] == 2
    assert page["drops"][0]["execStatus"] is None
    assert page["drops"][0]["node"] == specs[0]["node"]
    assert drops(offset=8)["next"] is None
    assert [d["oid"] for d in drops(state="error", text="a")["drops"]] == ["a2", "a3"]
    assert [d["oid"] for d in drops(text="THE START")["drops"]] == ["d0"]
    with pytest.raises(UsageError, match="no state 'odd'"):
        drops(state="odd")


def test_the_timeline_tells_who_ran_when_on_which_node(
    client: ManagerClient, names: list[str], session: str
) -> None:
    specs = chain(names, 4)
    start(client, session, specs)
    list(follow(client.link, session))
    found = client.link.get("v1", "sessions", session, "timeline")
    assert sorted(found["nodes"]) == sorted({str(spec["node"]) for spec in specs})
    assert [span[0] for span in found["spans"]] == [1, 3, 5, 7]
    for row, node, began, ended, status in found["spans"]:
        assert found["nodes"][node] == specs[row]["node"]
        assert began <= ended
        assert status == 2
    few = client.link.get("v1", "sessions", session, "timeline", most=3)
    assert (len(few["spans"]), few["dropped"]) == (3, 1)


def test_what_is_wrong_with_a_question_is_told(client: ManagerClient, session: str) -> None:
    with pytest.raises(InvalidSessionState, match="has not been deployed"):
        client.link.get("v1", "sessions", session, "drops")
    with pytest.raises(UsageError, match="no form of events"):
        client.link.get("v1", "sessions", session, "events", form="odd")
    with pytest.raises(UsageError, match="at least 0"):
        client.link.get("v1", "sessions", session, "status", since=-1)
    assert client.link.get("v1", "sessions", session, "status") == {"version": 0, "drops": {}}


def test_an_island_shows_the_sessions_that_a_master_runs(cluster: Cluster) -> None:
    master, island = cluster.master.client(ManagerClient), cluster.island.client(ManagerClient)
    specs = chain([node.name for node in cluster.nodes], 6)
    master.create_session("both")
    start(master, "both", specs)
    above = list(follow(master.link, "both"))
    below = list(follow(island.link, "both"))
    assert below[-1].data["state"] == above[-1].data["state"] == "FINISHED"
    assert below[-1].data["version"] == above[-1].data["version"]
    assert sorted(map(tuple, changes(below))) == sorted(map(tuple, changes(above)))
    assert island.graph_status("both") == master.graph_status("both")
    assert island.graph_size("both") == len(specs)
    master.destroy_session("both")


def test_a_node_that_is_killed_ends_the_session_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Cluster(2, tmp_path_factory.mktemp("loss"), master=True) as cluster:
        client = cluster.master.client(ManagerClient)
        first, second = (node.name for node in cluster.nodes)
        client.create_session("night")
        start(client, "night", [
            data("a", first, pydata=1), app("f", "", second, inputs=["a"], outputs=["b"]) | WAIT,
            data("b", first),
        ])  # fmt: skip
        events = follow(client.link, "night")
        next(events)
        cluster.nodes[1].process.kill()
        rest = list(events)
        assert rest[-1].data["state"] == "FAILED"
        assert f"node {second}" in rest[-1].data["reason"]
        other = cluster.nodes[0].client(NodeManagerClient)
        assert list(follow(other.link, "night"))[-1].data["state"] == "FAILED"
