from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dlg_engine.testing.processes import Process

EAGLE = "https://eagle.example.org"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    place: Path = tmp_path_factory.mktemp("node")
    ports = ("-P", "0", "--rpc-port", "0", "--event-port", "0")
    process = Process("nm", *ports, "--origin", f"{EAGLE}/", workdir=place)
    yield process
    process.end()


def asked(node: Process, origin: str, method: str, path: str) -> tuple[int, str | None]:
    """Ask as a page of `origin`; return the status and which pages may read the answer."""
    link = http.client.HTTPConnection(urlsplit(node.url).netloc, timeout=30)
    try:
        link.request(method, path, headers={"Origin": origin})
        answer = link.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Access-Control-Allow-Origin")
    finally:
        link.close()


def test_pages_of_an_origin_that_was_named_may_use_a_manager(node: Process) -> None:
    assert asked(node, EAGLE, "GET", "/api/sessions") == (200, EAGLE)
    assert asked(node, EAGLE, "POST", "/api/sessions?sessionId=s") == (200, EAGLE)


def test_pages_of_any_other_origin_can_neither_change_nor_read_anything(node: Process) -> None:
    evil = "https://evil.example.org"
    assert asked(node, evil, "POST", "/api/sessions?sessionId=t") == (403, None)
    assert asked(node, evil, "GET", "/api/sessions")[1] is None
