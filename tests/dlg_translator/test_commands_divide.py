"""Commands that divide and map: profiles, stand-ins for apps, and what is told on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlg.testing import graphs
from dlg_engine.cli.main import cli
from dlg_translator import commands
from dlg_translator.testing.drawing import Drawing


def dlg(*args: str, stdin: Any = None) -> Result:
    text = json.dumps(stdin) if isinstance(stdin, dict | list) else stdin
    return CliRunner().invoke(cli, list(args), input=text, prog_name="dlg")


def unavailable_apps() -> dict[str, Any]:
    """Return a scatter of two apps whose class is not installed, which take 3 seconds."""
    drawing = Drawing()
    drawing.data("all")
    host = drawing.scatter("each", 2)
    for name in ("work", "more"):
        drawing.app(name, inside=host, dropclass="nobody.has.This", execution_time=3)
        drawing.data(f"{name} done", inside=host)
    for src, dst in (("all", "work"), ("work", "work done"), ("work done", "more")):
        drawing.link(src, dst)
    drawing.link("more", "more done")
    return drawing.document()


def apps(text: str) -> list[dict[str, Any]]:
    return [spec for spec in json.loads(text) if spec["categoryType"] == "Application"]


def test_apps_are_replaced_by_some_that_sleep_as_long() -> None:
    found = apps(dlg("unroll", "--app", "1", stdin=unavailable_apps()).stdout)
    assert {spec["dropclass"] for spec in found} == {"dlg.apps.simple.SleepApp"}
    assert {(spec["sleep_time"], spec["weight"]) for spec in found} == {(3, 3)}


def test_no_app_sleeps_in_a_graph_that_is_to_run_at_once() -> None:
    found = apps(dlg("unroll", "-z", "--app", "2", stdin=unavailable_apps()).stdout)
    assert {(spec["dropclass"], spec["sleep_time"]) for spec in found} == {
        ("dlg.apps.simple.SleepAndCopyApp", 0)
    }


def test_a_graph_whose_components_are_missing_runs_with_stand_ins(tmp_path: Path) -> None:
    made = dlg("unroll", "-z", "--app", "1", stdin=unavailable_apps()).stdout
    divided = dlg("partition", "-N", "2", "-a", "chunks", stdin=made).stdout
    mapped = dlg("map", "-N", "localhost,localhost", stdin=divided).stdout
    done = dlg("run", "-", "--quiet", "--workdir", str(tmp_path), stdin=mapped)
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("command", ["partition", "unroll-and-partition"])
def test_a_profile_counts_instead_of_what_the_graph_states(command: str, tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(json.dumps({"1_work_0-0": 40, "1_work_0-1": 2}))
    graph: Any = unavailable_apps()
    if command == "partition":
        graph = dlg("unroll", stdin=graph).stdout
    done = dlg(command, "-a", "none", "--profile", str(tmp_path), "--objectives", stdin=graph)
    assert done.exit_code == 0, done.stderr
    # What was not recorded counts as the mean of what was.
    assert "min exec time         61" in done.stderr


def test_a_file_that_is_no_profile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("[]")
    done = dlg("partition", "--profile", str(tmp_path / "p.json"), stdin=graphs.fan(3))
    assert done.exit_code == 2
    assert "expected an object of drops" in done.stderr
    assert done.stdout == ""


def test_people_are_told_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LONG_S", 0.0)
    done = dlg("partition", "-a", "chunks", stdin=graphs.fan(3))
    told = [line.partition(" took")[0] for line in done.stderr.splitlines() if " took " in line]
    assert told == ["reading", "dividing", "writing"]
    assert len(json.loads(done.stdout)) == len(graphs.fan(3))


@pytest.mark.parametrize("hosts", ["a,b", "2"])
def test_mapping_a_graph_that_nobody_divided_to_several_hosts_is_warned_of(hosts: str) -> None:
    done = dlg("map", "-N", hosts, stdin=graphs.fan(3))
    assert done.exit_code == 0
    assert "warning[not-partitioned] the graph is not divided into parts" in done.stderr
    assert "so one of 2 hosts gets all of it (dlg partition divides it)" in done.stderr
    assert len({spec["node"] for spec in json.loads(done.stdout)}) == 1


def test_a_single_host_takes_a_graph_that_nobody_divided_without_a_word() -> None:
    done = dlg("map", "-N", "localhost", stdin=graphs.fan(3))
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_divided_graph_is_mapped_without_a_word_even_if_it_is_one_part() -> None:
    divided = dlg("partition", "-N", "1", "-a", "chunks", stdin=graphs.fan(3)).stdout
    done = dlg("map", "-N", "a,b", stdin=divided)
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_number_of_hosts_leaves_their_names_open() -> None:
    divided = dlg("partition", "-N", "2", "-a", "chunks", stdin=graphs.fan(3)).stdout
    mapped = dlg("map", "-N", "2", stdin=divided).stdout
    assert {spec["node"] for spec in json.loads(mapped)} == {"#0", "#1"}


@pytest.mark.parametrize("hosts", ["a,,b", "a b", "gone.json", "", "0"])
def test_hosts_that_cannot_be_meant_are_refused_before_the_graph_is_read(hosts: str) -> None:
    done = dlg("map", "-N", hosts, stdin="no graph")
    assert done.exit_code == 2
    assert "host" in done.stderr or "nodes" in done.stderr or "gone.json" in done.stderr
    assert "graph" not in done.stderr
