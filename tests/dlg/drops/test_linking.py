"""What may be linked to what."""

from __future__ import annotations

from typing import Any

import pytest

from dlg.data.container import ContainerDROP
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import AppDROP, BarrierAppDROP
from dlg.exceptions import InvalidRelationshipException
from dlg.testing.expectations import ending

Link = Any


@pytest.mark.parametrize(
    "link",
    [
        lambda data, app: data.addConsumer(app),
        lambda data, app: app.addInput(data),
        lambda data, app: (data.addConsumer(app), app.addInput(data)),
    ],
    ids=["from the data", "from the app", "from both"],
)
def test_an_input_is_one_link_whoever_makes_it(link: Link) -> None:
    data, app = InMemoryDROP("d"), BarrierAppDROP("a")
    link(data, app)
    assert (data.consumers, app.inputs) == ([app], [data])
    with ending(app):
        data.setCompleted()
    assert app.execStatus is X.FINISHED


@pytest.mark.parametrize(
    "link",
    [
        lambda data, app: data.addProducer(app),
        lambda data, app: app.addOutput(data),
        lambda data, app: (data.addProducer(app), app.addOutput(data)),
    ],
    ids=["from the data", "from the app", "from both"],
)
def test_an_output_is_one_link_whoever_makes_it(link: Link) -> None:
    data, app = InMemoryDROP("d"), BarrierAppDROP("a")
    link(data, app)
    assert (data.producers, app.outputs) == ([app], [data])


@pytest.mark.parametrize(
    "link",
    [
        lambda data, app: data.addStreamingConsumer(app),
        lambda data, app: app.addStreamingInput(data),
    ],
    ids=["from the data", "from the app"],
)
def test_a_stream_is_one_link_whoever_makes_it(link: Link) -> None:
    data, app = InMemoryDROP("d"), AppDROP("a")
    link(data, app)
    assert (data.streamingConsumers, data.consumers) == ([app], [])
    assert (app.streamingInputs, app.inputs) == ([data], [])


@pytest.mark.parametrize(
    "link",
    [
        lambda: BarrierAppDROP("a").addInput(BarrierAppDROP("b")),
        lambda: BarrierAppDROP("a").addOutput(BarrierAppDROP("b")),
        lambda: InMemoryDROP("a").addConsumer(InMemoryDROP("b")),
        lambda: InMemoryDROP("a").addProducer(InMemoryDROP("b")),
    ],
    ids=["app input", "app output", "data consumer", "data producer"],
)
def test_data_and_apps_take_turns(link: Link) -> None:
    with pytest.raises(InvalidRelationshipException, match="must be between") as caught:
        link()
    assert "a" in str(caught.value)
    assert "b" in str(caught.value)


def test_an_app_that_waits_for_the_end_of_its_inputs_cannot_consume_a_stream() -> None:
    with pytest.raises(InvalidRelationshipException, match="cannot consume one as a stream"):
        BarrierAppDROP("a").addStreamingInput(InMemoryDROP("d"))


@pytest.mark.parametrize("first", ["addConsumer", "addStreamingConsumer"])
def test_a_normal_consumer_is_no_streaming_consumer_of_the_same_data(first: str) -> None:
    data, app = InMemoryDROP("d"), AppDROP("a")
    second = {"addConsumer": "addStreamingConsumer"}.get(first, "addConsumer")
    getattr(data, first)(app)
    with pytest.raises(InvalidRelationshipException, match="normal and a streaming consumer"):
        getattr(data, second)(app)


def test_the_order_of_inputs_is_that_in_which_they_were_linked() -> None:
    app, drops = BarrierAppDROP("a"), [InMemoryDROP(uid) for uid in "xyz"]
    for drop in reversed(drops):
        drop.addConsumer(app)
    assert [drop.uid for drop in app.inputs] == ["z", "y", "x"]


def test_graphs_that_are_linked_later_become_one() -> None:
    left = [InMemoryDROP("l1"), BarrierAppDROP("l2"), InMemoryDROP("l3")]
    right = [BarrierAppDROP("r1"), InMemoryDROP("r2")]
    left[0].addConsumer(left[1])
    left[1].addOutput(left[2])  # type: ignore[attr-defined]
    right[0].addOutput(right[1])  # type: ignore[attr-defined]
    left[2].addConsumer(right[0])
    with ending(right[1]):
        left[0].setCompleted()
    assert right[1].status is S.COMPLETED


def test_a_consumer_linked_to_data_that_has_ended_does_not_wait_for_it() -> None:
    early, late, app = InMemoryDROP("early"), InMemoryDROP("late"), BarrierAppDROP("a")
    early.setCompleted()
    app.addInput(early)
    app.addInput(late)
    with ending(app):
        late.setCompleted()
    assert app.execStatus is X.FINISHED


def test_a_container_in_a_container_completes_from_the_inside() -> None:
    outer, inner, child = ContainerDROP("outer"), ContainerDROP("inner"), InMemoryDROP("child")
    outer.addChild(inner)
    inner.addChild(child)
    child.setCompleted()
    assert (inner.status, outer.status) == (S.COMPLETED, S.COMPLETED)
