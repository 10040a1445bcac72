"""Who may ask: hosts, origins, tokens; and what the log says of it."""

from __future__ import annotations

import logging
import ssl
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.http.server import tls_context
from dlg.http.site import Options

TOKEN = "s3cret-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OTHER = {"Origin": "https://other.example.org"}


@pytest.mark.parametrize("path", ["/echo", "/drops/a", "/nowhere", "/static/a.js", "/events"])
def test_with_a_token_every_request_has_to_show_it(open_shop: Any, path: str) -> None:
    client = open_shop(token=TOKEN)
    reply = client.get(path)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="shop"'
    assert reply.json["type"] == "UnauthorizedError"
    assert "missing" in reply.json["error"]
    assert not client.shop.asked


@pytest.mark.parametrize(
    "shown",
    ["Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN,
     "Bearer \xe9"],
)  # fmt: skip
def test_another_token_is_no_token(open_shop: Any, shown: str) -> None:
    client = open_shop(token=TOKEN)
    assert client.get("/echo", Authorization=shown).status == 401


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_right_token_opens_all(open_shop: Any, kind: str) -> None:
    client = open_shop(token=TOKEN)
    assert client.get("/echo", Authorization=f"{kind} {TOKEN}").status == 200
    assert client.get("/nowhere", **BEARER).status == 404


def test_some_paths_are_open_to_all(open_shop: Any) -> None:
    client = open_shop(token=TOKEN)
    assert client.get("/health").status == 200
    client = open_shop(token=TOKEN, open_paths=frozenset({"/drops/*"}))
    assert client.get("/drops/a").status == 200
    assert client.get("/health").status == 401


@pytest.mark.parametrize("path", ["/raw", "/nowhere"])
def test_a_big_body_without_a_token_is_not_read(open_shop: Any, path: str) -> None:
    link = open_shop(token=TOKEN).link()
    link.putrequest("POST", path)
    link.putheader("Content-Length", str(1 << 24))
    link.endheaders()
    assert link.getresponse().status == 401
    link.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/raw", {}, 401), ("POST", "/graph", BEARER, 415), ("PUT", "/raw", BEARER, 405),
        ("PATCH", "/raw", BEARER, 405), ("POST", "/nowhere", BEARER, 404),
        ("OPTIONS", "/any", {}, 401), ("POST", "/static/a.js", {}, 405),
    ],
)  # fmt: skip
def test_a_client_that_is_refused_can_go_on(
    open_shop: Any, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """A small body is dropped before the answer, so that the connection stays whole."""
    client = open_shop(token=TOKEN)
    link = client.link()
    for _ in range(2):
        link.putrequest(method, path)
        for name, value in {**headers, "Content-Length": "10"}.items():
            link.putheader(name, value)
        link.endheaders()
        link.send(b"0123456789")
        answer = link.getresponse()
        assert answer.status == status
        assert answer.read()
    assert link.sock is not None
    link.close()
    assert not client.shop.asked


def test_a_browser_may_ask_without_a_token_whether_it_may_send_one(open_shop: Any) -> None:
    client = open_shop(token=TOKEN, origins=frozenset({OTHER["Origin"]}))
    asking = {"Access-Control-Request-Method": "GET"}
    for path in ("/echo", "/any"):
        reply = client.call("OPTIONS", path, None, **OTHER, **asking)
        assert reply.status == 204
        assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    assert client.call("OPTIONS", "/any", None, **OTHER).status == 401
    assert not client.shop.asked


@pytest.mark.parametrize("token", ["two words", "line\nend", "\xe9"])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        Options(token=token)


def test_options_do_not_show_the_token() -> None:
    assert TOKEN not in repr(Options(token=TOKEN))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_of_others_may_change_nothing(client: Any, method: str) -> None:
    reply = client.call(method, "/any", None, **OTHER)
    assert reply.status == 403
    assert not client.shop.asked


def test_pages_of_allowed_origins_may_do_all(open_shop: Any) -> None:
    client = open_shop(origins=frozenset({OTHER["Origin"]}))
    reply = client.call("DELETE", "/any", None, **OTHER)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == OTHER["Origin"]


def test_a_name_that_was_pointed_at_this_machine_is_refused(client: Any) -> None:
    assert client.get("/health", Host="other.example.org").status == 421
    assert client.get("/health", Host="localhost:1").status == 200


def test_a_request_is_logged_without_its_secrets(
    shop_until_closed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # A request is logged when its answer has gone: all are, once the server has ended.
    with caplog.at_level(logging.DEBUG), shop_until_closed(token=TOKEN) as client:
        client.get("/echo?a=swordfish", **BEARER)
        client.get("/echo?a=swordfish", Authorization="Bearer almost")
    answered, refused = (r for r in caplog.records if getattr(r, "action", "") == "request")
    assert (answered.status, answered.route, answered.path) == (200, "echo", "/echo")  # type: ignore[attr-defined]
    assert answered.duration_ms >= 0  # type: ignore[attr-defined]
    assert answered.levelno == logging.INFO
    assert answered.getMessage().startswith("200 GET /echo (127.0.0.1) ")
    assert (refused.status, refused.levelno) == (401, logging.WARNING)  # type: ignore[attr-defined]
    for secret in ("swordfish", TOKEN, "almost"):
        assert secret not in caplog.text


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1, and its key."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=dlg", "-addext", "subjectAltName=IP:127.0.0.1",
            "-out", files[0], "-keyout", files[1],
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


def test_a_service_with_a_certificate_speaks_tls(
    open_shop: Any, certificate: tuple[Path, Path]
) -> None:
    file, key = certificate
    client = open_shop(certificate=file, key=key, token=TOKEN)
    assert client.server.url.startswith("https://127.0.0.1:")
    request = urllib.request.Request(f"{client.server.url}/echo", headers=BEARER)
    context = ssl.create_default_context(cafile=str(file))
    with urllib.request.urlopen(request, timeout=20, context=context) as answer:
        assert answer.status == 200


def test_old_versions_of_tls_are_not_spoken(certificate: tuple[Path, Path]) -> None:
    assert tls_context(*certificate).minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_make_no_tls_are_the_users_mistake(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    file, key = certificate
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing")
    for pair in ((nonsense, key), (file, nonsense), (tmp_path / "none.pem", key), (file, None)):
        with pytest.raises(UsageError, match="cannot be used for TLS"):
            tls_context(*pair)


def test_a_key_with_a_password_is_refused_without_asking_for_it(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    file, key = certificate
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", key, "-aes128", "-passout", "pass:long", "-out", locked],
        check=True,
        capture_output=True,
    )
    with pytest.raises(UsageError, match="cannot be used for TLS"):
        tls_context(file, locked)
