"""Where pages draw drops, asked of managers of all levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dlg.clients import DataIslandManagerClient, MasterManagerClient, NodeManagerClient
from dlg.exceptions import NoSessionException, UsageError
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.rest.test_managers import chain


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture(scope="module")
def clients(cluster: Cluster) -> dict[str, Any]:
    return {
        "node": cluster.nodes[1].client(NodeManagerClient),
        "island": cluster.island.client(DataIslandManagerClient),
        "master": cluster.master.client(MasterManagerClient),
    }


def view(client: Any, session: str, **how: Any) -> dict[str, Any]:
    return dict(client.link.get("v1", "sessions", session, "view", **how))


def test_each_level_draws_what_it_has(cluster: Cluster, clients: dict[str, Any]) -> None:
    master = clients["master"]
    names = [node.name for node in cluster.nodes]
    master.create_session("drawn")
    master.append_graph("drawn", chain(names, 6))
    before = view(master, "drawn")
    assert before["drops"] == 13
    master.deploy_session("drawn")
    Cluster.wait_until(lambda: master.session_summary("drawn"), lambda s: s["status"] > 3)
    for level, drops in (("master", 13), ("node", 6)):
        found = view(clients[level], "drawn")
        assert (found["by"], found["drops"], len(found["x"])) == ("drops", drops, drops)
        assert found["labels"] == list(clients[level].graph("drawn"))
        listed = clients[level].link.get("v1", "sessions", "drawn", "drops")["drops"]
        assert [drop["name"] for drop in listed] == found["labels"]
        assert [drop["row"] for drop in listed] == found["rows"]
    assert len(view(master, "drawn")["edges"]) == 12
    # Data that came from the other node is none of this node's own.
    own = chain(names, 6)
    second = {spec["oid"] for spec in own if spec["node"] == names[1]}
    linked = [
        (a, b)
        for spec in own
        for a, b in [(i, spec["oid"]) for i in spec.get("inputs", ())]
        + [(spec["oid"], o) for o in spec.get("outputs", ())]
        if {a, b} <= second
    ]
    assert len(view(clients["node"], "drawn")["edges"]) == len(linked)
    master.destroy_session("drawn")


def test_groups_can_be_drawn_and_opened(clients: dict[str, Any], cluster: Cluster) -> None:
    node = clients["node"]
    node.create_session("groups")
    node.append_graph("groups", chain([cluster.nodes[1].name], 5))
    node.deploy_session("groups")
    groups = view(node, "groups", by="groups")
    assert [(g["name"], g["size"]) for g in groups["groups"]] == [("d*", 6), ("a*", 5)]
    assert groups["rows"] == [-1, -2]
    opened = view(node, "groups", group=1)
    assert opened["rows"] == [1, 3, 5, 7, 9, -1]
    assert view(node, "groups", by="groups") == groups
    with pytest.raises(UsageError, match="there is no group 2"):
        view(node, "groups", group=2)
    with pytest.raises(UsageError, match="no way to draw"):
        view(node, "groups", by="magic")
    node.destroy_session("groups")


def test_a_session_of_the_same_name_is_drawn_anew(
    clients: dict[str, Any], cluster: Cluster
) -> None:
    node = clients["node"]
    for length in (2, 3):
        node.create_session("again")
        node.append_graph("again", chain([cluster.nodes[1].name], length))
        node.deploy_session("again")
        assert view(node, "again")["drops"] == 2 * length + 1
        node.destroy_session("again")
    with pytest.raises(NoSessionException):
        view(node, "again")


def test_a_session_without_drops_is_an_empty_drawing(clients: dict[str, Any]) -> None:
    island = clients["island"]
    island.create_session("empty")
    found = view(island, "empty")
    assert (found["drops"], found["groups"], found["rows"], found["edges"]) == (0, [], [], [])
    island.destroy_session("empty")
