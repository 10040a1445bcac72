"""Random graphs on nodes that are processes: they end as they end in this one."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dlg.clients import DataIslandManagerClient
from dlg.clients.drops import read_data
from dlg.clients.events import follow
from dlg.ddap_protocol import DROPStates as S
from dlg_engine.embedded import run_graph
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import Specs
from tests.dlg_engine.managers.test_nodes import NAMES, graphs

_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(len(NAMES), tmp_path_factory.mktemp("cluster")) as found:
        yield found


def outcome(client: DataIslandManagerClient, session: str, specs: Specs) -> dict[str, Any]:
    """Run a graph; return for each drop its status, and its value if it has one."""
    client.create_session(session)
    client.append_graph(session, specs)
    client.deploy_session(session)
    for _ in follow(client.link, session):
        pass  # until it is over
    found: dict[str, Any] = {}
    for oid, state in client.graph_status(session).items():
        has_value = "execStatus" not in state and state["status"] == S.COMPLETED
        value = pickle.loads(read_data(client.link, session, oid)) if has_value else None
        found[oid] = (state["status"], value)
    client.destroy_session(session)
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(graphs())
def test_a_graph_ends_on_processes_as_it_ends_in_this_one(
    cluster: Cluster, tmp_path: Path, specs: Specs
) -> None:
    home = {name: node.name for name, node in zip(NAMES, cluster.nodes, strict=True)}
    report = run_graph(specs, workdir=tmp_path)
    placed = [{**spec, "node": home[spec["node"]]} for spec in specs]
    client = cluster.island.client(DataIslandManagerClient)
    expected: dict[str, Any] = {}
    for spec in specs:
        oid, status = spec["oid"], int(report.drops[spec["oid"]].status)
        has_value = spec["categoryType"] == "Data" and status == S.COMPLETED
        expected[oid] = (status, report.result(oid) if has_value else None)
    assert outcome(client, f"s{next(_numbers)}", placed) == expected
