"""A whole graph as a program without I/O: events in, ready apps and effects out."""

from __future__ import annotations

import pytest

from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import UnexpectedEventError
from dlg.states.firing import FiringOptions
from dlg.states.flow import Flow
from dlg.states.steps import APP, EXTERNAL, GATE, LOOKED_AFTER, MANUAL, SEALED, Effect

LONG = 100_000


def make(traits: list[int], links: list[tuple[int, int]], **options: object) -> Flow:
    after: list[list[int]] = [[] for _ in traits]
    before: list[list[int]] = [[] for _ in traits]
    for src, dst in links:
        after[src].append(dst)
        before[dst].append(src)
    return Flow(bytearray(traits), after, before, lambda _row: FiringOptions(**options))  # type: ignore[arg-type]


def chain(n: int) -> Flow:
    return make([0, APP] * (n // 2) + [0] * (n % 2), [(i, i + 1) for i in range(n - 1)])


def take(flow: Flow) -> int:
    """Return a ready row that is RUNNING from now on, or -1 when there is none."""
    while flow.ready:
        row = flow.ready.popleft()
        if flow.claim(row):
            return row
    return -1


def run_all(flow: Flow, fail: frozenset[int] = frozenset()) -> None:
    flow.start(flow.roots())
    while (row := take(flow)) >= 0:
        if row in fail:
            flow.fail(row, ValueError(f"row {row}"))
        else:
            flow.finish(row)


def test_completing_data_makes_its_consumer_ready_and_finishing_an_app_completes_its_output() -> (
    None
):
    flow = chain(3)
    flow.complete(0)
    assert take(flow) == 1
    flow.finish(1)
    assert flow.status[2] == S.COMPLETED


def test_a_chain_of_a_hundred_thousand_completes() -> None:
    flow = chain(LONG)
    run_all(flow)
    assert flow.status.count(int(S.COMPLETED)) == LONG


def test_a_chain_of_a_hundred_thousand_fails_and_every_drop_says_whose_fault_it_is() -> None:
    flow = chain(LONG)
    run_all(flow, frozenset({1}))
    assert flow.status.count(int(S.ERROR)) == LONG - 1
    assert flow.stopped_by[LONG - 1] == 1
    assert list(flow.failures) == [1]


def test_a_chain_of_a_hundred_thousand_skips() -> None:
    flow = chain(LONG)
    flow.skip(0)
    assert flow.status.count(int(S.SKIPPED)) == LONG


def test_cancelling_data_tells_those_who_wait_for_it() -> None:
    flow = chain(LONG)
    flow.cancel(0)
    assert flow.status.count(int(S.CANCELLED)) == LONG


def test_an_app_waits_for_all_its_inputs() -> None:
    flow = make([0, 0, APP], [(0, 2), (1, 2)])
    flow.complete(0)
    assert take(flow) == -1
    flow.complete(1)
    assert take(flow) == 2


def test_an_app_that_needs_one_of_two_inputs_runs_once() -> None:
    flow = make([0, 0, APP], [(0, 2), (1, 2)])
    flow.expect(2, 1)
    flow.complete(0)
    assert take(flow) == 2
    flow.complete(1)
    assert take(flow) == -1


def test_external_data_does_not_trigger_its_consumer_but_its_failure_does() -> None:
    quiet, loud = make([EXTERNAL, APP], [(0, 1)]), make([EXTERNAL, APP], [(0, 1)])
    quiet.complete(0)
    loud.fail(0, ValueError())
    assert take(quiet) == -1
    assert loud.status[1] == S.ERROR


def test_sealed_data_completes_only_after_its_object_has_done_its_work() -> None:
    flow = make([SEALED, APP], [(0, 1)])
    flow.complete(0)
    assert flow.effects == [(Effect.SEAL, 0, 0)]
    assert flow.status[0] == S.INITIALIZED
    flow.sealed(0)
    assert take(flow) == 1


def test_an_app_that_listens_is_told_of_each_input_and_never_becomes_ready() -> None:
    flow = make([0, APP | MANUAL], [(0, 1)])
    flow.complete(0)
    assert flow.effects == [(Effect.INFORM, 1, 0)]
    assert take(flow) == -1


def test_data_is_released_when_its_last_consumer_has_ended_and_not_before() -> None:
    flow = make([0, APP, APP], [(0, 1), (0, 2)])
    flow.release_after_use(0)
    flow.complete(0)
    flow.finish(take(flow))
    assert not flow.effects
    flow.fail(take(flow), ValueError())
    assert flow.effects == [(Effect.RELEASE, 0, 2)]


def test_shared_data_is_released_when_other_nodes_have_it_too() -> None:
    flow = make([0, APP], [(0, 1)])
    flow.release_after_use(0)
    flow.share(0, 2)
    flow.complete(0)
    flow.fetched(0)
    flow.finish(take(flow))
    assert not flow.effects
    flow.fetched(0)
    assert flow.effects == [(Effect.RELEASE, 0, 0)]


def test_data_that_is_kept_stays_however_many_nodes_have_it() -> None:
    flow = make([0], [])
    flow.share(0, 1)
    flow.complete(0)
    flow.fetched(0)
    assert not flow.effects


def test_whoever_looks_after_data_is_told_when_it_has_completed() -> None:
    flow = make([LOOKED_AFTER, APP, 0], [(0, 1), (1, 2)])
    run_all(flow)
    assert flow.effects == [(Effect.LOOK_AFTER, 0, S.COMPLETED)]


def test_whoever_waits_for_readers_is_told_when_the_last_that_was_at_work_has_ended() -> None:
    flow = make([0, APP, APP, APP], [(0, 1), (0, 2), (0, 3)])
    flow.complete(0)
    assert not flow.wait_for_readers(0)
    first, second = take(flow), take(flow)
    assert flow.wait_for_readers(0)
    flow.finish(first)
    assert not flow.effects
    flow.fail(second, ValueError())
    assert flow.effects == [(Effect.LOOK_AFTER, 0, second)]
    assert not flow.readers


def test_data_with_two_producers_and_blocked_skips_is_skipped_by_the_second() -> None:
    flow = make([APP, APP, 0], [(0, 2), (1, 2)], block_skip=True)
    flow.skip(2)
    assert flow.status[2] == S.INITIALIZED
    flow.skip(2)
    assert flow.status[2] == S.SKIPPED


def test_what_a_cancelled_app_still_does_is_ignored() -> None:
    flow = make([APP, 0], [(0, 1)])
    flow.start([0])
    assert take(flow) == 0
    flow.cancel(0)
    flow.finish(0)
    assert flow.exec_status[0] == X.CANCELLED
    assert flow.status[1] == S.CANCELLED
    assert (Effect.STOP, 0, 0) in flow.effects


def test_an_error_after_completion_does_not_trigger_consumers_again() -> None:
    flow = make([0, 0, APP], [(0, 2), (1, 2)])
    flow.complete(0)
    flow.fail(0, ValueError())
    assert flow.status[0] == S.ERROR
    assert flow.exec_status[2] == X.NOT_RUN


def test_an_end_marker_skips_what_has_not_begun() -> None:
    flow = make([GATE, 0, APP], [(1, 2)])
    flow.complete(0)
    assert flow.effects == [(Effect.END, 0, int(S.COMPLETED))]
    flow.end()
    assert [S(s) for s in flow.status] == [S.COMPLETED, S.SKIPPED, S.SKIPPED]


def test_nothing_that_consumes_an_end_marker_is_run() -> None:
    flow = make([GATE, APP, 0], [(0, 1), (1, 2)])
    flow.complete(0)
    assert not flow.ready
    flow.end()
    assert [S(s) for s in flow.status] == [S.COMPLETED, S.SKIPPED, S.SKIPPED]


def test_what_is_running_when_an_end_marker_is_reached_writes_its_outputs() -> None:
    flow = make([APP, 0, APP, 0, GATE], [(0, 1), (1, 2), (2, 3)])
    flow.claim(0)
    flow.complete(4)
    flow.end()
    assert [S(s) for s in flow.status[:4]] == [S.INITIALIZED] * 2 + [S.SKIPPED] * 2
    flow.finish(0)
    assert [S(s) for s in flow.status[:4]] == [S.COMPLETED] * 2 + [S.SKIPPED] * 2
    assert not flow.ready


@pytest.mark.parametrize("trait", [GATE, EXTERNAL])
def test_data_that_makes_no_app_ready_completes_its_container_all_the_same(trait: int) -> None:
    flow = make([trait, 0, APP], [(0, 1), (0, 2)])
    flow.complete(0)
    assert [S(s) for s in flow.status] == [S.COMPLETED, S.COMPLETED, S.INITIALIZED]
    assert not flow.ready


def test_an_event_that_is_not_in_the_table_is_refused() -> None:
    flow = make([0], [])
    flow.complete(0)
    with pytest.raises(UnexpectedEventError, match="write cannot follow COMPLETED"):
        flow.write(0)


def test_absorbing_a_graph_moves_its_rows_and_keeps_its_links() -> None:
    flow = chain(3)
    assert flow.absorb(chain(3)) == 3
    flow.link(2, 4)
    run_all(flow)
    assert flow.status.count(int(S.COMPLETED)) == 6
