"""What managers refuse, as processes, and that they go on serving; nothing secret is logged."""

from __future__ import annotations

import gzip
import http.client
import json
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.rest.asking import PATIENCE_S, Reply

TOKEN = "correct-horse-battery-staple"
WRONG = "swordfish-is-wrong"
LIMIT_MB = 8
MEGABYTE = 1 << 20
GIGABYTE = 1 << 30
ROOM_MB = 120
"""How much more memory than before a manager may have while it refuses too much."""
JSON = "application/json"
LEVELS = ("node", "island")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Process]]:
    """Run a node and an island of it, both with a token and a small limit."""
    place = tmp_path_factory.mktemp("refusals")
    token = place / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    common = ("-P", "0", "--rpc-port", "0", "-m", str(LIMIT_MB), "--token-file", str(token))
    more = ("--event-port", "0", "--deadline", "0", "-w", str(place / "work"))
    started = []
    try:
        node = Process("nm", *common, *more, workdir=place / "node")
        started.append(node)
        started.append(Process("dim", *common, "-N", node.name, workdir=place / "island"))
        yield dict(zip(LEVELS, started, strict=True))
    finally:
        for process in reversed(started):
            process.end()


@pytest.fixture(params=LEVELS)
def process(processes: dict[str, Process], request: pytest.FixtureRequest) -> Process:
    return processes[request.param]


@pytest.fixture
def session(process: Process) -> Iterator[str]:
    assert send(process, "POST", "/api/sessions", b'{"sessionId": "night"}').status == 200
    yield "night"
    assert send(process, "DELETE", "/api/sessions/night").status == 200


def connect(process: Process) -> http.client.HTTPConnection:
    parts = urlsplit(process.url)
    return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)


def send(
    process: Process, method: str, path: str, body: Any = None, token: str = TOKEN, **headers: str
) -> Reply:
    """Ask as somebody with the token, or with another, or with none."""
    link = connect(process)
    try:
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        kind = {"Content-Type": JSON} if body is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        link.request(method, path, body, {**kind, **shown, **named})
        answer = link.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        link.close()


def goes_on(process: Process) -> bool:
    """Return whether a manager still serves, and has logged nothing that nobody may read."""
    log = process.log.read_text()
    assert TOKEN not in log
    assert WRONG not in log
    assert "Traceback" not in log
    return send(process, "GET", "/api/sessions").status == 200


@pytest.mark.parametrize("token", ["", WRONG, TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_nobody_without_the_token_is_let_in(process: Process, token: str) -> None:
    for method, path, body in (
        ("GET", "/api/sessions", None), ("POST", "/api/sessions", b'{"sessionId": "mine"}'),
        ("POST", "/api/stop", b""), ("GET", "/api/openapi.json", None), ("GET", "/api/no", None),
    ):  # fmt: skip
        reply = send(process, method, path, body, token)
        assert reply.status == 401, (method, path)
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert goes_on(process)
    assert b"mine" not in send(process, "GET", "/api/sessions").body


def test_a_refusal_is_logged_with_who_and_what(process: Process) -> None:
    send(process, "GET", "/api/sessions?token=" + WRONG, None, WRONG)
    line = "401 GET /api/sessions (127.0.0.1)"  # which is written when the answer has gone
    Cluster.wait_until(process.log.read_text, lambda log: line in log)
    assert goes_on(process)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/static/../../../etc/passwd", "/static/..%2F..%2Fetc%2Fpasswd",
        "/sessions/../../etc/passwd", "/sessions/%2e%2e/graph/drop/data/%2e%2e%2f%2e%2e%2fpasswd",
        "/api/sessions/..%2F..%2Fx", "/api/sessions/%2e%2e/dir", "/api/sessions/..%5C..%5Cx/dir",
        "/sessions/night/graph/drop/data/..%2F..%2F..%2Fetc%2Fpasswd",
        "/sessions/night/graph/drop/data/../../../../etc/passwd", "/api/sessions/%00/dir",
        "/api/sessions/%ff%fe/dir", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    ],
)  # fmt: skip
def test_no_path_leads_out(process: Process, session: str, path: str) -> None:
    reply = send(process, "GET", path)
    assert reply.status in {400, 404}, (path, reply.body)
    assert b"root:" not in reply.body
    assert goes_on(process)


@pytest.mark.parametrize(
    "name", ["../up", "..", ".", " ", "a/../../b", "a/b", "/etc/x", "a\0b", "x" * 300, "a\nb", ""]
)
def test_no_session_is_made_outside_of_its_place(
    process: Process, processes: dict[str, Process], name: str
) -> None:
    body = json.dumps({"sessionId": name}).encode()
    reply = send(process, "POST", "/api/sessions", body)
    assert reply.status == 400, reply.body
    place = processes["node"].log.parent.parent
    assert {entry.name for entry in place.iterdir()} <= {"node", "island", "work", "token"}
    assert goes_on(process)


@pytest.mark.parametrize("oid", ["../../../../tmp/x", "/etc/passwd", "a/../../b", "%2e%2e/x"])
def test_the_oid_of_a_drop_leads_nowhere(
    process: Process, processes: dict[str, Process], session: str, oid: str, tmp_path: Path
) -> None:
    node = processes["node"]
    specs = [
        {"oid": oid, "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP",
         "node": node.name},
    ]  # fmt: skip
    path = f"/api/sessions/{session}"
    assert send(process, "POST", f"{path}/graph/append", json.dumps(specs)).status == 200
    assert send(process, "POST", f"{path}/deploy", b"{}").status in {200, 400}
    work = node.log.parent.parent / "work"
    inside = {found for found in work.rglob("*") if found.is_file()}
    assert all(found.resolve().is_relative_to(work.resolve()) for found in inside)
    shown = send(node, "GET", f"/sessions/{session}/graph/drop/data/" + oid.replace("/", "%2F"))
    assert b"root:" not in shown.body
    assert goes_on(process)


def memory_of(process: Process) -> float:
    return float(psutil.Process(process.process.pid).memory_info().rss) / MEGABYTE


def pieces(count: int, piece: bytes) -> Iterator[bytes]:
    for _ in range(count):
        yield piece


def too_much(process: Process, session: str, **headers: str) -> tuple[int, float]:
    """Send a gigabyte, in chunks unless it says how much it is; return status and memory."""
    link = connect(process)
    most = before = memory_of(process)
    link.putrequest("POST", f"/api/sessions/{session}/graph/append")
    for name, value in {
        "Authorization": f"Bearer {TOKEN}", "Content-Type": JSON, **headers
    }.items():  # fmt: skip
        link.putheader(name.replace("_", "-"), value)
    link.endheaders()
    piece = b"x" * MEGABYTE
    chunked = "Transfer_Encoding" in headers
    framed = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
    try:
        for _ in pieces(GIGABYTE // MEGABYTE, framed):
            link.send(framed)
            most = max(most, memory_of(process))
    except OSError:  # it has hung up
        pass
    try:
        status = link.getresponse().status
    except OSError:
        status = 0  # the answer was lost with the connection, as it still sent
    link.close()
    return status, most - before


def test_a_gigabyte_over_the_limit_is_refused_before_it_is_sent(
    process: Process, session: str
) -> None:
    link = connect(process)
    link.putrequest("POST", f"/api/sessions/{session}/graph/append")
    for name, value in (("Authorization", f"Bearer {TOKEN}"), ("Content-Type", JSON),
                        ("Content-Length", str(GIGABYTE))):  # fmt: skip
        link.putheader(name, value)
    link.endheaders()
    answer = link.getresponse()
    assert answer.status == 413
    assert "bytes" in json.loads(answer.read())["error"]
    link.close()
    assert goes_on(process)


@pytest.mark.parametrize(
    "headers",
    [{"Content_Length": str(GIGABYTE)}, {"Transfer_Encoding": "chunked"}],
    ids=["at once", "in chunks"],
)
def test_a_gigabyte_that_is_sent_all_the_same_is_never_held(
    process: Process, session: str, headers: dict[str, str]
) -> None:
    status, grown = too_much(process, session, **headers)
    assert status in {0, 413}
    assert grown < ROOM_MB
    assert send(process, "GET", f"/api/sessions/{session}/graph/size").json == 0
    assert goes_on(process)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_bomb_does_not_go_off(process: Process, session: str, pack: Any) -> None:
    bomb = pack(b"[" + b" " * (512 * MEGABYTE) + b"]")
    assert len(bomb) < LIMIT_MB * MEGABYTE
    before = memory_of(process)
    reply = send(
        process, "POST", f"/api/sessions/{session}/graph/append", bomb, Content_Encoding="gzip"
    )
    assert reply.status == 413
    assert memory_of(process) - before < ROOM_MB
    assert goes_on(process)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"[1,", 400), (b"nonsense", 400), (b"\xff\xfe\x00", 400), (b"", 400),
        (b"[" * 100_000, 400), (b'"text"', 400), (b"{}", 400), (b"[5]", 400), (b"null", 400),
        (pickle.dumps([{"oid": "a"}]), 400), (pickle.dumps([{"oid": "a"}], 0), 400),
        (msgspec.msgpack.encode([{"oid": "a"}]), 400), (b"[" + b"9" * 100_000 + b"]", 400),
    ],
)  # fmt: skip
def test_what_is_no_graph_in_json_is_refused(
    process: Process, session: str, body: bytes, status: int
) -> None:
    reply = send(process, "POST", f"/api/sessions/{session}/graph/append", body)
    assert reply.status == status, reply.body
    assert reply.json["problems"]
    assert send(process, "GET", f"/api/sessions/{session}/graph/size").json == 0
    assert goes_on(process)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "application/octet-stream"}, 415),
        ({"Content_Type": "application/x-pickle"}, 415),
        ({"Content_Encoding": "br"}, 415), ({"Content_Encoding": "gzip"}, 400),
    ],
)  # fmt: skip
def test_a_body_of_another_kind_is_refused(
    process: Process, session: str, headers: dict[str, str], status: int
) -> None:
    path = f"/api/sessions/{session}/graph/append"
    assert send(process, "POST", path, b"[]", **headers).status == status
    assert goes_on(process)
