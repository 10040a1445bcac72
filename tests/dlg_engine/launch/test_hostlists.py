"""Lists of hosts, as batch systems write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg_engine.launch.hostlists import hosts_of, unfold

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z]", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("one", ["one"]),
        ("one,two", ["one", "two"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[008-010,7]-ib,login", ["n008-ib", "n009-ib", "n010-ib", "n7-ib", "login"]),
        ("r[1-2]c[0-1]", ["r1c0", "r1c1", "r2c0", "r2c1"]),
        ("", []),
    ],
)
def test_the_short_form_of_slurm_is_unfolded(text: str, hosts: list[str]) -> None:
    assert unfold(text) == hosts


@pytest.mark.parametrize(
    "text", ["n[1-", "n[3-1]", "n[a-b]", "n]1[", "a,,b", "n[1-9999999]", "a b"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no list of hosts"):
        unfold(text)


def test_a_list_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(UsageError, match="more than"):
        unfold("n[1-9999][1-9999]")


@given(st.lists(NAMES, max_size=9))
def test_plain_names_stay_as_they_are(names: list[str]) -> None:
    assert unfold(",".join(names)) == names


@given(NAMES, st.integers(0, 500), st.integers(0, 50), st.integers(1, 5))
def test_a_range_has_all_numbers_with_their_zeros(
    name: str, low: int, more: int, width: int
) -> None:
    text = f"{name}[{low:0{width}d}-{low + more:0{width}d}]"
    assert unfold(text) == [f"{name}{n:0{width}d}" for n in range(low, low + more + 1)]


def test_hosts_come_from_whichever_batch_system_there_is() -> None:
    assert hosts_of({"SLURM_JOB_NODELIST": "n[1-2]"}) == ["n1", "n2"]
    assert hosts_of({"LSB_MCPU_HOSTS": "a 4 b 4"}) == ["a", "b"]
    assert hosts_of({}, "a\na\nb\n") == ["a", "b"]
    assert hosts_of({}) == []
