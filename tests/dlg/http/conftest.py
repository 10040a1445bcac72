from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from dlg.exceptions import ErrorManagerCaughtException, NoSessionException, UsageError
from dlg.http.answers import Answer, as_events, as_json, as_pieces, as_text
from dlg.http.asking import Asked, Kind, Param
from dlg.http.errors import STATUS, describe_with_class
from dlg.http.events import EventQueue
from dlg.http.routes import METHODS, Route, Takes
from dlg.http.server import Server, in_thread
from dlg.http.site import Options, Site

PATIENCE_S = 20
TYPES = ("application/json", "text/plain")


@dataclass
class Shop:
    """The service of these tests: it writes down what it is asked."""

    asked: list[Asked] = field(default_factory=list)
    queue: EventQueue | None = None
    opened: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)


def echo(shop: Shop, asked: Asked) -> Answer:
    """Return what was given."""
    shop.asked.append(asked)
    return as_json({**asked.values, **asked.options})


def document(shop: Shop, asked: Asked) -> Answer:
    """Return the document that was sent."""
    shop.asked.append(asked)
    return as_json(asked.document)


def raw(shop: Shop, asked: Asked) -> Answer:
    """Return how many bytes were sent."""
    shop.asked.append(asked)
    return as_text(str(len(asked.body)))


def fail(shop: Shop, asked: Asked) -> Answer:
    """Fail in the way that is asked for."""
    del shop
    raise {
        "session": NoSessionException("s", "gone"),
        "manager": ErrorManagerCaughtException("two", {"b": object, "c": ["a", 1]}),
        "user": UsageError("you"),
        "bug": RuntimeError("the password is swordfish"),
    }[asked.text("how")]


def long(shop: Shop, asked: Asked) -> Answer:
    """Return many pieces, and break off if that is asked for."""

    def pieces() -> Iterator[bytes]:
        try:
            for number in range(asked.whole("pieces")):
                yield f"{number} ".encode()
            if asked.flag("break"):
                raise RuntimeError("broken off")
        finally:
            shop.closed.set()

    return as_pieces(pieces(), "text/plain", "numbers.txt")


def listen(shop: Shop, asked: Asked) -> Answer:
    """Return events."""
    shop.asked.append(asked)
    shop.queue = EventQueue(shop.closed.set)
    shop.opened.set()
    return as_events(shop.queue)


def stay(shop: Shop, asked: Asked) -> Answer:
    """Answer that all is well."""
    del shop, asked
    return as_json({})


OID = Param("oid", help="An oid.")
ROUTES: Sequence[Route[Shop]] = (
    *(Route(method, "/any", echo) for method in METHODS),
    Route("GET", "/health", stay),
    Route("GET", "/echo", echo, (Param("a"), Param("n", Kind.WHOLE, default=3, least=1))),
    Route("POST", "/echo", echo, (Param("a"), Param("o", Kind.OBJECT)), more=True),
    Route("PUT", "/only", echo),
    Route("GET", "/drops/{oid}", echo, (OID,)),
    Route("GET", "/drops/{oid}/data", echo, (OID, Param("which", default="data"))),
    Route("GET", "/drops/special", stay),
    Route("GET", "/deep/{oid*}", echo, (OID,)),
    Route("GET", "/deep/data/{oid*}", echo, (OID, Param("which", default="data"))),
    Route("DELETE", "/node/{oid}", echo, (OID,)),
    Route("POST", "/document", document, takes=Takes.JSON),
    Route("POST", "/graph", document, takes=Takes.JSON, media=TYPES),
    Route("POST", "/raw", raw, (Param("a"),), takes=Takes.RAW),
    Route("GET", "/fail", fail, (Param("how", required=True),)),
    Route(
        "GET", "/long", long, (Param("pieces", Kind.WHOLE, default=3), Param("break", Kind.FLAG))
    ),
    Route("GET", "/events", listen, kind="text/event-stream"),
)
SITE = Site(
    name="shop",
    statuses={**STATUS, NoSessionException: 404, ErrorManagerCaughtException: 555},
    describe=describe_with_class,
)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """A running shop, and how to ask it."""

    shop: Shop
    server: Server

    def link(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_S)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Ask; `_` in the names of headers stands for `-`."""
        link = self.link()
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            link.request(method, path, body, names)
            answer = link.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            link.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, None, **headers)

    def post(self, path: str, body: bytes, kind: str = "application/json", **more: str) -> Reply:
        return self.call("POST", path, body, Content_Type=kind, **more)


@contextmanager
def running(site: Site = SITE, **changes: Any) -> Iterator[Client]:
    """Open a shop, and close it in the end."""
    shop = Shop()
    with in_thread(Server(shop, ROUTES, Options(**changes), site)) as server:
        yield Client(shop, server)


Open = Callable[..., Client]


@pytest.fixture
def shop_until_closed() -> Callable[..., AbstractContextManager[Client]]:
    """Return what opens a shop with other options for as long as a context lasts."""
    return running


@pytest.fixture
def open_shop() -> Iterator[Open]:
    """Return what opens a shop with other options until the test ends."""
    with ExitStack() as stack:

        def begin(site: Site = SITE, **changes: Any) -> Client:
            return stack.enter_context(running(site, **changes))

        yield begin


@pytest.fixture
def client(open_shop: Open) -> Client:
    return open_shop()
