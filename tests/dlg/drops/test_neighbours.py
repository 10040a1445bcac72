"""Going from drop to drop along the links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlg.apps.null import NullBarrierApp
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import AppDROP
from dlg.drops.neighbours import (
    ListAsDict,
    breadFirstTraverse,
    depthFirstTraverse,
    getDownstreamObjects,
    getLeafNodes,
    getUpstreamObjects,
)

Walk = Callable[[Any], Any]


def _app(uid: str, *inputs: Any, outputs: tuple[Any, ...] = ()) -> NullBarrierApp:
    app = NullBarrierApp(uid, uid)
    for drop in inputs:
        app.addInput(drop)
    for drop in outputs:
        app.addOutput(drop)
    return app


def _uids(drops: Any) -> list[str]:
    return [drop.uid for drop in drops]


@pytest.fixture
def diamond() -> InMemoryDROP:
    """Return `a` of: a feeds b and c, which write d and e, which f reads and writes g."""
    a, d, e, g = (InMemoryDROP(uid, uid) for uid in "adeg")
    _app("b", a, outputs=(d,))
    _app("c", a, outputs=(e,))
    _app("f", d, e, outputs=(g,))
    return a


@pytest.fixture
def long_chain() -> InMemoryDROP:
    first = last = InMemoryDROP("d0", "d0")
    for i in range(2000):
        following = InMemoryDROP(f"d{i + 1}", f"d{i + 1}")
        _app(f"a{i}", last, outputs=(following,))
        last = following
    return first


def test_downstream_of_an_app_are_its_outputs() -> None:
    a, b = InMemoryDROP("a", "a"), InMemoryDROP("b", "b")
    assert getDownstreamObjects(_app("x", a, outputs=(b,))) == [b]


def test_downstream_of_data_are_its_consumers_of_both_kinds() -> None:
    data, stream = InMemoryDROP("a", "a"), AppDROP("s", "s")
    data.addStreamingConsumer(stream)
    normal = _app("n", data)
    assert getDownstreamObjects(data) == [normal, stream]


def test_upstream_of_data_are_its_producers() -> None:
    data = InMemoryDROP("a", "a")
    producers = [_app(uid, outputs=(data,)) for uid in "xy"]
    assert getUpstreamObjects(data) == producers


def test_upstream_of_an_app_are_its_inputs_of_both_kinds() -> None:
    app, normal, stream = AppDROP("x", "x"), InMemoryDROP("n", "n"), InMemoryDROP("s", "s")
    app.addStreamingInput(stream)
    app.addInput(normal)
    assert getUpstreamObjects(app) == [normal, stream]


def test_upstream_and_downstream_are_each_other_s_inverse(diamond: InMemoryDROP) -> None:
    for drop, _ in breadFirstTraverse(diamond):
        assert all(drop in getUpstreamObjects(other) for other in getDownstreamObjects(drop))


def test_breadth_first_visits_the_nearest_first_and_each_once(diamond: InMemoryDROP) -> None:
    assert _uids(drop for drop, _ in breadFirstTraverse(diamond)) == list("abcdefg")


def test_depth_first_follows_each_path_to_its_end(diamond: InMemoryDROP) -> None:
    assert _uids(drop for drop, _ in depthFirstTraverse(diamond)) == list("abdfgce")


@pytest.mark.parametrize("walk", [breadFirstTraverse, depthFirstTraverse])
def test_a_walk_shows_what_it_visits_next(walk: Walk, diamond: InMemoryDROP) -> None:
    _, following = next(walk(diamond))
    assert _uids(following) == ["b", "c"]


@pytest.mark.parametrize("walk", [breadFirstTraverse, depthFirstTraverse])
def test_what_is_taken_out_of_the_list_is_not_visited(walk: Walk, diamond: InMemoryDROP) -> None:
    seen = []
    for drop, following in walk(diamond):
        seen.append(drop.uid)
        following[:] = [other for other in following if other.uid not in "cf"]
    assert seen == ["a", "b", "d"]


@pytest.mark.parametrize("walk", [breadFirstTraverse, depthFirstTraverse])
def test_a_walk_of_a_long_chain_does_not_recurse(walk: Walk, long_chain: InMemoryDROP) -> None:
    assert sum(1 for _ in walk(long_chain)) == 4001


def test_breadth_first_starts_from_several_drops() -> None:
    a, b = InMemoryDROP("a", "a"), InMemoryDROP("b", "b")
    _app("x", a, b)
    assert _uids(drop for drop, _ in breadFirstTraverse([a, b, a])) == ["a", "b", "x"]


def test_the_list_of_starting_points_stays_as_it_was(diamond: InMemoryDROP) -> None:
    starts = [diamond]
    assert sum(1 for _ in breadFirstTraverse(starts)) == 7
    assert starts == [diamond]


def test_depth_first_leaves_out_what_was_visited_and_adds_to_it(diamond: InMemoryDROP) -> None:
    visited = [diamond.consumers[1]]
    assert _uids(drop for drop, _ in depthFirstTraverse(diamond, visited)) == list("abdfg")
    assert _uids(visited) == list("cabdfg")


def test_two_depth_first_walks_know_nothing_of_each_other(diamond: InMemoryDROP) -> None:
    first = list(depthFirstTraverse(diamond))
    assert len(list(depthFirstTraverse(diamond))) == len(first) == 7


def test_leaves_are_the_drops_after_which_nothing_comes(diamond: InMemoryDROP) -> None:
    assert _uids(getLeafNodes(diamond)) == ["g"]


def test_leaves_of_several_graphs_come_in_one_list(diamond: InMemoryDROP) -> None:
    alone = InMemoryDROP("z", "z")
    assert _uids(getLeafNodes([diamond, alone])) == ["z", "g"]


def test_a_list_with_a_set_notes_the_uids_of_what_is_appended() -> None:
    uids: set[str] = set()
    drops = ListAsDict(uids)
    drop = InMemoryDROP("a", "a-1")
    drops.append(drop)
    assert (drops, uids) == ([drop], {"a-1"})
