"""What managers and other nodes can ask of the life of data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.ddap_protocol import DROPPhases
from dlg.exceptions import NoDropException
from dlg.rpc import InProcessTransport
from dlg.testing.graphs import app, data
from dlg_engine.managers.addresses import NodeAddress
from dlg_engine.managers.node import Node
from dlg_engine.runners import make_runner

FILE = "dlg.data.file.FileDROP"
HELLO = "dlg.apps.hello.HelloWorldApp"
PATIENCE_S = 30.0


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    transport = InProcessTransport()
    address = NodeAddress("127.0.0.1", 8000, 0, 0)
    made = Node(address, tmp_path, make_runner("threads", 1), transport)
    file = {"oid": "f", "categoryType": "Data", "dropclass": FILE, "filepath": "f"}
    made.manager.create_session("s")
    made.manager.add_graph("s", [app("a", ["m", "f"], HELLO), data("m"), file])
    made.manager.deploy_session("s")
    assert made.manager.wait("s", PATIENCE_S)
    yield made
    made.shutdown()
    transport.close()


def test_the_phase_of_a_drop_can_be_asked_for_from_another_node(node: Node) -> None:
    phases = [node.get_drop_property("s", oid, "phase") for oid in "mfa"]
    assert phases == [DROPPhases.PLASMA, DROPPhases.GAS, DROPPhases.GAS]
    with pytest.raises(NoDropException):
        node.get_drop_property("s", "m", "has_vanished")


def test_a_manager_can_have_a_session_checked(node: Node, tmp_path: Path) -> None:
    assert node.check_data("s") == {}
    (tmp_path / "s" / "f").unlink()
    assert node.check_data("s") == {"f": DROPPhases.LOST}


def test_a_session_that_was_not_deployed_has_lost_nothing(node: Node) -> None:
    node.manager.create_session("t")
    assert node.check_data("t") == {}
