from __future__ import annotations

import json

from dlg_engine.cli.tables import amount, clock_time, table_lines
from dlg_engine.daemon.local_cluster import LocalCluster, port_of
from tests.dlg_engine.cli.conftest import Dlg


def test_every_node_is_listed_with_what_it_has(
    dlg: Dlg, cluster: LocalCluster, at: tuple[str, ...]
) -> None:
    result = dlg("cluster", *at)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("master 127.0.0.1:")
    for node in cluster.nodes:
        (line,) = [line for line in result.stdout.splitlines() if line.startswith(node.name)]
        assert cluster.island.name in line
        assert " alive " in line
        assert "GiB" in line


def test_programs_get_what_the_manager_says(
    dlg: Dlg, cluster: LocalCluster, at: tuple[str, ...]
) -> None:
    found = json.loads(dlg("cluster", *at, "--json").stdout)
    assert found["level"] == "master"
    assert {node["name"] for node in found["nodes"]} == {node.name for node in cluster.nodes}


def test_a_node_lists_itself(dlg: Dlg, cluster: LocalCluster) -> None:
    node = cluster.nodes[2]
    result = dlg("cluster", "-P", str(port_of(node.url)))
    assert result.stdout.splitlines()[-1].startswith(node.name)


def test_columns_are_as_wide_as_their_entries_and_numbers_stand_right() -> None:
    lines = list(table_lines(("NAME", "DROPS"), [("a", "7"), ("longer", "1,200")]))
    assert lines == ["NAME    DROPS", "a           7", "longer  1,200"]


def test_amounts_and_times_are_written_for_people() -> None:
    assert [amount(size) for size in (None, 0, 2048, 3 << 30)] == [
        "-", "0 bytes", "2.0 KiB", "3.0 GiB",
    ]  # fmt: skip
    assert clock_time(None) == "-"
    assert clock_time(0.0).startswith(("1970-01-01", "1969-12-31"))
