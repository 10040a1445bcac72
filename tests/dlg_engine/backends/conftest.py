"""Clusters that tests of engines share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("cluster")
    store = place / "store"
    options = ClusterOptions(nodes=2, workdir=place, port=0, cwd=place, master=False, store=store)
    with LocalCluster(options) as found:
        yield f"127.0.0.1:{port_of(found.island.url)}"


@pytest.fixture(scope="module")
def dask() -> Iterator[dict[str, Any]]:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    from dlg_engine.backends.dask_cluster import cluster_here

    with cluster_here(2) as found:
        yield found
