"""Streams of events that break off and are taken up again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dlg.clients import ManagerRefusedError
from dlg.clients.events import BrokenStreamError, ServerEvent, follow, parse
from dlg.clients.http import Link

Answer = Callable[[str], tuple[int, bytes]]
CHANGES = b'event: changes\nid: %d\ndata: {"version": %d}\n\n'
OVER = b'event: session\ndata: {"ended": 1.0}\n\n'


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[Link, list[str]]]:
    """Serve what `answer` gives for the id of the last event; yield where, and those ids."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Last-Event-ID", ""))
            status, body = answer(asked[-1])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Link("127.0.0.1", server.server_port), asked
        finally:
            server.shutdown()
            thread.join()


def test_a_stream_that_breaks_off_is_taken_up_after_the_last_event() -> None:
    def answer(last: str) -> tuple[int, bytes]:
        if last == "2":
            return 200, CHANGES % (3, 3) + OVER
        return 200, CHANGES % (1, 1) + CHANGES % (2, 2) + b"event: changes\nid: 3\ndata: {"

    with serving(answer) as (link, asked):
        found = list(follow(link, "night"))
    assert [event.id for event in found] == ["1", "2", "3", ""]
    assert asked == ["", "2"]


def test_a_stream_that_stays_broken_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlg.clients.events.PAUSE_S", 0.001)
    with serving(lambda _: (200, b"")) as (link, asked), pytest.raises(BrokenStreamError):
        list(follow(link, "night"))
    assert len(asked) == 6


def test_what_a_manager_refuses_is_not_asked_again() -> None:
    with serving(lambda _: (404, b'{"error": "no"}')) as (link, asked):
        with pytest.raises(ManagerRefusedError, match="no"):
            list(follow(link, "night"))
        assert len(asked) == 1


def test_comments_are_passed_over_and_data_of_several_lines_joined() -> None:
    lines = b": still here\n\nevent: a\nid: 7\ndata: [1,\ndata: 2]\n\nid: 8\n\ndata: 1".splitlines(
        True
    )
    assert list(parse(lines)) == [ServerEvent("a", "7", [1, 2])]
