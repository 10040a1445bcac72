"""A graph that grows while it runs ends as the whole would have."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import RunError
from dlg.states.flow import Flow
from dlg.states.growing import grow
from dlg.states.steps import APP


@dataclass(frozen=True)
class Piece:
    """An app, whose output is the data with its number, with the data that it reads."""

    inputs: tuple[int, ...]
    fails: bool


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    found = []
    for number in range(draw(st.integers(1, 8))):
        inputs = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        found.append(Piece(tuple(sorted(inputs)), draw(st.booleans())))
    return found


def flow_of(apps: list[tuple[int, Piece]], stubs: list[int]) -> Flow:
    """Return a flow: the stubs first, and then app and data of each piece."""
    rows = {number: row for row, number in enumerate(stubs)}
    rows |= {number: len(stubs) + 2 * place + 1 for place, (number, _) in enumerate(apps)}
    count = len(stubs) + 2 * len(apps)
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for number, piece in apps:
        app = rows[number] - 1
        for src, dst in [(rows[one], app) for one in piece.inputs] + [(app, rows[number])]:
            after[src].append(dst)
            before[dst].append(src)
    return Flow(bytearray([0] * len(stubs) + [APP, 0] * len(apps)), after, before)  # type: ignore[arg-type]


def run(flow: Flow, made: list[Piece], most: int = 1000) -> None:
    """Run so many ready apps; the app of piece n is row 2n."""
    for _ in range(most):
        if not flow.ready:
            return
        row = flow.ready.popleft()
        if flow.claim(row):
            if made[row // 2].fails:
                flow.fail(row, RunError("as it should"))
            else:
                flow.finish(row)


def ends(flow: Flow) -> list[S]:
    return [S(state) for state in flow.status]


@given(pieces(), st.data())
def test_a_graph_that_grows_ends_as_the_whole(made: list[Piece], data: st.DataObject) -> None:
    numbered = list(enumerate(made))
    whole = flow_of(numbered, [])
    whole.start([row for row, before in enumerate(whole.before) if not before])
    run(whole, made)

    cut = data.draw(st.integers(1, len(made)))
    flow = flow_of(numbered[:cut], [])
    flow.start([row for row, before in enumerate(flow.before) if not before])
    run(flow, made, data.draw(st.integers(0, cut)))
    for number in range(cut, len(made)):
        stubs = sorted(made[number].inputs)
        there = {row: 2 * one + 1 for row, one in enumerate(stubs)}
        grow(flow, flow_of([numbered[number]], stubs), there)
        run(flow, made, data.draw(st.integers(0, 2)))
    run(flow, made)
    assert ends(flow) == ends(whole)
    assert set(ends(flow)) <= {S.COMPLETED, S.ERROR}


def test_what_waits_for_data_that_somebody_counts_is_counted() -> None:
    flow = flow_of([(0, Piece((), fails=False))], [])
    flow.release_after_use(1)
    grow(flow, flow_of([(1, Piece((0,), fails=False))], [0]), {0: 1})
    assert flow.users[1] == 1
