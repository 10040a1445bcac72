from __future__ import annotations

import asyncio
import json
import socket
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.http.events import Event, EventQueue

PATIENCE_S = 20


def _follow(client: Any, **headers: str) -> tuple[HTTPConnection, HTTPResponse]:
    """Return an open stream of events, whose first comment has been read."""
    link = client.link()
    link.request("GET", "/events", None, headers)
    answer = link.getresponse()
    assert client.shop.opened.wait(PATIENCE_S)
    assert _next(answer) == [": still here"]
    return link, answer


def _next(answer: HTTPResponse) -> list[str]:
    lines: list[str] = []
    while line := answer.readline().decode().rstrip("\n"):
        lines.append(line)
    return lines


def test_events_come_as_they_are_put_and_end_with_the_queue(client: Any) -> None:
    link, answer = _follow(client)
    assert answer.getheader("Content-Type") == "text/event-stream"
    assert client.shop.queue.put(Event({"oid": "1_a"}, name="drop", id="7"))
    assert _next(answer) == ["event: drop", "id: 7", 'data: {"oid":"1_a"}']
    assert client.shop.queue.put(Event("two\nlines"))
    assert _next(answer) == ["data: two", "data: lines"]
    client.shop.queue.put(Event("last"))
    client.shop.queue.end()
    assert _next(answer) == ["data: last"]
    assert answer.read() == b""
    assert client.shop.closed.wait(PATIENCE_S)
    link.close()


def test_a_client_that_comes_back_says_what_it_got_last(client: Any) -> None:
    link, _ = _follow(client, **{"Last-Event-ID": "41"})
    assert client.shop.asked[0].last_event == "41"
    link.close()


def test_events_end_when_the_client_goes_away(client: Any) -> None:
    link, answer = _follow(client)
    answer.close()
    link.close()
    assert client.shop.closed.wait(PATIENCE_S)
    assert not client.shop.queue.put(Event("nobody"))


def test_a_silent_stream_says_that_it_is_still_there(open_shop: Any) -> None:
    link, answer = _follow(open_shop(keep_alive_s=0.01))
    assert _next(answer) == [": still here"]
    assert _next(answer) == [": still here"]
    answer.close()
    link.close()


def test_listening_takes_no_thread(open_shop: Any) -> None:
    client = open_shop(workers=1, most_waiting=0)
    link, answer = _follow(client)
    assert client.get("/health").status == 200
    answer.close()
    link.close()


def test_only_so_many_clients_may_listen_at_once(open_shop: Any) -> None:
    client = open_shop(most_streams=1)
    link, answer = _follow(client)
    reply = client.get("/events")
    assert reply.status == 503
    assert client.shop.closed.wait(PATIENCE_S)  # the queue of the one that was refused
    answer.close()
    link.close()


def test_the_head_of_a_stream_is_no_stream(client: Any) -> None:
    assert client.call("HEAD", "/events").body == b""
    assert client.shop.closed.wait(PATIENCE_S)


def test_a_server_that_ends_ends_its_streams(open_shop: Any) -> None:
    client = open_shop()
    link, answer = _follow(client)
    client.server.end()
    with pytest.raises((HTTPException, OSError)):
        _until_cut(answer)
    assert client.shop.closed.wait(PATIENCE_S)
    link.close()


def _until_cut(answer: HTTPResponse) -> None:
    """Read to the end; raise if the stream was cut instead of ended."""
    chunk = answer.read1()
    if not chunk:
        raise ConnectionError("cut")


def test_a_client_that_does_not_read_is_cut_off(open_shop: Any) -> None:
    client = open_shop(patience_s=0.05)
    link = socket.create_connection(("127.0.0.1", client.server.port), timeout=PATIENCE_S)
    link.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.shop.opened.wait(PATIENCE_S)
    client.shop.queue.put(Event("x" * 64_000_000))  # more than any buffer between us holds
    assert client.shop.closed.wait(PATIENCE_S)
    link.close()


def test_a_queue_that_is_full_ends_and_says_so() -> None:
    queue = EventQueue(most_waiting=2)
    assert [queue.put(Event("a")) for _ in range(4)] == [True, True, False, False]
    assert asyncio.run(_all(queue)) == []


def test_what_was_put_before_anybody_listened_is_sent() -> None:
    queue = EventQueue()
    events = [Event(str(number)) for number in range(3)]
    for event in events:
        queue.put(event)
    queue.end()
    assert asyncio.run(_all(queue)) == events


async def _all(queue: EventQueue) -> list[Event]:
    return [event async for event in queue]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_an_id_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        Event("a", id=text)
    with pytest.raises(ValueError, match="one line"):
        Event("a", name=text)


@given(st.text())
def test_no_text_ends_its_event_early(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    lines = Event(text).encoded().decode().split("\n")
    assert lines[-2:] == ["", ""]
    assert all(line.startswith("data: ") for line in lines[:-2])
    found = "\n".join(line.removeprefix("data: ") for line in lines[:-2])
    assert found == text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.recursive(st.none() | st.integers(0, 9) | st.text("ab\n"), st.lists))
def test_a_value_is_one_line_of_json(value: Any) -> None:
    event = Event([value]).encoded().decode()
    assert json.loads(event.removeprefix("data: ")) == [value]
    assert event.count("\n") == 2
