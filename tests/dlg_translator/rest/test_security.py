from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from dlg_translator.rest.routes import ROUTES, Route, by_path

OTHER = {"Origin": "https://evil.example.org"}
POSTS = [route for route in ROUTES if route.method == "POST"]
GETS = [route for route in ROUTES if route.method == "GET"]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _path(route: Route) -> str:
    return route.path.replace("{id}", "anything")


@pytest.mark.parametrize(
    "path", [path for path, methods in by_path().items() if "GET" not in methods]
)
def test_what_computes_or_changes_something_does_not_answer_to_get(site: Any, path: str) -> None:
    reply = site.get(path.replace("{id}", "anything"))
    assert reply.status == 405
    assert reply.headers["Allow"] == "POST"
    assert "POST" in reply.json["error"]


@pytest.mark.parametrize("route", [r for r in POSTS if not r.from_anywhere], ids=_name)
def test_pages_of_others_may_not_post(site: Any, route: Route) -> None:
    reply = site.form(_path(route), OTHER)
    assert reply.status == 403
    assert reply.codes == ["forbidden"]
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_only_the_form_of_eagle_may_come_from_anywhere() -> None:
    assert [_name(r) for r in ROUTES if r.from_anywhere] == ["POST /gen_pgt"]


def test_the_form_of_eagle_is_taken_from_anywhere_and_its_answer_stays_with_the_browser(
    site: Any, graph: dict[str, Any]
) -> None:
    reply = site.form("/gen_pgt", OTHER, lg_name="a.graph", json_data=json.dumps(graph))
    assert reply.status == 200
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_a_page_without_an_origin_of_its_own_is_one_of_others(site: Any) -> None:
    assert site.form("/unroll", {"Origin": "null"}).status == 403


def test_our_own_pages_may_post(site: Any, graph: dict[str, Any]) -> None:
    origin = {"Origin": f"http://127.0.0.1:{site.port}"}
    assert site.post("/unroll", origin, lg_content=json.dumps(graph)).status == 200


def test_an_allowed_origin_may_post_and_read(start: Any, graph: dict[str, Any]) -> None:
    site = start(origins=frozenset({"https://eagle.example.org"}))
    origin = {"Origin": "https://eagle.example.org"}
    reply = site.post("/unroll", origin, lg_content=json.dumps(graph))
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://eagle.example.org"
    assert reply.headers["Vary"] == "Origin"
    asked = site.call(
        "OPTIONS", "/unroll", None, {**origin, "Access-Control-Request-Method": "POST"}
    )
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Methods"] == "POST"
    refused = site.call(
        "OPTIONS", "/unroll", None, {**OTHER, "Access-Control-Request-Method": "POST"}
    )
    assert refused.status == 403


def test_a_name_that_was_pointed_at_this_machine_is_refused(site: Any) -> None:
    reply = site.get("/api/library", {"Host": "evil.example.org:8084"})
    assert reply.status == 421
    assert site.get("/api/library", {"Host": f"localhost:{site.port}"}).status == 200


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "", "evil.example.org@localhost:80"])
def test_a_host_that_makes_no_sense_is_not_ours(site: Any, host: str) -> None:
    assert site.get("/api/library", {"Host": host}).status in {400, 421}


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:9", "[::1]:8084"])
def test_all_names_of_loopback_are_ours(site: Any, host: str) -> None:
    assert site.get("/api/library", {"Host": host}).status == 200


def test_a_length_that_is_no_number_is_refused(site: Any) -> None:
    kind = {"Content-Type": "application/json", "Content-Length": "many"}
    # Without a body: one that nobody reads may be answered by a reset instead of our answer.
    assert site.call("POST", "/unroll", b"", kind).status == 400


@pytest.mark.parametrize("path", ["/", "/api", "/static/app.js", "/nowhere"])
def test_every_answer_says_what_browsers_must_not_do(site: Any, path: str) -> None:
    headers = site.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


ESCAPES = [
    "../secret.graph", "..%2fsecret.graph", "a/../../secret.graph", "/etc/passwd", "a//b.graph",
    ".hidden.graph", "a\x00.graph", "./a.graph", "link.graph", "folder/secret.graph",
    "C:\\secret.graph", "~/secret.graph", "a" * 300 + ".graph", "circle.graph", "",
]  # fmt: skip


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_leads_out_of_the_folder(
    site: Any, tmp_path: Path, graph: dict[str, Any], name: str
) -> None:
    (tmp_path / "secret.graph").write_text(json.dumps(graph))
    (site.lg_dir / "link.graph").symlink_to(tmp_path / "secret.graph")
    (site.lg_dir / "folder").symlink_to(tmp_path)
    (site.lg_dir / "circle.graph").symlink_to(site.lg_dir / "circle.graph")
    assert site.get("/jsonbody", lg_name=name).status in {400, 404}
    assert site.form("/unroll", lg_name=name).status in {400, 404}
    assert site.form("/jsonbody", lg_name=name, lg_content=json.dumps(graph)).status in {400, 404}
    assert site.get("/api/library").json["graphs"] == []
    assert json.loads((tmp_path / "secret.graph").read_text()) == graph


def test_saving_stays_in_the_folder_of_templates(
    site: Any, tmp_path: Path, graph: dict[str, Any]
) -> None:
    key = site.partitioned(graph)
    (site.pgt_dir / "out").symlink_to(tmp_path)
    for name in ("../a.graph", "out/a.graph", "a.py", "missing/a.graph"):
        assert site.post(f"/api/partitions/{key}/save", pgt_name=name).status in {400, 404}, name
    assert not (tmp_path / "a.graph").exists()
    assert site.post(f"/api/partitions/{key}/save", pgt_name="a.graph").status == 200
    assert len(json.loads((site.pgt_dir / "a.graph").read_text())) == 16


def test_the_static_files_are_a_closed_list(site: Any) -> None:
    for path in ("/static/../__init__.py", "/static/__init__.py", "/static/%2e%2e/routes.py"):
        assert site.get(path).status == 404


@pytest.mark.parametrize("config", ["/etc/hosts.graphConfig", "secret.graphConfig"])
def test_a_configuration_is_never_a_path(
    site: Any, tmp_path: Path, graph: dict[str, Any], config: str
) -> None:
    (tmp_path / "secret.graphConfig").write_text("{}")
    reply = site.post("/unroll", lg_content=json.dumps(graph), config=config)
    assert reply.status == 400
    assert "no configuration" in reply.json["error"]


def test_hosts_are_never_a_path(site: Any, tmp_path: Path, graph: dict[str, Any]) -> None:
    hosts = tmp_path / "hosts.json"
    hosts.write_text('{"nodes": ["a", "b", "c"]}')
    template = site.post("/unroll", lg_content=json.dumps(graph)).body.decode()
    reply = site.post("/map", pgt_content=template, nodes=str(hosts), co_host_dim=True)
    assert {spec["node"] for spec in reply.json} == {str(hosts)}


def test_an_option_that_names_a_file_is_not_an_option(site: Any, graph: dict[str, Any]) -> None:
    template = site.post("/unroll", lg_content=json.dumps(graph)).body.decode()
    reply = site.post("/partition", pgt_content=template, profile="/etc/passwd")
    assert reply.status == 400
    assert reply.codes == ["unknown-option"]


def test_a_body_that_says_it_is_too_big_is_refused_unread(start: Any) -> None:
    site = start(most_bytes=1000)
    link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    link.putrequest("POST", "/unroll")
    link.putheader("Content-Length", str(1 << 30))
    link.endheaders()
    answer = link.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["problems"][0]["code"] == "too-large"
    link.close()


def test_a_body_in_pieces_is_refused_when_it_gets_too_big(start: Any) -> None:
    site = start(most_bytes=1000)
    pieces = iter([b"lg_content=", b"x" * 500, b"x" * 600])
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    link.request("POST", "/unroll", pieces, kind, encode_chunked=True)
    assert link.getresponse().status == 413
    link.close()


def test_a_small_gzip_that_grows_without_end_is_refused(start: Any) -> None:
    import gzip

    site = start(most_bytes=100_000)
    (site.lg_dir / "bomb.graph.gz").write_bytes(gzip.compress(b" " * 10_000_000))
    assert site.form("/unroll", lg_name="bomb.graph.gz").status == 413


def test_a_failure_of_the_service_tells_nothing_of_its_insides(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlg_translator.rest import workbench

    def fail(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(workbench, "all_algorithms", fail)
    reply = site.get("/api/algorithms")
    assert reply.status == 500
    assert b"swordfish" not in reply.body
    assert set(reply.json) == {"error", "problems"}
