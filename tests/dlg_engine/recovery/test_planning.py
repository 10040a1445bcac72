"""What is run again when a session goes on. Graphs are rows: apps are even, data are odd."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg_engine.recovery.journal import Began, Done, Failed, Kept, Told
from dlg_engine.recovery.planning import Past, Plan, Shape, Why, past_of, plan

CHAIN = {0: [1], 1: [2], 2: [3], 3: [4], 4: [5]}
"""Three apps, one after the other."""


def shape(after: Mapping[int, Collection[int]], passing: Collection[int] = ()) -> Shape:
    size = 1 + max(row for source, targets in after.items() for row in (source, *targets))
    forward = [list(after.get(row, ())) for row in range(size)]
    backward: list[list[int]] = [[] for _ in range(size)]
    for source, targets in enumerate(forward):
        for target in targets:
            backward[target].append(source)
    return Shape(forward, backward, range(0, size, 2), lambda row: row in passing)


def done(row: int, *outputs: int, **ends: int) -> Done:
    kept = tuple(Kept(output, 2) for output in outputs)
    return Done(row, kept, tuple((int(r[1:]), state) for r, state in ends.items()))


def planned(
    graph: Shape,
    *records: Told,
    changed: Collection[int] = (),
    lost: Collection[int] = (),
    gone: Collection[int] = (),
) -> Plan:
    def is_lost(row: int, whole: bool) -> bool:
        return row in gone or (whole and row in lost)

    return plan(graph, past_of(records), changed, is_lost)


ALL_DONE = (done(0, 1), done(2, 3), done(4, 5))


def whys(found: Plan) -> dict[int, Why]:
    return {row: reason.why for row, reason in found.again.items()}


def test_what_is_done_is_not_run_again() -> None:
    found = planned(shape(CHAIN), *ALL_DONE)
    assert found.restored == {0, 2, 4}
    assert not found.again


def test_what_failed_and_what_was_under_way_is_run_again() -> None:
    found = planned(shape(CHAIN), done(0, 1), Began(2), Failed(2, "x"), Began(4))
    assert whys(found) == {2: Why.FAILED, 4: Why.BEGUN}
    assert found.restored == {0}


def test_behind_what_has_changed_everything_is_run_again() -> None:
    found = planned(shape(CHAIN), *ALL_DONE, changed=[2])
    assert whys(found) == {2: Why.CHANGED, 4: Why.BEHIND}
    assert found.again[4].row == 2


def test_who_reads_a_file_from_outside_that_has_changed_is_run_again() -> None:
    found = planned(shape({1: [2, 4], 2: [3], 4: [5]}), done(2, 3), done(4, 5), changed=[1])
    assert whys(found) == {0: Why.OPEN, 2: Why.READS_CHANGED, 4: Why.READS_CHANGED}


def test_data_that_are_lost_and_needed_are_made_again() -> None:
    found = planned(shape(CHAIN), *ALL_DONE[:2], lost=[3])
    assert whys(found) == {2: Why.LOST, 4: Why.BEHIND}
    assert found.restored == {0}


def test_data_in_between_that_are_let_go_and_not_needed_may_be_gone() -> None:
    found = planned(shape(CHAIN, passing=[1, 3]), *ALL_DONE, gone=[1, 3])
    assert found.restored == {0, 2, 4}


def test_data_in_between_that_are_for_good_must_be_there_but_may_have_been_changed_in_place() -> (
    None
):
    assert planned(shape(CHAIN), *ALL_DONE, lost=[1]).restored == {0, 2, 4}
    assert whys(planned(shape(CHAIN), *ALL_DONE, gone=[1]))[0] is Why.LOST


def test_results_must_be_as_they_were() -> None:
    assert whys(planned(shape(CHAIN), *ALL_DONE, lost=[5])) == {4: Why.LOST}


def test_what_an_app_that_runs_again_reads_must_be_there_although_it_was_let_go() -> None:
    found = planned(shape(CHAIN, passing=[1, 3]), done(0, 1), done(2, 3), Began(4), gone=[1, 3])
    assert whys(found) == {4: Why.BEGUN, 2: Why.LOST, 0: Why.LOST}


def test_an_app_that_is_older_than_what_it_read_is_run_again() -> None:
    found = planned(shape(CHAIN), *ALL_DONE, Began(0), done(0, 1))
    assert whys(found) == {2: Why.OLDER, 4: Why.BEHIND}


JOIN = {0: [1, 3], 1: [2], 2: [5], 3: [4], 4: [7], 5: [6], 7: [6]}
"""App 0 goes on by data 1 or 3; apps 2 and 4 are behind, and 6 takes what comes."""


def test_what_was_skipped_is_no_reason_to_run_what_came_after_it() -> None:
    records = done(0, 1, 3), done(2, 5), done(6, r7=int(S.SKIPPED))
    found = planned(shape(JOIN), *records)
    assert found.restored == {0, 2, 6}
    assert whys(found) == {4: Why.OPEN}


def test_what_was_let_go_is_not_missed_by_who_was_skipped() -> None:
    records = done(0, 1, 3), done(2, 5), done(6, r7=int(S.SKIPPED))
    found = planned(shape(JOIN, passing=[1, 3]), *records, gone=[1, 3])
    assert found.restored == {0, 2, 6}


def test_if_the_branch_is_run_again_so_is_what_took_what_came() -> None:
    records = done(0, 1, 3), done(2, 5), done(6, r7=int(S.SKIPPED))
    found = planned(shape(JOIN), *records, changed=[0])
    assert found.restored == set()
    assert whys(found)[6] is Why.BEHIND


def test_who_ran_in_spite_of_a_failure_is_run_again_as_there_may_be_none_this_time() -> None:
    records = done(0, 1, 3), done(2, 5), Failed(4, "x"), done(6, r7=int(S.ERROR))
    found = planned(shape(JOIN), *records)
    assert whys(found) == {4: Why.FAILED, 6: Why.BEHIND}


def test_the_last_word_on_an_app_counts() -> None:
    past = past_of([Began(0), done(0, 1), Began(2), Failed(2, "x"), Began(0), Began(2), done(2)])
    assert (set(past.done), past.begun, past.failed) == ({2}, {0}, {})


graphs = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]),
    min_size=1, unique=True,
)  # fmt: skip


@given(graphs, st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_nothing_is_given_back_that_stands_on_something_that_is_run_again(
    links: list[tuple[int, int]], finished: set[int], changed: set[int], lost: set[int]
) -> None:
    """Ten apps, each with one output, in a row; `links` are from app to app."""
    after: dict[int, list[int]] = {2 * app: [2 * app + 1] for app in range(10)}
    for source, target in links:
        after.setdefault(2 * source + 1, []).append(2 * target)
    graph = shape(after)
    records = [done(2 * app, 2 * app + 1) for app in sorted(finished)]
    found = planned(
        graph, *records, changed=[2 * app for app in changed], lost=[2 * a + 1 for a in lost]
    )
    for app in found.restored:
        assert app // 2 in finished - changed
        makers = {maker for data in graph.before[app] for maker in graph.before[data]}
        assert makers <= found.restored
    for app in found.again:
        for data in graph.before[app]:
            makers = set(graph.before[data])
            assert found.again[app].why is Why.OPEN or not (
                makers <= found.restored and data // 2 in lost and makers
            )


@pytest.mark.parametrize("past", [Past(), past_of([])])
def test_a_session_without_a_past_runs_everything(past: Past) -> None:
    assert set(plan(shape(CHAIN), past, (), lambda *_: False).again) == {0, 2, 4}
