"""Sessions that are over, written down and looked at later."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import DataIslandManagerClient, ManagerClient
from dlg.clients.drops import describe_drop
from dlg.clients.events import follow
from dlg.exceptions import DaliugeException, NoSessionException
from dlg.http.server import in_thread
from dlg.testing import graphs
from dlg_engine.daemon.replaying import make_server
from dlg_engine.managers.records import RecordError, record_of_existing
from tests.dlg_engine.cli.conftest import PATIENCE_S, Dlg, Start, Write, failing

GRAPH = graphs.chain(2)
LINES = [
    {"d0": {"status": 2}},
    {"d0": {"status": 2}, "a0": {"status": 0, "execStatus": 1}},
    {"a0": {"status": 2, "execStatus": 2}, "d1": {"status": 2}},
]


@pytest.fixture
def states(tmp_path: Path) -> Path:
    path = tmp_path / "states.txt"
    path.write_text("\n".join(map(json.dumps, LINES)) + "\n")
    return path


@pytest.fixture
def shown(states: Path, write: Write) -> Iterator[DataIslandManagerClient]:
    """A client of a record of the existing system."""
    found = record_of_existing(Path(write("night.pg", GRAPH)), states)
    with in_thread(make_server(found, "127.0.0.1", 0)) as server:
        yield DataIslandManagerClient("127.0.0.1", server.port, token="")


def all_changes(client: ManagerClient) -> list[Any]:
    events = follow(client.link, "cloudy", form="rows")
    return [one for e in events if e.name == "changes" for one in e.data["changes"]]


def test_a_session_is_recorded_and_told_as_its_manager_told_it(
    dlg: Dlg, start: Start, at: tuple[str, ...], master: Any, write: Write, tmp_path: Path
) -> None:
    dlg("submit", write("failing.json", failing()), *at, "--session", "cloudy")
    assert dlg("record", "cloudy", *at).exit_code == 0
    process = start("replay", str(tmp_path / "cloudy.record.gz"), "--port", "0", "--json")
    assert process.stdout is not None
    url = str(json.loads(process.stdout.readline())["url"])
    client = DataIslandManagerClient("127.0.0.1", int(url.rpartition(":")[2]), token="")
    assert client.session_summary("cloudy") == master.session_summary("cloudy")
    assert client.graph("cloudy") == master.graph("cloudy")
    assert client.graph_status("cloudy") == master.graph_status("cloudy")
    shown = describe_drop(client.link, "cloudy", "bad")
    assert shown == describe_drop(master.link, "cloudy", "bad")
    assert "no such star" in shown["error"]["traceback"]
    assert all_changes(client) == all_changes(master)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


def test_files_of_the_existing_system_are_shown(shown: DataIslandManagerClient) -> None:
    summary = shown.session_summary("night")
    assert summary["state"] == "FINISHED"
    assert summary["counts"]["COMPLETED"] == 3
    assert shown.graph_status("night")["a0"] == {"status": 2, "execStatus": 2}
    assert [one["sessionId"] for one in shown.sessions()] == ["night"]
    assert shown.cluster()["nodes"] == []


@pytest.mark.parametrize("page", ["/", "/session?sessionId=night", "/api/v1/sessions/night/view"])
def test_pages_are_those_of_managers(shown: DataIslandManagerClient, page: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", shown.link.port, timeout=PATIENCE_S)
    link.request("GET", page)
    answer = link.getresponse()
    assert (answer.status, bool(answer.read())) == (200, True)
    link.close()


def test_a_record_cannot_be_changed(shown: DataIslandManagerClient) -> None:
    for change in (shown.cancel_session, shown.destroy_session, shown.create_session):
        with pytest.raises(DaliugeException):
            change("night")
    assert shown.session_summary("night")["state"] == "FINISHED"


def test_it_can_be_begun_anew(shown: DataIslandManagerClient) -> None:
    assert shown.link.post("reset") == {"Status": "Success"}
    assert shown.session_summary("night")["version"] == 4


def test_another_session_is_not_there(shown: DataIslandManagerClient) -> None:
    with pytest.raises(NoSessionException):
        shown.session_summary("day")


@pytest.mark.parametrize(
    "content",
    [
        b"{}", b"[]", b"junk", gzip.compress(b"{}", mtime=0),
        b'{"record": 7, "session": {}, "graph": [], "changes": []}',
        b'{"record": 1, "session": {}, "graph": [], "changes": []}',
        b'{"record": 1, "session": {"sessionId": "s", "status": 4}, "graph": [{}], "changes": []}',
        b'{"record": 1, "session": {"sessionId": "s", "status": 4}, "graph": [],'
        b' "changes": [[0, 2, null, 1.0]]}',
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(dlg: Dlg, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.record"
    path.write_bytes(content)
    result = dlg("replay", str(path))
    assert result.exit_code == 2
    assert "no.record" in result.stderr


@pytest.mark.parametrize("line", ["junk", "[]", '{"nowhere": {"status": 2}}', '{"d0": 2}'])
def test_states_that_are_none_are_refused_with_their_line(
    write: Write, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "states.txt"
    path.write_text(json.dumps(LINES[0]) + "\n" + line)
    with pytest.raises(RecordError, match="line 2"):
        record_of_existing(Path(write("night.pg", GRAPH)), path)


def test_it_is_said_what_has_to_be_named(dlg: Dlg, states: Path) -> None:
    result = dlg("replay", "-S", str(states))
    assert result.exit_code == 2
    assert "name a record, or a graph with -g" in result.stderr


def test_a_record_is_not_shown_to_other_hosts_by_mistake(
    dlg: Dlg, states: Path, write: Write
) -> None:
    result = dlg("replay", "-g", write("g.pg", GRAPH), "-S", str(states), "-H", "0.0.0.0")
    assert result.exit_code == 2
    assert "--insecure" in result.stderr
