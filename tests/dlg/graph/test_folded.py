from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.graph.folded import Cells, lay_out_folded, rows_for

CELLS = Cells(width=10.0, height=8.0, gap=20.0, aspect=1.8)
links = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=120)


@given(links)
def test_no_two_nodes_share_a_cell(pairs: list[tuple[int, int]]) -> None:
    found = lay_out_folded(40, [a for a, _ in pairs], [b for _, b in pairs], CELLS)
    for k in range(40):
        apart_x, apart_y = np.abs(found.x - found.x[k]), np.abs(found.y - found.y[k])
        near = (apart_x < CELLS.width - 1e-6) & (apart_y < CELLS.height - 1e-6)
        assert near.sum() == 1


@given(links)
def test_links_lead_to_the_right_unless_they_close_a_cycle(pairs: list[tuple[int, int]]) -> None:
    found = lay_out_folded(40, [a for a, _ in pairs], [b for _, b in pairs], CELLS)
    for k, (a, b) in enumerate(pairs):
        if a != b:
            assert (found.x[b] < found.x[a]) == found.backward[k]


@given(links)
def test_without_cycles_all_links_lead_to_the_right(pairs: list[tuple[int, int]]) -> None:
    down = [(min(pair), max(pair)) for pair in pairs]
    found = lay_out_folded(40, [a for a, _ in down], [b for _, b in down], CELLS)
    assert not found.backward.any()


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12))
def test_columns_are_as_low_as_the_shape_allows(counts: list[int]) -> None:
    def too_wide(rows: int) -> bool:
        columns = sum(-(-count // rows) for count in counts)
        width = columns * CELLS.width + CELLS.gap * (len(counts) - 1)
        return width > CELLS.aspect * rows * CELLS.height

    rows = rows_for(np.asarray(counts), CELLS)
    assert rows == 1 or too_wide(rows - 1)
    assert rows == max(counts) or not too_wide(rows)


def test_pipelines_run_level() -> None:
    n = 500
    src = [*range(n), *range(n, 2 * n)]
    found = lay_out_folded(3 * n, src, [k + n for k in src], CELLS)
    assert found.y[:n] == pytest.approx(found.y[n : 2 * n])
    assert found.y[:n] == pytest.approx(found.y[2 * n :])


def test_a_graph_without_nodes_is_empty() -> None:
    assert len(lay_out_folded(0, [], []).x) == 0
