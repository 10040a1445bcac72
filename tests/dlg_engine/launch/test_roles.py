"""Who is master, island and node: laws of the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg_engine.launch.roles import Post, Role, posts, ranks_of


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[Post, ...], int, int]:
    """A table, with the numbers of ranks and islands that it is for."""
    islands = draw(st.integers(1, 8))
    apart = draw(st.booleans())
    ranks = draw(st.integers(islands, 60)) + (1 + islands if apart else 0)
    return posts(ranks, islands, apart=apart), ranks, islands


@given(tables())
def test_each_rank_has_something_to_do(made: tuple[tuple[Post, ...], int, int]) -> None:
    table, ranks, _ = made
    assert [post.rank for post in table] == list(range(ranks))
    assert all(post.roles for post in table)


@given(tables())
def test_there_is_one_master_and_it_is_rank_0(made: tuple[tuple[Post, ...], int, int]) -> None:
    assert ranks_of(made[0], Role.MASTER) == [0]


@given(tables())
def test_each_node_is_in_exactly_one_island(made: tuple[tuple[Post, ...], int, int]) -> None:
    table, _, islands = made
    shares = [post.below for post in table if Role.ISLAND in post.roles]
    assert len(shares) == islands
    assert [rank for share in shares for rank in share] == ranks_of(table, Role.NODE)


@given(tables())
def test_islands_are_of_equal_size_and_none_is_empty(
    made: tuple[tuple[Post, ...], int, int],
) -> None:
    sizes = [len(post.below) for post in made[0] if Role.ISLAND in post.roles]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


@given(tables())
def test_only_islands_have_nodes_below(made: tuple[tuple[Post, ...], int, int]) -> None:
    assert all(bool(post.below) == (Role.ISLAND in post.roles) for post in made[0])


def test_one_rank_is_all_of_it() -> None:
    assert posts(1) == (Post(0, (Role.NODE, Role.ISLAND, Role.MASTER), (0,)),)


def test_managers_that_stand_apart_have_no_node_beside_them() -> None:
    table = posts(6, 2, apart=True)
    assert ranks_of(table, Role.NODE) == [3, 4, 5]
    assert [post.roles for post in table[:3]] == [(Role.MASTER,), (Role.ISLAND,), (Role.ISLAND,)]
    assert [post.below for post in table[1:3]] == [(3, 4), (5,)]


@pytest.mark.parametrize(
    ("ranks", "islands", "apart"), [(1, 2, False), (2, 1, True), (3, 0, False)]
)
def test_an_island_without_a_node_is_refused(ranks: int, islands: int, apart: bool) -> None:
    with pytest.raises(UsageError, match="at least one"):
        posts(ranks, islands, apart=apart)
