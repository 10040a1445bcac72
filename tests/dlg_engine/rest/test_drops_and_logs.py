"""Single drops and logs over REST at all levels: errors in full, previews, who said what."""

from __future__ import annotations

import base64
import http.client
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dlg.clients import ManagerClient, watching
from dlg.clients.events import follow
from dlg.exceptions import InvalidSessionState, NoDropException, UsageError
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.managers.conftest import Specs, app, data

SAY = """
import logging

def say(x):
    logging.getLogger("mine").info("x is %s <b>", x)
    return x + 1
"""
FAIL = "def f(x):\n    raise ValueError('cloudy')"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture(params=["node", "island", "master"])
def manager(cluster: Cluster, request: pytest.FixtureRequest) -> Process:
    first = cluster.nodes[0]
    found: Process = first if request.param == "node" else getattr(cluster, request.param)
    return found


@pytest.fixture
def client(manager: Process) -> ManagerClient:
    return manager.client(ManagerClient)


@pytest.fixture
def names(cluster: Cluster, manager: Process) -> list[str]:
    every = [node.name for node in cluster.nodes]
    return every[:1] * 2 if manager is cluster.nodes[0] else every


@pytest.fixture
def session(client: ManagerClient) -> Iterator[str]:
    name = f"drops-{next(_numbers)}"
    client.create_session(name)
    yield name
    client.destroy_session(name)


def run(client: ManagerClient, session: str, specs: Specs) -> Any:
    client.append_graph(session, specs)
    client.deploy_session(session)
    return list(follow(client.link, session))[-1].data


def page(client: ManagerClient, path: str) -> tuple[int, str, str]:
    link = http.client.HTTPConnection(client.link.host, client.link.port, timeout=30)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, str(answer.getheader("Content-Type")), answer.read().decode()
    finally:
        link.close()


def get(client: ManagerClient, session: str, *path: str, **query: Any) -> Any:
    return client.link.get("v1", "sessions", session, "drops", *path, **query)


def test_a_drop_is_told_with_its_error_its_times_and_its_links(
    client: ManagerClient, names: list[str], session: str
) -> None:
    first, second = names
    run(client, session, [
        data("in", first, pydata=1), app("bad", FAIL, second, name="the bad one",
                                         inputs=["in"], outputs=["out/put"]),
        data("out/put", first),
    ])  # fmt: skip
    found = get(client, session, "bad")
    assert (found["row"], found["name"], found["kind"]) == (1, "the bad one", "app")
    assert (found["status"], found["execStatus"], found["node"]) == (3, 3, second)
    error = found["error"]
    assert (error["class"], error["message"]) == ("ValueError", "cloudy")
    assert error["module"] == "builtins"
    assert "line 2, in f\nValueError: cloudy" in error["traceback"]
    assert found["began"] <= found["ended"]
    assert found["spec"]["func_code"] == FAIL
    assert (found["links"]["inputs"], found["links"]["outputs"]) == (["in"], ["out/put"])
    assert get(client, session, "in")["links"]["consumers"] == ["bad"]
    last = get(client, session, "out/put")
    assert last["links"]["producers"] == ["bad"]
    assert last["error"] is None
    with pytest.raises(NoDropException):
        get(client, session, "none")


def test_the_log_of_a_drop_is_told_at_every_level_and_in_the_known_form(
    client: ManagerClient, names: list[str], session: str
) -> None:
    first, second = names
    run(client, session, [
        data("in", first, pydata=1), app("say", SAY, first, inputs=["in"], outputs=["mid"]),
        data("mid", first), app("bad", FAIL, second, inputs=["mid"], outputs=["out"]),
        data("out", second),
    ])  # fmt: skip
    (line,) = get(client, session, "say", "logs")["logs"]
    assert (line["level"], line["module"], line["function"]) == ("INFO", "mine", "say")
    assert line["message"] == "x is 1 <b>"
    (failed,) = get(client, session, "bad", "logs")["logs"]
    assert failed["message"].startswith("drop bad failed\nTraceback")
    old = client.link.get("sessions", session, "graph", "drop", "say")
    assert (old["session"], old["oid"], old["status"]) == (session, "say", 2)
    (told,) = old["logs"]
    assert list(told) == ["time", "Level", "Module", "Function/Method", "Line #", "Message"]
    assert told["Message"] == "x is 1 &lt;b&gt;"
    status, kind, text = page(client, f"/sessions/{session}/graph/drop/say")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "x is 1 &lt;b&gt;" in text


def test_the_log_of_a_session_has_all_its_nodes_in_order_of_time(
    client: ManagerClient, names: list[str], session: str
) -> None:
    first, second = names
    run(client, session, [
        data("d0", first, pydata=1), app("a0", SAY, first, inputs=["d0"], outputs=["d1"]),
        data("d1", first), app("a1", SAY, second, inputs=["d1"], outputs=["d2"]),
        data("d2", second),
    ])  # fmt: skip
    for path in (f"/api/v1/sessions/{session}/logs", f"/api/sessions/{session}/logs"):
        status, kind, text = page(client, path)
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        lines = text.splitlines()
        assert lines == sorted(lines, key=lambda line: line[:24])
        assert any(f"[{first}/a0] mine: x is 1 <b>" in line for line in lines)
        assert any(f"[{second}/a1] mine: x is 2 <b>" in line for line in lines)
        assert any("is FINISHED" in line for line in lines)


def test_the_functions_for_clients_ask_for_all_of_it(
    client: ManagerClient, names: list[str], session: str
) -> None:
    run(client, session, [
        data("in", names[0], pydata="words", expireAfterUse=False),
        app("say", "def f(x):\n    return x", names[1], inputs=["in"]),
    ])  # fmt: skip
    link = client.link
    assert watching.list_sessions(link, limit=1)["sessions"][0]["sessionId"] == session
    assert watching.list_sessions(link, after=session)["next"] is None
    found = watching.states_since(link, session)
    assert found["drops"]["say"] == {"status": 2, "execStatus": 2}
    assert watching.states_since(link, session, found["version"])["drops"] == {}
    assert watching.list_drops(link, session, state="FINISHED")["drops"][0]["oid"] == "say"
    assert watching.drop_logs(link, session, "say") == []
    assert watching.preview(link, session, "in", 2)["text"] == "wo"
    assert [span[0] for span in watching.timeline(link, session)["spans"]] == [1]
    assert f"session {session} is FINISHED" in watching.session_log(link, session)


def test_what_a_command_prints_is_in_its_log(
    client: ManagerClient, names: list[str], session: str
) -> None:
    bash = {"dropclass": "dlg.apps.bash.BashShellApp", "command": "echo out; echo err >&2"}
    run(client, session, [
        data("in", names[0], pydata=1), app("sh", "", names[1], inputs=["in"]) | bash,
    ])  # fmt: skip
    said = [line["message"] for line in get(client, session, "sh", "logs")["logs"]]
    assert "the command printed on stdout:\nout\n" in said
    assert "the command printed on stderr:\nerr\n" in said


def test_data_is_previewed_as_what_it_is(
    client: ManagerClient, names: list[str], session: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    keep = {"expireAfterUse": False}
    file = {"dropclass": "dlg.data.file.FileDROP"}
    linker = app("link", "", names[1], inputs=["in"], outputs=["link.txt"]) | {
        "dropclass": "dlg.apps.bash.BashShellApp",
        "command": f"ln -s {tmp_path / 'secret'} %o0",
    }
    run(client, session, [
        data("in", names[0], pydata=1, **keep),
        data("words", names[1], pydata="words", **keep),
        data("list", names[1], pydata={"type": "list", "value": list(range(1000))}, **keep),
        linker, data("link.txt", names[1], **keep) | file | {"filepath": "link.txt"},
        data("far", names[1], **keep) | file | {"filepath": str(tmp_path / "secret")},
        app("w", "", names[1], inputs=["in"], outputs=["pic", "doc", "raw"]) | {
            "dropclass": "dlg.apps.bash.BashShellApp",
            "command": f"echo {base64.b64encode(PNG).decode()} | base64 -d > %o0; "
                       "echo '{\"n\": 1}' > %o1; head -c 100 /dev/zero > %o2",
        },
        data("pic", names[1]) | file, data("doc", names[1]) | file,
        data("raw", names[1]) | file,
    ])  # fmt: skip

    def shown(oid: str, **query: Any) -> Any:
        return get(client, session, oid, "preview", **query)

    pic = shown("pic")
    assert (pic["kind"], pic["type"], pic["whole"]) == ("image", "image/png", True)
    assert base64.b64decode(pic["base64"]) == PNG
    assert (shown("doc")["kind"], shown("doc")["text"]) == ("json", '{"n": 1}\n')
    cut = shown("doc", most=4)
    assert (cut["kind"], cut["text"], cut["size"], cut["whole"]) == ("text", '{"n"', 9, False)
    assert shown("raw", most=10)["kind"] == "binary"
    assert (shown("words")["text"], shown("words")["whole"]) == ("words", True)
    several = shown("list", most=100)
    assert (several["type"], several["whole"]) == ("text/x-python", False)
    assert several["text"].startswith("[0, 1, 2, ")
    assert len(several["text"]) <= 100
    assert shown("link.txt")["kind"] == shown("far")["kind"] == "none"
    assert shown("w")["kind"] == "none"
    with pytest.raises(UsageError, match="at most"):
        shown("doc", most=1 << 30)


def test_drops_of_a_session_that_is_not_deployed_are_refused(
    client: ManagerClient, names: list[str], session: str
) -> None:
    client.append_graph(session, [data("d", names[0])])
    with pytest.raises(InvalidSessionState):
        get(client, session, "d")
    status, _kind, text = page(client, f"/api/sessions/{quote(session)}/logs")
    assert status == 200
    assert "FINISHED" not in text
