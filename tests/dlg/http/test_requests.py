from __future__ import annotations

import gzip
import http.client
import json
import threading
import zlib
from typing import Any

import pytest

from dlg.http.bodies import SPOOL_BYTES

JSON = "application/json"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_route_is_found_by_its_method(client: Any, method: str) -> None:
    reply = client.call(method, "/any")
    assert (reply.status, reply.json) == (200, {})
    assert len(client.shop.asked) == 1


def test_head_is_get_without_a_body(client: Any) -> None:
    reply = client.call("HEAD", "/echo")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 0


def test_a_method_that_is_not_in_the_table_is_refused_with_those_that_are(client: Any) -> None:
    reply = client.call("PATCH", "/only")
    assert reply.status == 405
    assert reply.headers["Allow"] == "PUT"


def test_options_without_a_route_tells_the_methods(client: Any) -> None:
    reply = client.call("OPTIONS", "/echo")
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Methods"] == "GET, POST"


@pytest.mark.parametrize(
    ("path", "oid"),
    [
        ("/drops/1_abc_0%2F0", "1_abc_0/0"),
        ("/drops/host:8000:5555:6666", "host:8000:5555:6666"),
        ("/drops/host%3A8000", "host:8000"),
        ("/drops/a.b-c_d", "a.b-c_d"),
        ("/drops/a%20%C3%A9", "a é"),
        ("/drops/a+b", "a+b"),
        ("/drops/100%25", "100%"),
        ("/drops/%252F", "%2F"),
        ("/drops/special%2Fdata", "special/data"),
        ("/deep/1_abc_0/0", "1_abc_0/0"),
        ("/deep/1_abc_0%2F0", "1_abc_0/0"),
    ],
)
def test_what_is_filled_in_may_have_any_sign(client: Any, path: str, oid: str) -> None:
    assert client.get(path).json == {"oid": oid}


@pytest.mark.parametrize("path", ["/drops/a%2Fb/data", "/deep/data/a/b"])
def test_a_longer_path_goes_before_one_that_takes_slashes(client: Any, path: str) -> None:
    assert client.get(path).json == {"oid": "a/b", "which": "data"}


def test_a_word_goes_before_what_is_filled_in(client: Any) -> None:
    assert client.get("/drops/special").json == {}
    assert not client.shop.asked


@pytest.mark.parametrize("path", ["/drops/a%0Ab", "/drops/a%00", "/drops/%1b[0m", "/drops/%FF"])
def test_signs_that_no_name_has_are_refused(client: Any, path: str) -> None:
    assert client.get(path).status == 400
    assert not client.shop.asked


def test_what_is_sent_beats_the_query_and_the_path_beats_both(client: Any) -> None:
    assert client.post("/echo?a=query", b'{"a": "sent"}').json["a"] == "sent"
    assert client.get("/drops/path?oid=query").json == {"oid": "path"}


def test_all_mistakes_are_told_at_once(client: Any) -> None:
    reply = client.get("/echo?n=0&b=1")
    assert reply.status == 400
    assert [p["code"] for p in reply.json["problems"]] == [
        "ill-typed-parameter", "unknown-parameter"
    ]  # fmt: skip


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, "text", 3, None, []])
def test_a_document_may_be_any_json(client: Any, value: Any) -> None:
    reply = client.post("/document", json.dumps(value).encode())
    assert reply.json == value


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "TEXT/PLAIN"])
def test_a_type_that_the_route_names_is_taken(client: Any, kind: str) -> None:
    assert client.post("/graph", b"[1]", kind).json == [1]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/html", ""])
def test_a_type_that_the_route_does_not_name_is_refused(client: Any, kind: str) -> None:
    reply = client.post("/graph", b"[1]", kind)
    assert reply.status == 415
    assert "application/json or text/plain is expected" in reply.json["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1] 2", b"\xff\xfe", b"[" * 200_000])
def test_a_document_that_is_no_json_is_refused(client: Any, body: bytes) -> None:
    reply = client.post("/document", body)
    assert reply.status == 400
    assert "no JSON" in reply.json["error"]


def test_numbers_that_only_python_writes_are_read(client: Any) -> None:
    assert client.post("/document", b"[NaN]").status == 200
    assert repr(client.shop.asked[0].document) == "[nan]"


@pytest.mark.parametrize("body", [b"", b"abc", bytes(range(256)), b"\0" * (SPOOL_BYTES + 5)])
def test_a_raw_body_comes_as_it_was_sent(client: Any, body: bytes) -> None:
    reply = client.post("/raw?a=1", body, "application/octet-stream")
    assert reply.body == str(len(body)).encode()
    assert client.shop.asked[0].body == body


def _bare(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "x-gzip", "GZIP"])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, _bare])
def test_a_packed_body_is_unpacked_whatever_it_is_called(
    client: Any, coding: str, pack: Any
) -> None:
    found = client.post("/document", pack(b'[{"oid": "1_a"}]'), JSON, Content_Encoding=coding)
    assert found.json == [{"oid": "1_a"}]


def test_forms_may_be_packed_too(client: Any) -> None:
    kind = "application/x-www-form-urlencoded"
    packed = zlib.compress(b"a=1&b=2")
    assert client.post("/echo", packed, kind, Content_Encoding="gzip").json["b"] == "2"


@pytest.mark.parametrize(
    "body",
    [
        b"[1]", b"", gzip.compress(b"[1]")[:-9], zlib.compress(b"[1]") + b"x",
        gzip.compress(b"[1]") + b"x", b"\x1f\x8b", b"x",
    ],
    ids=["plain", "empty", "cut", "zlib and more", "gzip and more", "head", "one byte"],
)  # fmt: skip
def test_a_body_that_is_not_packed_as_it_says_is_refused(client: Any, body: bytes) -> None:
    assert client.post("/document", body, JSON, Content_Encoding="gzip").status == 400


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
def test_a_coding_that_nobody_knows_is_refused(client: Any, coding: str) -> None:
    reply = client.post("/document", b"[1]", JSON, Content_Encoding=coding)
    assert reply.status == 415
    assert coding in reply.json["error"]


def test_a_body_may_be_as_big_as_the_limit_packed_and_unpacked(open_shop: Any) -> None:
    client = open_shop(most_bytes=10_000)
    for size, status in ((10_000, 200), (10_001, 413)):
        assert client.post("/raw", b"x" * size).status == status
        packed = gzip.compress(b"x" * size)
        assert client.post("/raw", packed, Content_Encoding="gzip").status == status


def test_a_small_body_that_grows_without_end_is_refused(open_shop: Any) -> None:
    client = open_shop(most_bytes=100_000)
    packed = zlib.compress(b" " * 50_000_000)
    assert client.post("/document", packed, Content_Encoding="gzip").status == 413


def test_a_body_in_pieces_is_refused_when_it_gets_too_big(open_shop: Any) -> None:
    link = open_shop(most_bytes=1000).link()
    pieces = iter([b"x" * 500, b"x" * 600])
    link.request("POST", "/raw", pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert link.getresponse().status == 413
    link.close()


def test_a_body_that_says_it_is_too_big_is_refused_unread(open_shop: Any) -> None:
    link = open_shop(most_bytes=1000).link()
    link.putrequest("POST", "/raw")
    link.putheader("Content-Length", str(1 << 40))
    link.endheaders()
    assert link.getresponse().status == 413
    link.close()


def test_a_big_document_is_read_from_a_file_while_others_are_answered(open_shop: Any) -> None:
    client = open_shop(workers=1, most_waiting=5)
    specs = [{"oid": f"1_{i}", "name": "x" * 200} for i in range(40_000)]
    text = json.dumps(specs).encode()
    assert len(text) > 2 * SPOOL_BYTES
    middle = len(text) // 2
    link = client.link()
    link.putrequest("POST", "/document")
    link.putheader("Content-Length", str(len(text)))
    link.endheaders(text[:middle])
    assert client.get("/health").status == 200
    link.send(text[middle:])
    assert json.loads(link.getresponse().read()) == specs
    link.close()


BIG = b'"%s"' % (b"x" * SPOOL_BYTES)


@pytest.mark.parametrize(
    "text",
    [b'{"a": [%s], "b": {}}', b" \n[1, %s, {}]", b"%s", b" " * 100 + b"[%s]", b"[NaN, %s]"],
)
def test_a_big_document_is_what_a_small_one_is(client: Any, text: bytes) -> None:
    assert client.post("/document", text % BIG).status == 200
    big, small = json.loads(text % BIG), client.shop.asked[0].document
    assert repr(big) == repr(small)


@pytest.mark.parametrize("text", [b"[%s", b'{"a": %s, }', b"[%s] 1", b"[1 %s]"])
def test_a_big_document_that_is_no_json_is_refused(client: Any, text: bytes) -> None:
    assert client.post("/document", text % BIG).status == 400


def test_a_client_that_goes_away_while_it_sends_leaves_nothing_behind(client: Any) -> None:
    link = client.link()
    link.putrequest("POST", "/document")
    link.putheader("Content-Length", str(10 * SPOOL_BYTES))
    link.endheaders(b" " * (2 * SPOOL_BYTES))
    link.close()
    assert client.get("/health").status == 200
    assert not client.shop.asked


def test_long_answers_come_in_pieces(client: Any) -> None:
    reply = client.get("/long?pieces=5")
    assert reply.body == b"0 1 2 3 4 "
    assert reply.headers["Content-Disposition"] == 'attachment; filename="numbers.txt"'
    assert client.shop.closed.wait(20)


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(client: Any) -> None:
    with pytest.raises(http.client.IncompleteRead):
        client.get("/long?break=1")


def test_pieces_are_let_go_of_when_only_the_head_is_asked_for(client: Any) -> None:
    reply = client.call("HEAD", "/long?pieces=5&break=1")
    assert (reply.status, reply.body) == (200, b"")


def test_a_server_whose_threads_are_all_at_work_says_so(open_shop: Any) -> None:
    client = open_shop(workers=1, most_waiting=0)
    begun, go_on = threading.Event(), threading.Event()

    class Slow(list[Any]):
        def append(self, _: Any) -> None:
            begun.set()
            assert go_on.wait(20)

    client.shop.asked = Slow()
    thread = threading.Thread(target=client.get, args=("/any",))
    thread.start()
    try:
        assert begun.wait(20)
        assert client.get("/health").status == 503
    finally:
        go_on.set()
        thread.join(20)
