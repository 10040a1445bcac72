"""A node dies, freezes or is cut off: found out in time, told plainly, and harming nobody else."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import SubManagerException
from dlg_engine.testing.hosts import Hosts
from dlg_engine.testing.spaces import Space
from tests.netns.network import DETECTION_S, Network, Session

FINISHED, FAILED = "FINISHED", "FAILED"


class Case:
    """A session over all nodes, one on the first two, and one that never comes to the third."""

    def __init__(self, network: Network, tmp_path: Path) -> None:
        one, two, three = network.names
        self.network, self.lost = network, three
        client = network.client
        self.whole = Session(client, "whole", [one, two, three], tmp_path)
        self.other = Session(client, "other", [two, one], tmp_path)
        self.whole.wait_until_it_waits()
        self.other.wait_until_it_waits()

    def must_be_found(self, do: Callable[[], object]) -> dict[str, Any]:
        """Do what makes the third node disappear: see that it is found out in time."""
        begun = time.monotonic()
        do()
        told = self.whole.end()
        assert time.monotonic() - begun <= DETECTION_S
        assert told["state"] == FAILED, told
        assert f"node {self.lost} has not answered" in told["reason"], told
        assert "lost with it: 4 drops (a2, d3, wait-whole, ...)" in told["reason"]
        assert self.network.client.nodes() == self.network.names[:2]
        return told

    def others_must_be_unharmed(self) -> None:
        self.other.let_go()
        told = self.other.end()
        assert (told["state"], told["done"]) == (FINISHED, told["drops"])

    def must_be_taken_back(self, tmp_path: Path) -> None:
        """See that the third node runs new sessions."""
        client = self.network.client
        self.network.wait_for_nodes(3)
        again = Session(client, "again", self.network.names[::-1], tmp_path)
        again.wait_until_it_waits()
        again.let_go()
        assert again.end()["state"] == FINISHED


@pytest.fixture
def case(network: Network, tmp_path: Path) -> Case:
    return Case(network, tmp_path)


def test_a_node_that_is_killed_is_missed_in_time(case: Case) -> None:
    case.must_be_found(case.network.nodes[2].process.kill)
    case.others_must_be_unharmed()


def test_a_node_that_freezes_is_missed_and_taken_back_when_it_thaws(
    case: Case, tmp_path: Path
) -> None:
    frozen = case.network.nodes[2].process
    told = case.must_be_found(lambda: frozen.send_signal(signal.SIGSTOP))
    case.whole.let_go()
    frozen.send_signal(signal.SIGCONT)
    case.must_be_taken_back(tmp_path)
    after = case.network.client.session_summary("whole")
    assert (after["state"], after["counts"]) == (FAILED, told["counts"])
    case.others_must_be_unharmed()


def test_a_node_that_is_cut_off_is_missed_and_taken_back_when_the_link_is_healed(
    case: Case, tmp_path: Path
) -> None:
    host = case.network.hosts[2]
    case.must_be_found(host.cut)
    case.others_must_be_unharmed()
    host.heal()
    case.must_be_taken_back(tmp_path)


def test_nodes_of_a_cluster_that_were_cut_off_or_restarted_are_taken_back_too(
    guarded: Network, tmp_path: Path
) -> None:
    case, host = Case(guarded, tmp_path), guarded.hosts[2]
    case.must_be_found(host.cut)
    guarded.nodes[2].process.kill()
    guarded.nodes[2].end()
    host.heal()
    guarded.nodes[2] = guarded.start_node(2)
    case.must_be_taken_back(tmp_path)
    case.others_must_be_unharmed()


def test_a_node_that_hears_but_is_not_heard_is_missed_and_taken_back(
    case: Case, tmp_path: Path
) -> None:
    host = case.network.hosts[2]
    case.must_be_found(lambda: host.mute(case.network.hosts[:2]))
    case.others_must_be_unharmed()
    host.heal()
    case.must_be_taken_back(tmp_path)


def test_a_node_that_has_no_part_of_a_session_may_die(network: Network, tmp_path: Path) -> None:
    one, two, _ = network.names
    session = Session(network.client, "apart", [two, one], tmp_path)
    session.wait_until_it_waits()
    network.nodes[2].process.kill()
    network.wait_for_nodes(2)
    session.let_go()
    assert session.end()["state"] == FINISHED


def test_a_node_that_is_cut_off_for_long_gives_up_what_it_runs_for_others(
    hosts: Hosts, tmp_path: Path
) -> None:
    network = Network(hosts, tmp_path, "--alone", "12")
    case = Case(network, tmp_path)
    host = network.hosts[2]
    case.must_be_found(host.cut)
    with Space(host.space):
        told = Session.ended_on(network.node_client(2), "whole")
    assert told["state"] == FAILED
    assert told["reason"] == "no manager above has been heard of for 12 s"
    host.heal()
    case.must_be_taken_back(tmp_path)
    case.others_must_be_unharmed()


def test_two_nodes_that_die_at_once_end_all_their_sessions_in_time(
    network: Network, tmp_path: Path
) -> None:
    sessions = [Session(network.client, f"s{i}", network.names, tmp_path) for i in range(3)]
    for session in sessions:
        session.wait_until_it_waits()
    begun = time.monotonic()
    for node in network.nodes[1:]:
        node.process.kill()
    told = [session.end() for session in sessions]
    assert time.monotonic() - begun <= DETECTION_S
    assert {one["state"] for one in told} == {FAILED}
    runs_on_one = Session(network.client, "rest", network.names[:1], tmp_path)
    runs_on_one.wait_until_it_waits()
    runs_on_one.let_go()
    assert runs_on_one.end()["state"] == FINISHED


def test_a_session_that_is_made_while_a_node_hangs_is_refused_in_time(network: Network) -> None:
    network.nodes[2].process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(SubManagerException, match=f"{network.names[2]}: .*was lost during a call"):
        network.client.create_session("night")
    assert time.monotonic() - begun <= DETECTION_S
    assert network.client.sessions() == []
    network.client.create_session("night")


def test_an_island_that_freezes_misses_nobody_when_it_thaws(
    network: Network, tmp_path: Path
) -> None:
    session = Session(network.client, "whole", network.names, tmp_path)
    session.wait_until_it_waits()
    island = network.island.process
    island.send_signal(signal.SIGSTOP)
    threading.Event().wait(DETECTION_S)  # the time that it must be frozen is what is tested
    island.send_signal(signal.SIGCONT)
    assert network.client.nodes() == network.names
    session.let_go()
    assert session.end()["state"] == FINISHED
