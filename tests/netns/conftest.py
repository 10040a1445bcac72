from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import write_cluster_file
from dlg_engine.testing.hosts import Hosts, why_not
from tests.netns.network import Network


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    reason = why_not() if mine else ""
    for item in mine:
        item.add_marker(pytest.mark.netns)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"no network namespaces: {reason}"))


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Hosts(3) as found:
        yield found


@pytest.fixture
def guarded(hosts: Hosts, tmp_path: Path) -> Network:
    """One whose managers belong to a cluster: nobody else is listened to."""
    file = write_cluster_file(
        tmp_path / "cluster.toml", "night", new_pair(), new_certificate("night")
    )
    return Network(hosts, tmp_path, cluster=file.path)


@pytest.fixture
def network(hosts: Hosts, tmp_path: Path) -> Network:
    return Network(hosts, tmp_path)
