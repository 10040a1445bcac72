"""Whatever workers say, the scheduler lives and does its work."""

from __future__ import annotations

import itertools
import json
from typing import Any

import zmq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dlg.beat import worker_frames as frames
from dlg_engine.scheduling.models import Queue
from tests.dlg_engine.scheduling.plans import Desk
from tests.dlg_engine.scheduling.workers import FakePlace, Rung, scheduling, working

WORDS = sorted(frames.WORDS)
NUMBERS = st.one_of(
    st.integers(-2, 5), st.sampled_from([2**31, 2**63, 2**64, 10**18, 10**30])
)  # fmt: skip
FACTS = st.dictionaries(
    st.sampled_from([
        "session", "running", "kept", "seen", "beat", "cores", "memory_mb", "queues", "status",
        "user_error", "statistics",
    ]),
    st.recursive(
        st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8)),
        lambda inside: st.lists(inside, max_size=3),
        max_leaves=4,
    ),
)  # fmt: skip
FRAMES = st.one_of(
    st.binary(max_size=12),
    NUMBERS.map(lambda number: str(number).encode()),
    FACTS.map(lambda facts: json.dumps(facts).encode()),
)
MESSAGES = st.lists(
    st.tuples(st.sampled_from(WORDS), st.lists(FRAMES, max_size=3)), min_size=1, max_size=12
)
NUMBER = itertools.count()
NAMES = st.one_of(st.just(b"w"), st.binary(min_size=1, max_size=255).filter(lambda n: n[0] != 0))


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(name=NAMES, said=MESSAGES)
def test_whatever_a_worker_says_experiments_are_done(
    desk: Desk, name: bytes, said: list[Any]
) -> None:
    with desk.look() as look:
        known = look.all(Queue)
    if not known:
        desk.add_queue()
    rung = Rung(desk.database)
    place = FakePlace(desk.cache)
    context = zmq.Context()
    try:
        with scheduling(desk.database) as scheduler:
            socket = context.socket(zmq.DEALER)
            socket.identity = name
            socket.connect(scheduler.address)
            for word, rest in said:
                socket.send_multipart([word, *rest])
            socket.send_multipart([frames.EXIT])
            with working(scheduler.address, place, "honest"):
                experiment = desk.add({f"x{next(NUMBER)}": ()})
                rung.until(lambda: desk.states(experiment)[0] == "DONE")
            socket.close(linger=0)
    finally:
        context.destroy(linger=0)
        rung.close()
