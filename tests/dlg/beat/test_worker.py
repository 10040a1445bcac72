"""The controller of workers: what it says and hears, and when it believes a worker to be gone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.beat import worker_frames as frames
from dlg.beat.worker import WorkerController
from dlg.beat.worker_frames import Terms
from dlg.beat.worker_link import WorkerLink
from dlg.exceptions import UsageError
from dlg.rpc.curve import keys_from_token
from dlg.support import clock
from tests.dlg.beat.recorded import events, frames_of

PATIENCE_S = 20.0
QUICK = Terms(heartbeat_s=0.05, lease_s=0.4, return_s=0.2)


class Talk:
    """A controller, and sockets that speak as workers do."""

    def __init__(self, terms: Terms) -> None:
        self.told: list[tuple[str, Any]] = []
        callbacks = WorkerController.Callbacks()
        callbacks.onWorkerReady = lambda name: self.told.append(("ready", name))
        callbacks.onWorkerGone = lambda name: self.told.append(("gone", name))
        callbacks.onJobLost = lambda name, job: self.told.append(("lost", (name, job)))
        callbacks.onJobFound = lambda name, job: self.told.append(("found", (name, job)))
        self.controller = WorkerController("127.0.0.1", 0, callbacks, terms=terms)
        self._context = zmq.Context()
        self._sockets: dict[str, Any] = {}

    def connect(self, name: str) -> Any:
        """Connect as a worker of this name."""
        socket = self._context.socket(zmq.DEALER)
        socket.identity, socket.linger = name.encode(), 0
        socket.connect(self.controller.address)
        self._sockets[name] = socket
        return socket

    def say(self, name: str, *parts: bytes) -> None:
        """Say something as a worker."""
        socket = self._sockets.get(name) or self.connect(name)
        socket.send_multipart(parts)

    def hear(self, name: str) -> list[bytes]:
        """Return what a worker is told next."""
        assert self._sockets[name].poll(PATIENCE_S * 1000), "nothing is said"
        found: list[bytes] = self._sockets[name].recv_multipart()
        return found

    def hang_up(self, name: str) -> None:
        """Break a connection off, without a word."""
        self._sockets.pop(name).close(linger=0)

    def until(self, holds: Callable[[], bool]) -> None:
        """Let the controller work until something holds."""
        deadline = clock.monotonic() + PATIENCE_S
        while not holds():
            assert clock.monotonic() < deadline, "it does not come to that"
            self.controller.process(100)

    def until_told(self, *what: tuple[str, Any]) -> None:
        """Let the controller work until it has called back."""
        self.until(lambda: set(what) <= set(self.told))

    def next(self) -> frames.Outcome:
        """Return what the controller returns next."""
        deadline = clock.monotonic() + PATIENCE_S
        while (found := self.controller.process(100)) is None:
            assert clock.monotonic() < deadline, "it returns nothing"
        return found

    def introduce(self, name: str, **facts: Any) -> dict[str, Any]:
        """Introduce a worker of ours; return what it is told."""
        self.say(name, b"rdy", json.dumps({"session": "s", "beat": 1, **facts}).encode())
        self.until_told(("ready", name.encode()))
        word, terms = self.hear(name)
        assert word == b"ack"
        found: dict[str, Any] = json.loads(terms)
        return found

    def close(self) -> None:
        """Let go of everything."""
        for name in list(self._sockets):
            self.hang_up(name)
        self._context.destroy(linger=0)
        self.controller.destroy()


@contextmanager
def talking(terms: Terms = QUICK) -> Iterator[Talk]:
    made = Talk(terms)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talking() as made:
        yield made


def _text(parts: list[bytes]) -> list[Any]:
    """Return frames as texts, and JSON in them as what it is."""
    return [json.loads(one) if one[:1] == b"{" else one.decode() for one in parts]


def test_it_says_and_returns_what_the_existing_controller_does() -> None:
    with talking(Terms()) as talk:
        known = 0
        for before, event in itertools.pairwise([{}, *events()]):
            match event:
                case {"start": name}:
                    if name in talk._sockets:
                        talk.hang_up(name)
                case {"worker": _}:
                    talk.say("w1", *frames_of(event, "worker"))
                case {"controller": _}:
                    if before == {"worker": ["rdy"]}:
                        talk.controller.process(2000)  # it hears who is there
                    assert _text(talk.hear("w1")) == _text(frames_of(event, "controller"))
                case {"do": what, "args": arguments}:
                    getattr(talk.controller, what)(*arguments)
                case {"returned": [name, word, number, rest]}:
                    found = talk.next()
                    assert found[:3] == (name.encode(), word.encode(), number)
                    assert _text(found[3]) == _text([one.encode() for one in rest])
                case {"callback": what, "name": name}:
                    wanted = (what, name.encode())
                    talk.until(lambda wanted=wanted, known=known: wanted in talk.told[known:])  # type: ignore[misc]
                    known = len(talk.told)


def test_the_words_are_those_of_the_interface() -> None:
    named = {
        "READY": b"rdy", "EXIT": b"ext", "RECEIVED": b"rcv", "DONE": b"don", "JOB_ERROR": b"erj",
        "ERROR": b"err", "CANCELLED": b"cld", "EXECUTE": b"exe", "CANCEL": b"cnl", "ACK": b"ack",
        "SCHEDULER_SHUTDOWN": b"shd",
    }  # fmt: skip
    assert {name: getattr(WorkerController, name) for name in named} == named


def test_a_port_from_50000_on_is_taken_where_none_is_named() -> None:
    controller = WorkerController("127.0.0.1", None)
    try:
        assert int(controller.address.rpartition(":")[2]) >= 50000
    finally:
        controller.destroy()


def test_a_port_that_is_taken_is_refused(talk: Talk) -> None:
    port = int(talk.controller.address.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"cannot listen for workers at 127.0.0.1:{port}"):
        WorkerController("127.0.0.1", port)


def test_nothing_comes_of_waiting_where_nobody_speaks(talk: Talk) -> None:
    assert talk.controller.process(1) is None


def test_a_worker_that_leaves_is_gone(talk: Talk) -> None:
    talk.say("w", b"rdy")
    talk.until_told(("ready", b"w"))
    assert talk.controller.workers == [b"w"]
    talk.say("w", b"ext")
    talk.until_told(("gone", b"w"))
    assert talk.controller.workers == []


def test_an_unknown_worker_that_leaves_is_nobodys_business(talk: Talk) -> None:
    talk.say("w", b"ext")
    talk.say("w", b"don", b"5", b"{}")
    assert talk.next() == (b"w", b"don", 5, [b"{}"])
    assert talk.told == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([b"err", b"some text"], (b"err", None, [b"some text"])),
        ([b"err", b"5", b"some text"], (b"err", 5, [b"some text"])),
        ([b"erj", b"5", b"one", b"two"], (b"erj", 5, [b"one", b"two"])),
        ([b"cld", b"5"], (b"cld", 5, [])),
        ([b"rcv", b"5"], (b"rcv", 5, [])),
        ([b"xyz"], (b"xyz", None, [])),
    ],
)
def test_what_workers_say_is_returned(talk: Talk, said: list[bytes], told: Any) -> None:
    talk.say("w", *said)
    assert talk.next() == (b"w", *told)


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=20), max_size=5))
def test_whatever_is_said_the_controller_lives(said: list[bytes]) -> None:
    with talking() as talk:
        talk.say("w", *(said or [b""]))
        talk.say("w", b"cld", b"7")
        while talk.next() != (b"w", b"cld", 7, []):
            pass


def test_a_worker_of_ours_is_told_the_terms(talk: Talk) -> None:
    terms = talk.introduce("w")
    assert (terms["heartbeat_s"], terms["lease_s"]) == (0.05, 0.4)
    assert talk.controller.beats("w")


def test_a_worker_of_the_existing_system_is_told_nothing_new(talk: Talk) -> None:
    talk.say("w", b"rdy")
    talk.until_told(("ready", b"w"))
    assert talk.hear("w") == [b"ack"]
    assert not talk.controller.beats("w")


def test_a_worker_that_beats_no_more_is_gone(talk: Talk) -> None:
    talk.introduce("w")
    talk.until_told(("gone", b"w"))


def test_a_worker_that_beats_stays() -> None:
    with talking(Terms(heartbeat_s=0.05, lease_s=5.0)) as talk:
        talk.introduce("w")
        for number in range(3):
            beat = {"session": "s", "running": [], "beat": number}
            talk.say("w", b"hbt", json.dumps(beat).encode())
            talk.controller.process(1000)
            assert json.loads(talk.hear("w")[1])["beat"] == number
        assert talk.told == [("ready", b"w")]


def test_an_old_worker_is_gone_some_time_after_its_connection(talk: Talk) -> None:
    talk.say("w", b"rdy")
    talk.until_told(("ready", b"w"))
    talk.hang_up("w")
    talk.until_told(("gone", b"w"))


def test_an_old_worker_that_is_silent_stays_while_it_is_connected(talk: Talk) -> None:
    talk.say("w", b"rdy")
    talk.until_told(("ready", b"w"))
    deadline = clock.monotonic() + 3 * QUICK.lease_s
    while clock.monotonic() < deadline:
        talk.controller.process(50)
    assert talk.controller.workers == [b"w"]


def test_a_job_that_never_arrived_is_lost() -> None:
    with talking(Terms(heartbeat_s=0.05, lease_s=10.0)) as talk:
        terms = talk.introduce("w")
        assert talk.controller.execute("w", 3, {})
        talk.controller.ack("w")
        facts = {"session": "s", "running": [], "seen": terms["serial"]}
        talk.say("w", b"hbt", json.dumps(facts).encode())
        talk.controller.process(1000)
        assert ("lost", (b"w", 3)) not in talk.told  # it may be on its way still
        facts["seen"] += 1
        talk.say("w", b"hbt", json.dumps(facts).encode())
        talk.until_told(("lost", (b"w", 3)))


def test_a_job_that_nobody_knows_of_is_found(talk: Talk) -> None:
    talk.introduce("w", running=[4])
    assert ("found", (b"w", 4)) in talk.told


def test_a_worker_that_was_started_anew_has_lost_what_it_had() -> None:
    with talking(Terms(lease_s=10.0)) as talk:
        talk.introduce("w")
        talk.controller.execute("w", 3, {})
        talk.say("w", b"rdy", b'{"session": "another"}')
        talk.until_told(("gone", b"w"))
        assert talk.told[-2:] == [("gone", b"w"), ("ready", b"w")]


def test_a_job_for_a_worker_that_is_not_connected_says_so(talk: Talk) -> None:
    assert not talk.controller.execute("nobody", 1, {})
    assert not talk.controller.cancel("nobody", 1)


def test_workers_of_an_earlier_scheduler_are_asked_to_come_again(talk: Talk) -> None:
    talk.controller.expect(["there", "away"])
    socket = talk.connect("there")
    talk.until(lambda: bool(socket.poll(0)))
    assert talk.hear("there") == [b"shd"]
    talk.say("there", b"rdy")
    talk.until_told(("ready", b"there"), ("gone", b"away"))
    assert ("gone", b"there") not in talk.told


def test_what_nobody_says_is_not_heard(talk: Talk) -> None:
    socket = talk._context.socket(zmq.DEALER)  # without a name
    socket.linger = 0
    socket.connect(talk.controller.address)
    talk._sockets["nobody"] = socket
    talk.say("nobody", b"don", b"1", b"{}")
    talk.say("nobody", b"rdy")
    talk.say("w", b"cld", b"7")
    assert talk.next() == (b"w", b"cld", 7, [])
    assert talk.controller.process(100) is None
    assert talk.controller.workers == []


def _accepted(link: WorkerLink, controller: WorkerController) -> bool:
    """Return whether a worker is taken notice of, soon."""
    deadline = clock.monotonic() + 1.0
    while not link.is_accepted and clock.monotonic() < deadline:
        link.speak()
        controller.process(50)
        if link.pending():
            link.hear()
    return link.is_accepted


def test_with_keys_only_workers_that_have_them_come_in() -> None:
    keys = keys_from_token("only-for-biometricians-0123456789")
    controller = WorkerController("127.0.0.1", 0, keys=keys)
    member = WorkerLink("member", controller.address, {}, keys)
    others = [
        WorkerLink("other", controller.address, {}, keys_from_token("another-token-0123456789")),
        WorkerLink("plain", controller.address, {}),
    ]
    try:
        assert not any(_accepted(link, controller) for link in others)
        assert _accepted(member, controller)
        assert controller.workers == [b"member"]
    finally:
        for link in (member, *others):
            link.close()
        controller.destroy()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="one looks like tcp://127.0.0.1:50000"):
        WorkerLink("w", "nowhere", {})
