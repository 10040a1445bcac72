"""A graph takes up more rows while it is run: as one event, like all that happens to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dlg.ddap_protocol import DROPStates as S
from dlg.states.flow import Flow
from dlg.states.steps import DATA_OPEN


def grow(flow: Flow, other: Flow, there: Mapping[int, int]) -> None:
    """Take over the rows of `other` but those that are `there`, and start what can be.

    What has ended there already is heard of now.
    """
    numbers = flow.take_up(other, there)
    for row, known in there.items():
        if flow.status[known] not in DATA_OPEN:
            for target in other.after[row]:
                cause = flow.stopped_by.get(known, known)
                flow.report(numbers[target], S(flow.status[known]), cause)
    new = [numbers[row] for row in range(len(numbers)) if row not in there]
    flow.start([row for row in new if not flow.before[row]])
