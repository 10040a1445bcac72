"""Graphs of more than 100 MB: plain, packed, in chunks, while the manager answers others."""

from __future__ import annotations

import gzip
import http.client
import statistics
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.rest.asking import ask, post

MEGABYTE = 1 << 20
SIZE = 101 * MEGABYTE
TEXT = "x" * 200
PATIENCE_S = 100
MEDIAN_S, LONGEST_S = 0.1, 15.0
"""What a question meanwhile takes: on a machine that is busy with other tests too."""


@pytest.fixture(scope="module")
def graph() -> bytes:
    """Return a graph that is bigger than 100 MB."""

    def spec(number: int) -> str:
        oid = f"d{number}"
        drop = "dlg.data.memory.InMemoryDROP"
        return f'{{"oid":"{oid}","categoryType":"Data","dropclass":"{drop}","text":"{TEXT}"}}'

    return ("[" + ",".join(map(spec, range(SIZE // len(spec(0)) + 1))) + "]").encode()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Cluster(1, tmp_path_factory.mktemp("upload")) as found:
        yield found.nodes[0]


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), MEGABYTE):
        yield body[start : start + MEGABYTE]


def upload(node: Process, session: str, body: bytes, coding: str, *, chunked: bool) -> int:
    parts = urlsplit(node.url)
    link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json"}
    if coding:
        headers["Content-Encoding"] = coding
    try:
        sent = in_pieces(body) if chunked else body
        link.request(
            "POST", f"/api/sessions/{session}/graph/append", sent, headers, encode_chunked=chunked
        )
        answer = link.getresponse()
        answer.read()
        return answer.status
    finally:
        link.close()


class Asking:
    """Asks for the health of a manager again and again, in a thread, while a block runs."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.spent_s: list[float] = []

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self._over.wait(0.01):
            begun = time.perf_counter()
            assert ask(self._url, "GET", "/health").status == 200
            self.spent_s.append(time.perf_counter() - begun)


def as_it_is(body: bytes) -> bytes:
    return body


@pytest.mark.slow
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize(
    ("pack", "coding"),
    [(as_it_is, ""), (lambda body: gzip.compress(body, 1), "gzip"),
     (lambda body: zlib.compress(body, 1), "gzip"),
     (lambda body: zlib.compress(body, 1), "deflate")],
    ids=["plain", "gzip", "zlib that says gzip", "zlib"],
)  # fmt: skip
def test_a_big_graph_is_taken_while_the_manager_answers_others(
    node: Process, graph: bytes, pack: Callable[[bytes], bytes], coding: str, chunked: bool
) -> None:
    assert post(node.url, "/api/sessions", {"sessionId": "big"}).status == 200
    body = pack(graph)
    with Asking(node.url) as asking:
        status = upload(node, "big", body, coding, chunked=chunked)
    assert status == 200
    assert ask(node.url, "GET", "/api/sessions/big/graph/size").json == graph.count(b'"oid"')
    assert ask(node.url, "DELETE", "/api/sessions/big").status == 200
    assert statistics.median(asking.spent_s) < MEDIAN_S
    assert max(asking.spent_s) < LONGEST_S
