"""Managers that are started anew, at the same ports, while sessions run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dlg.clients import DataIslandManagerClient, MasterManagerClient
from dlg.exceptions import NoSessionException
from tests.netns.network import DETECTION_S, Network, Session


def runs(client: DataIslandManagerClient, name: str, nodes: list[str], place: Path) -> None:
    """See that a new session runs to its end."""
    session = Session(client, name, nodes, place)
    session.wait_until_it_waits()
    session.let_go()
    assert session.end()["state"] == "FINISHED"


def test_a_node_that_is_started_anew_has_lost_its_sessions_and_runs_new_ones(
    network: Network, tmp_path: Path
) -> None:
    lost = Session(network.client, "lost", network.names, tmp_path)
    other = Session(network.client, "other", network.names[:2], tmp_path)
    lost.wait_until_it_waits()
    other.wait_until_it_waits()
    begun = time.monotonic()
    network.nodes[2].process.kill()
    network.nodes[2].end()
    network.nodes[2] = network.start_node(2)
    told = lost.end()
    assert time.monotonic() - begun <= DETECTION_S
    assert told["state"] == "FAILED"
    assert f"node {network.names[2]} " in told["reason"]
    assert "lost with it: 4 drops (a2, d3, wait-lost, ...)" in told["reason"]
    network.wait_for_nodes(3)
    runs(network.client, "again", network.names[::-1], tmp_path)
    other.let_go()
    assert other.end()["state"] == "FINISHED"


def test_an_island_that_is_started_anew_takes_over_its_sessions_and_runs_new_ones(
    network: Network, tmp_path: Path
) -> None:
    old = Session(network.client, "old", network.names[::-1], tmp_path)
    old.wait_until_it_waits()
    network.island.process.kill()
    network.island.end()
    network.island = network.start_island()
    assert network.client.nodes() == network.names
    assert network.client.session_summary("old")["state"] == "RUNNING"
    old.let_go()
    assert Session.ended_on(network.client, "old")["state"] == "FINISHED"
    network.client.destroy_session("old")
    with pytest.raises(NoSessionException, match="'old'"):
        network.node_client(2).session_summary("old")
    runs(network.client, "new", network.names, tmp_path)


def test_a_master_that_is_started_anew_takes_over_its_sessions(
    network: Network, tmp_path: Path
) -> None:
    master = network.start_master()
    client = master.client(MasterManagerClient)
    old = Session(client, "old", network.names[::-1], tmp_path)
    old.wait_until_it_waits()
    master.process.kill()
    master.end()
    client = network.start_master().client(MasterManagerClient)
    assert client.nodes() == network.names
    assert client.session_summary("old")["state"] == "RUNNING"
    old.let_go()
    assert Session.ended_on(client, "old")["state"] == "FINISHED"
    runs(client, "new", network.names, tmp_path)


def test_a_node_below_a_master_is_missed_in_time_there_too(
    network: Network, tmp_path: Path
) -> None:
    client = network.start_master().client(MasterManagerClient)
    session = Session(client, "whole", network.names, tmp_path)
    session.wait_until_it_waits()
    begun = time.monotonic()
    network.nodes[2].process.kill()
    told = session.end()
    assert time.monotonic() - begun <= DETECTION_S
    assert told["state"] == "FAILED"
    assert f"node {network.names[2]} " in told["reason"]


def test_an_island_that_is_cut_off_is_missed_in_time_by_its_master(
    network: Network, tmp_path: Path
) -> None:
    client = network.start_master(2).client(MasterManagerClient)
    session = Session(client, "whole", network.names, tmp_path)
    session.wait_until_it_waits()
    begun = time.monotonic()
    network.hosts[0].cut()
    told = session.end()
    assert time.monotonic() - begun <= DETECTION_S
    assert told["state"] == "FAILED"
    assert f"is below island {network.island.name}, which has not answered" in told["reason"]
    network.hosts[0].heal()
    network.wait_for_nodes(3, client)
    runs(client, "again", network.names, tmp_path)


def test_a_head_that_is_started_anew_takes_over_its_sessions_at_both_levels(
    network: Network, tmp_path: Path
) -> None:
    master = network.start_master()
    old = Session(master.client(MasterManagerClient), "old", network.names[::-1], tmp_path)
    old.wait_until_it_waits()
    for process in (master, network.island):
        process.process.kill()
        process.end()
    network.island = network.start_island()
    client = network.start_master().client(MasterManagerClient)
    assert client.session_summary("old")["state"] == "RUNNING"
    assert network.client.session_summary("old")["state"] == "RUNNING"
    old.let_go()
    assert Session.ended_on(client, "old")["state"] == "FINISHED"
    states = {one["status"] for one in client.graph_status("old").values()}
    assert states == {one["status"] for one in network.client.graph_status("old").values()}
    assert states <= {2, 5}, "completed, or deleted once nobody needed it"
    client.destroy_session("old")
    assert network.client.sessions() == []
