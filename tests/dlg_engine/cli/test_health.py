from __future__ import annotations

from pathlib import Path

import pytest

from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import write_cluster_file
from dlg_engine.daemon.local_cluster import LocalCluster
from dlg_engine.testing.processes import Process
from tests.dlg_engine.cli.conftest import Dlg


def test_managers_of_all_levels_tell_that_they_answer(dlg: Dlg, cluster: LocalCluster) -> None:
    for process in cluster.processes:
        result = dlg("health", process.url)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{process.url} answers\n"


def test_a_place_where_nobody_listens_is_a_failure_and_no_mistake(dlg: Dlg) -> None:
    result = dlg("health", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "no manager answers" in result.stderr


@pytest.mark.parametrize("text", ["here", "here:0", "ftp://here:1", "a@here:1", "http://h:1/x"])
def test_what_is_no_place_is_refused(dlg: Dlg, text: str) -> None:
    result = dlg("health", text)
    assert result.exit_code == 2
    assert "is no place to ask" in result.stderr


def test_without_its_certificate_https_is_not_tried(dlg: Dlg) -> None:
    result = dlg("health", "https://127.0.0.1:1")
    assert result.exit_code == 2
    assert "which certificate" in result.stderr


def test_a_manager_is_known_by_the_name_it_advertises(dlg: Dlg, tmp_path: Path) -> None:
    """A manager listens everywhere and is told who it is, as in a container."""
    file = write_cluster_file(tmp_path / "c.toml", "night", new_pair(), new_certificate("night"))
    ports = ("-P", "0", "--rpc-port", "0", "--event-port", "0")
    node = Process(
        "nm", *ports, "-H", "0.0.0.0", "--advertise", "localhost", "--cluster", str(file.path),
        "-w", str(tmp_path), workdir=tmp_path,
    )  # fmt: skip
    try:
        assert node.name.startswith("localhost:")
        assert node.url.startswith("https://localhost:")
        asked = dlg("health", node.url, "--cluster", str(file.path))
        assert asked.exit_code == 0, asked.output
        info = dlg("cluster", "-P", node.url.rpartition(":")[2], "--cluster", str(file.path))
        assert node.name in info.output
    finally:
        node.end()


@pytest.mark.parametrize("name", ["0.0.0.0", "host:8000", "two words"])
def test_a_name_that_is_no_host_is_not_advertised(dlg: Dlg, name: str) -> None:
    result = dlg("nm", "--advertise", name)
    assert result.exit_code == 2, result.output
