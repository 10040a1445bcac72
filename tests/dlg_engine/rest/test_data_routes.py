"""Data of sessions, read from outside at every level of managers."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.clients import (
    DataIslandManagerClient,
    ManagerClient,
    MasterManagerClient,
    NodeManagerClient,
)
from dlg.clients.drops import read_data
from dlg.exceptions import DaliugeException, NoDropException, NoSessionException
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import Specs, app, data

FILE, FOLDER = "dlg.data.file.FileDROP", "dlg.data.directory.DirectoryDROP"
BIG = 9 << 20
LEVELS = ["node", "island", "master"]
OUTSIDE = "outside.txt"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    place = tmp_path_factory.mktemp("cluster")
    (place / OUTSIDE).write_text("a secret")
    with Cluster(2, place, master=True) as found:
        _run(found, _specs(found.nodes[0].name, place))
        yield found


def _specs(node: str, place: Path) -> Specs:
    made = {
        "value": "def f(): return {'stars': [1, 2]}",
        "big": f"def f(): return b'x' * {BIG}",
        "file": f"def f(): return bytes(range(256)) * {BIG // 256}",
        "folder": "def f(folder):\n from pathlib import Path\n Path(folder).mkdir(exist_ok=True)\n"
        " (Path(folder) / 'one.txt').write_text('1')",
    }
    more = {
        "file": {"dropclass": FILE, "filepath": "bytes.bin"},
        "folder": {"dropclass": FOLDER, "dirname": "folder"},
    }
    ports = {"file": {"raw": "file"}, "folder": {"path": "folder"}}
    specs = [
        data("waits", node),
        data("outside", node, dropclass=FILE, filepath=str(place / OUTSIDE)),
    ]
    for name, code in made.items():
        encoding = next(iter(ports.get(name, {"pickle": name})))
        specs.append(app(
            f"make-{name}", code, node, outputs=[{name: name}],
            applicationArgs={name: {"usage": "OutputPort", "encoding": encoding}},
        ))  # fmt: skip
        specs.append(data(name, node, persist=True, **more.get(name, {})))
    specs.append(app("stuck", "def f(x): return x", node, inputs=["waits"]))
    return specs


def _run(cluster: Cluster, specs: Specs) -> None:
    client = cluster.master.client(MasterManagerClient)
    client.create_session("night")
    client.append_graph("night", specs)
    starts = [str(spec["oid"]) for spec in specs if str(spec["oid"]).startswith("make-")]
    client.deploy_session("night", [*starts, "outside"])
    Cluster.wait_until(
        lambda: client.graph_status("night"),
        lambda found: all(found[oid]["status"] == 2 for oid in ("value", "big", "file", "folder")),
    )


@pytest.fixture
def client(cluster: Cluster, request: pytest.FixtureRequest) -> ManagerClient:
    level = str(request.param)
    if level == "node":
        return cluster.nodes[0].client(NodeManagerClient)
    if level == "island":
        return cluster.island.client(DataIslandManagerClient)
    return cluster.master.client(MasterManagerClient)


at_every_level = pytest.mark.parametrize("client", LEVELS, indirect=True)


@at_every_level
def test_an_object_is_given_as_its_pickle(client: ManagerClient) -> None:
    assert pickle.loads(read_data(client.link, "night", "value")) == {"stars": [1, 2]}


@at_every_level
def test_what_is_bigger_than_a_piece_arrives_whole(client: ManagerClient) -> None:
    assert pickle.loads(read_data(client.link, "night", "big")) == b"x" * BIG
    assert read_data(client.link, "night", "file") == bytes(range(256)) * (BIG // 256)


@at_every_level
def test_a_directory_is_given_as_an_archive(client: ManagerClient) -> None:
    packed = io.BytesIO(read_data(client.link, "night", "folder"))
    with tarfile.open(fileobj=packed) as archive:
        member = archive.extractfile("./one.txt")
        assert member is not None
        assert member.read() == b"1"


@at_every_level
@pytest.mark.parametrize("oid", ["nowhere", "stuck"])
def test_what_is_no_data_is_refused(client: ManagerClient, oid: str) -> None:
    with pytest.raises(NoDropException):
        read_data(client.link, "night", oid)


@at_every_level
def test_data_that_has_not_been_completed_is_refused(client: ManagerClient) -> None:
    with pytest.raises(DaliugeException, match="reading cannot follow INITIALIZED"):
        read_data(client.link, "night", "waits")


@at_every_level
def test_a_file_outside_the_directory_of_the_session_is_never_given(
    client: ManagerClient,
) -> None:
    with pytest.raises(NoDropException, match="not in the directory of its session"):
        read_data(client.link, "night", "outside")


@at_every_level
def test_a_session_that_is_not_there_is_told(client: ManagerClient) -> None:
    with pytest.raises(NoSessionException):
        read_data(client.link, "day", "value")
