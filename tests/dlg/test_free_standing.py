"""Graphs linked by hand, through the front doors, without any session."""

from __future__ import annotations

from typing import Any

import pytest

from dlg.apps.simple import CopyApp, SleepApp
from dlg.ddap_protocol import AppDROPStates, DROPStates, ExecutionMode
from dlg.drop import (
    AbstractDROP,
    AppDROP,
    BarrierAppDROP,
    ContainerDROP,
    InMemoryDROP,
    InputFiredAppDROP,
)
from dlg.droputils import DROPWaiterCtx, allDropContents
from dlg.event import Event, EventHandler
from dlg.exceptions import InvalidRelationshipException


class Recorder(EventHandler):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def handleEvent(self, e: Event) -> None:
        self.heard.append(e)

    def types(self) -> list[str]:
        return [event.type for event in self.heard]


class Refuses(BarrierAppDROP):
    def run(self) -> None:
        raise LookupError("not today")


def test_a_chain_linked_by_hand_runs_to_its_end() -> None:
    a, b, c = InMemoryDROP("a", "a"), SleepApp("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    with DROPWaiterCtx(None, c, 5):
        a.write(b"x")
        a.setCompleted()
    assert (b.status, b.execStatus) == (DROPStates.COMPLETED, AppDROPStates.FINISHED)
    assert c.isCompleted()


@pytest.mark.parametrize("from_data", [True, False])
def test_a_link_is_the_same_from_either_side(from_data: bool) -> None:
    a, b, c = InMemoryDROP("a", "a"), CopyApp("b", "b"), InMemoryDROP("c", "c")
    if from_data:
        a.addConsumer(b)
        c.addProducer(b)
    else:
        b.addInput(a)
        b.addOutput(c)
    assert (a.consumers, b.inputs, b.outputs, c.producers) == ([b], [a], [c], [b])
    with DROPWaiterCtx(None, c, 5):
        a.write(b"data")
        a.setCompleted()
    assert allDropContents(c) == b"data"


def test_a_failure_reaches_the_end_of_the_graph_and_says_whose_it_was() -> None:
    a, b, c = InMemoryDROP("a", "a"), Refuses("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    with DROPWaiterCtx(None, c, 5, [DROPStates.ERROR]):
        a.setCompleted()
    assert str(b.failure) == "not today"
    assert c.stopped_by == "b"


def test_an_input_fired_app_runs_when_enough_inputs_have_ended() -> None:
    class First(InputFiredAppDROP):
        def run(self) -> None:
            self.outputs[0].write("ran")

    inputs = [InMemoryDROP(uid, uid) for uid in "abc"]
    app, output = First("x", "x", n_effective_inputs=2), InMemoryDROP("y", "y")
    app.addOutput(output)
    for drop in inputs:
        app.addInput(drop)
    with DROPWaiterCtx(None, output, 5):
        inputs[2].setCompleted()
        assert app.execStatus is AppDROPStates.NOT_RUN
        inputs[0].setCompleted()
    assert allDropContents(output) == b"ran"


def test_a_streaming_app_gets_data_as_it_is_written() -> None:
    class Upper(AppDROP):
        def dataWritten(self, uid: str, data: bytes) -> None:
            self.outputs[0].write(data.upper())

        def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
            self._notifyAppIsFinished()

    a, app, b = InMemoryDROP("a", "a"), Upper("x", "x"), InMemoryDROP("b", "b")
    a.addStreamingConsumer(app)
    app.addOutput(b)
    with DROPWaiterCtx(None, b, 5):
        for piece in ("ab", "cd"):
            a.write(piece)
        a.setCompleted()
    assert allDropContents(b) == b"ABCD"
    assert (a.streamingConsumers, app.streamingInputs) == ([app], [a])


def test_an_app_behind_external_data_waits_until_somebody_executes_it() -> None:
    a = InMemoryDROP("a", "a", executionMode=ExecutionMode.EXTERNAL)
    b, c = CopyApp("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    a.write(b"x")
    a.setCompleted()
    assert b.execStatus is AppDROPStates.NOT_RUN
    with DROPWaiterCtx(None, c, 5):
        b.async_execute()
    assert allDropContents(c) == b"x"


def test_executing_returns_when_the_app_has_ended() -> None:
    app, output = CopyApp("b", "b"), InMemoryDROP("c", "c")
    app.addOutput(output)
    app.execute()
    assert app.execStatus is AppDROPStates.FINISHED


def test_a_listener_hears_each_status_and_the_end() -> None:
    drop, recorder = InMemoryDROP("oid", "uid"), Recorder()
    drop.subscribe(recorder)
    drop.write(b"x")
    drop.setCompleted()
    assert recorder.types() == ["status", "status", "dropCompleted"]
    last: Any = recorder.heard[-1]
    assert (last.oid, last.uid, last.status) == ("oid", "uid", DROPStates.COMPLETED)


def test_a_listener_hears_only_the_type_it_asked_for() -> None:
    drop, recorder = InMemoryDROP("a", "a"), Recorder()
    drop.subscribe(recorder, "dropCompleted")
    drop.write(b"x")
    drop.setCompleted()
    assert recorder.types() == ["dropCompleted"]


def test_who_has_unsubscribed_hears_no_more() -> None:
    drop, recorder = InMemoryDROP("a", "a"), Recorder()
    drop.subscribe(recorder, "status")
    drop.write(b"x")
    drop.unsubscribe(recorder, "status")
    drop.setCompleted()
    assert recorder.types() == ["status"]


def test_the_end_of_an_app_is_told_with_how_it_was_executed() -> None:
    app, recorder = SleepApp("a", "a"), Recorder()
    app.subscribe(recorder, "producerFinished")
    app.execute()
    (event,) = recorder.heard
    about: Any = event
    assert (about.uid, about.execStatus) == ("a", AppDROPStates.FINISHED)


def test_a_drop_says_who_it_is_and_what_is_known_of_it() -> None:
    drop: AbstractDROP = InMemoryDROP("oid", "uid", persist=True)
    assert (drop.oid, drop.uid, drop.status) == ("oid", "uid", DROPStates.INITIALIZED)
    assert (drop.persist, drop.executionMode) == (True, ExecutionMode.DROP)
    assert (drop.producers, drop.consumers, drop.parent) == ([], [], None)


def test_a_drop_completes_itself_at_its_expected_size() -> None:
    drop = InMemoryDROP("a", "a", expectedSize=3)
    drop.write(b"ab")
    assert not drop.isCompleted()
    drop.write(b"c")
    assert (drop.isCompleted(), drop.size) == (True, 3)


def test_a_container_completes_with_the_last_of_its_children() -> None:
    container, children = ContainerDROP("c", "c"), [InMemoryDROP(uid, uid) for uid in "ab"]
    for child in children:
        container.addChild(child)
    assert [child.parent for child in children] == [container, container]
    with DROPWaiterCtx(None, container, 5):
        children[0].setCompleted()
        assert not container.isCompleted()
        children[1].setCompleted()
    assert container.isCompleted()


def test_a_cancelled_drop_tells_who_waits_for_it() -> None:
    a, b, c = InMemoryDROP("a", "a"), SleepApp("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    with DROPWaiterCtx(None, [b, c], 5, [DROPStates.CANCELLED]):
        a.cancel()
    assert a.status is DROPStates.CANCELLED


def test_skipping_data_skips_what_depends_on_it() -> None:
    a, b, c = InMemoryDROP("a", "a"), SleepApp("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    with DROPWaiterCtx(None, c, 5, [DROPStates.SKIPPED]):
        a.skip()
    assert b.execStatus is AppDROPStates.SKIPPED


def test_a_producer_that_is_elsewhere_may_report_its_end() -> None:
    drop = InMemoryDROP("a", "a")
    drop.addProducer(SleepApp("x", "x"))
    drop.producerFinished("x", DROPStates.COMPLETED)
    assert drop.isCompleted()


def test_an_app_may_not_consume_data_in_two_ways() -> None:
    a, app = InMemoryDROP("a", "a"), AppDROP("x", "x")
    app.addInput(a)
    with pytest.raises(InvalidRelationshipException, match="normal and a streaming consumer"):
        app.addStreamingInput(a)


def test_the_nodes_of_the_consumers_are_known() -> None:
    a = InMemoryDROP("a", "a")
    for uid, node in (("x", "n2"), ("y", "n1"), ("z", "n1")):
        a.addConsumer(SleepApp(uid, uid, node=node))
    assert a.get_consumers_nodes() == ["n1", "n2"]
