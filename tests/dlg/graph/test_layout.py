from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.graph.layout import Edges, Layout, Nodes, Spacing, lay_out
from dlg.testing import graphs

WIDTH, HEIGHT = 80.0, 30.0
GAP = Spacing().between_nodes

links = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=60)


def drawn(n: int, pairs: list[tuple[int, int]], pinned: list[int] | None = None) -> Layout:
    src, dst = [a for a, _ in pairs], [b for _, b in pairs]
    pins = None if pinned is None else np.asarray(pinned)
    nodes = Nodes(np.full(n, WIDTH), np.full(n, HEIGHT), pins)
    return lay_out(nodes, Edges.between(src, dst))


@given(links)
def test_nodes_of_a_layer_keep_their_distance(pairs: list[tuple[int, int]]) -> None:
    found = drawn(25, pairs)
    for layer in range(int(found.layer.max()) + 1):
        heights = np.sort(found.y[found.layer == layer])
        assert (np.diff(heights) >= HEIGHT + GAP - 1e-3).all()


@given(links)
def test_links_lead_to_the_right_unless_they_are_called_backward(
    pairs: list[tuple[int, int]],
) -> None:
    found = drawn(25, pairs)
    for k, (a, b) in enumerate(pairs):
        if a == b:
            assert not found.backward[k]
        else:
            assert (found.x[b] < found.x[a]) == found.backward[k]


@given(links)
def test_a_graph_without_cycles_has_no_backward_links(pairs: list[tuple[int, int]]) -> None:
    found = drawn(25, [(min(p), max(p)) for p in pairs])
    assert not found.backward.any()


@given(links)
def test_everything_is_inside_the_drawing(pairs: list[tuple[int, int]]) -> None:
    found = drawn(25, pairs)
    assert (found.x - WIDTH / 2 >= -1e-6).all()
    assert (found.x + WIDTH / 2 <= found.width + 1e-6).all()
    assert (found.y - HEIGHT / 2 >= -1e-3).all()
    assert (found.y + HEIGHT / 2 <= found.height + 1e-3).all()


@given(links)
def test_the_same_graph_is_drawn_the_same(pairs: list[tuple[int, int]]) -> None:
    first, second = drawn(25, pairs), drawn(25, pairs)
    assert (first.x == second.x).all()
    assert (first.y == second.y).all()


def test_a_chain_is_level() -> None:
    found = drawn(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert np.ptp(found.y) < 1e-6
    assert found.layer.tolist() == [0, 1, 2, 3, 4]


def test_a_fan_is_symmetric_about_its_root() -> None:
    found = drawn(6, [(0, k) for k in range(1, 6)])
    assert found.y[0] == pytest.approx(found.y[1:].mean())


def test_crossings_that_can_be_avoided_are() -> None:
    found = drawn(6, [(0, 5), (1, 4), (2, 3)])
    assert np.argsort(found.y[[0, 1, 2]]).tolist() == np.argsort(found.y[[5, 4, 3]]).tolist()


def test_a_link_over_layers_bends_in_each_of_them() -> None:
    found = drawn(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert np.diff(found.bend_start).tolist() == [0, 0, 0, 2]
    apart = np.abs(found.bend_y[:, None] - found.y[[1, 2]])
    assert (np.diag(apart) > HEIGHT / 2).all(), "it must pass the nodes between, not cross them"


def test_a_root_is_drawn_near_what_follows_from_it() -> None:
    found = drawn(5, [(0, 1), (1, 2), (2, 3), (4, 3)])
    assert found.layer[4] == 2


def test_pinned_nodes_are_in_the_first_and_last_layer() -> None:
    pinned = [0, 0, 0, -1, 1]
    found = drawn(5, [(0, 1), (1, 2), (3, 2), (0, 4)], pinned)
    assert found.layer[3] == found.layer.min() < found.layer[0]
    assert found.layer[4] == found.layer.max() > found.layer[2]


def test_no_nodes_make_an_empty_drawing() -> None:
    found = drawn(0, [])
    assert (found.width, found.height) == (0, 0)


def test_big_graphs_of_any_shape_are_laid_out() -> None:
    for specs in (graphs.chain(2000), graphs.fan_gather(2000), graphs.stencil(30, 30)):
        row = {spec["oid"]: k for k, spec in enumerate(specs)}
        pairs = [
            (row[spec["oid"]], row[other])
            for spec in specs
            for key in ("consumers", "outputs")
            for other in spec.get(key, ())
        ]
        assert not drawn(len(specs), pairs).backward.any()
