"""The same graph gives the same parts beside threads that draw random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
import zmq

from dlg_translator.partition.metis import Metis
from dlg_translator.testing.partitioners import GRAPHS

pytest.importorskip("pymetis")


@pytest.fixture
def restless() -> Iterator[None]:
    """Have connections tried again each millisecond, by threads of ZeroMQ."""
    with zmq.Context() as context, ExitStack() as stack:
        for _ in range(20):
            socket = stack.enter_context(context.socket(zmq.DEALER))
            socket.linger = 0
            socket.reconnect_ivl = 1
            socket.connect("tcp://127.0.0.1:1")
        yield


@pytest.mark.usefixtures("restless")
def test_connections_that_are_tried_again_change_no_part() -> None:
    dag = GRAPHS["a chain"]
    found = [Metis().divide(dag, 3).part_of for _ in range(20)]
    for part_of in found[1:]:
        np.testing.assert_array_equal(part_of, found[0])


@pytest.mark.usefixtures("restless")
def test_options_hold_in_a_process_of_its_own_too() -> None:
    dag = GRAPHS["a chain"]
    found = [Metis(ptype=1, seed=5).divide(dag, 4).part_of for _ in range(10)]
    assert all(np.array_equal(part_of, found[0]) for part_of in found)
