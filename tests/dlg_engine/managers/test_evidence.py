"""Evidence of runs over nodes: the same as if one process had run it all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dlg.exceptions import UsageError
from dlg.graph import read_physical_graph
from dlg.graph.writing import lean_specs
from dlg.reproducibility.compare import compare_runs
from dlg.reproducibility.evidence import Document, Run, run_of
from dlg.reproducibility.levels import SEVEN, Level
from dlg.reproducibility.strict import Signer
from dlg_engine.embedded import run_graph
from dlg_engine.managers.evidence import (
    all_have_evidence,
    evidence_at_node,
    evidence_of_nodes,
)
from dlg_engine.managers.run_options import RunOptions
from tests.dlg.graph.test_writing import graphs
from tests.dlg_engine.managers.conftest import Island, Master, Specs, app, data

FILE = "dlg.data.file.FileDROP"
ALL = RunOptions(repro=int(Level.ALL))
ADD = "def add(x):\n    return x + 1"
JOIN = "def join(x, y):\n    return x * 100 + y"
COUNT = "def count(text):\n    return len(text)"
SAME = dict.fromkeys(SEVEN, True)


def pipeline(nodes: list[str], source: Path, offset: int = 1) -> Specs:
    """Return apps that read a file and what others made, data written by apps elsewhere, too."""
    a, b, c = (nodes * 3)[:3]
    argued = {"text": {"usage": "InputPort", "encoding": "utf-8"}}
    add = f"def add(x):\n    return x + {offset}"
    return [
        data("in", a, dropclass=FILE, filepath=str(source), consumers=["count"]),
        app("count", COUNT, b, inputs=[{"in": "text"}], outputs=["n"], applicationArgs=argued),
        data("n", a),
        app("one", add, c, inputs=["n"], outputs=["x"]),
        app("two", ADD, b, inputs=["n"], outputs=["y"]),
        data("x", a), data("y", b, name="why"),
        app("join", JOIN, c, inputs=[{"y": "y"}, {"x": "x"}], outputs=["end", "copy"]),
        data("end", b), data("copy", c, dropclass=FILE, filepath="copy.txt"),
        data("set", c, pydata=7), app("alone", ADD, a, inputs=["set"], outputs=["rest"]),
        data("rest", c),
    ]  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("hello")
    return path


def as_run(document: Document) -> Run:
    """Return the run that a document tells of when it has been a file."""
    return run_of(json.loads(json.dumps(document)))


def here(specs: Specs, tmp_path: Path) -> Run:
    """Return what a run in one process leaves behind."""
    alone = [{k: v for k, v in spec.items() if k != "node"} for spec in specs]
    report = run_graph(alone, workdir=tmp_path / "here", reproducibility="ALL")
    return run_of(json.loads((report.session_dir / "reprodata.out").read_text()))


def over(island: Island, specs: Specs, name: str = "s", options: RunOptions = ALL) -> Document:
    """Return what a run over the nodes of an island leaves behind."""
    manager = island.manager
    manager.create_session(name)
    manager.add_graph(name, specs)
    manager.deploy_session(name, options=options)
    island.wait(name)
    return evidence_of_nodes(manager, name)


def test_a_run_over_nodes_is_the_same_as_one_in_a_process(
    island: Island, tmp_path: Path, source: Path
) -> None:
    local = here(pipeline(["-"], source), tmp_path)
    run = as_run(over(island, pipeline(island.names, source)))
    comparison = compare_runs(local, run)
    assert (comparison.levels, comparison.causes) == (SAME, ())
    assert {spec["reprodata"]["node"] for spec in run.drops.values()} == set(island.names)
    assert all_have_evidence(island.manager, "s")


def test_where_drops_run_does_not_matter(island: Island, source: Path) -> None:
    first = as_run(over(island, pipeline(island.names, source)))
    turned = as_run(over(island, pipeline(island.names[::-1], source), "turned"))
    on_one = as_run(over(island, pipeline(island.names[:1], source), "on one"))
    assert compare_runs(first, turned).levels == SAME
    assert compare_runs(first, on_one).levels == SAME


def test_what_differs_between_a_run_here_and_one_over_nodes_is_named(
    island: Island, tmp_path: Path, source: Path
) -> None:
    local = here(pipeline(["-"], source), tmp_path)
    run = as_run(over(island, pipeline(island.names, source, offset=2)))
    comparison = compare_runs(local, run)
    assert [(d.drop, d.field) for d in comparison.causes] == [("one", "func_code")]
    assert not comparison.levels[Level.REPRODUCE]


def test_the_input_of_a_node_is_seen(island: Island, tmp_path: Path, source: Path) -> None:
    local = here(pipeline(["-"], source), tmp_path)
    source.write_text("world")
    comparison = compare_runs(local, as_run(over(island, pipeline(island.names, source))))
    assert not comparison.levels[Level.RECOMPUTE]
    assert {d.drop for d in comparison.causes} == {"in"}


def test_a_master_puts_the_evidence_of_its_islands_together(
    master: Master, tmp_path: Path, source: Path
) -> None:
    specs = pipeline(list(master.nodes), source)
    master.manager.create_session("m")
    master.manager.add_graph("m", specs)
    master.manager.deploy_session("m", options=ALL)
    assert master.manager.wait("m", 30)
    run = as_run(evidence_of_nodes(master.manager, "m"))
    assert compare_runs(here(specs, tmp_path), run).levels == SAME
    for island in master.islands:
        drops, found = evidence_of_nodes(island.manager, "m")
        assert found["run"]["nodes"]
        assert not any(level.name in found for level in SEVEN)  # it does not know the whole graph
        assert all("strict" in spec["reprodata"] for spec in drops.values())


def test_each_node_leaves_a_file_about_its_own_drops(island: Island, source: Path) -> None:
    specs = pipeline(island.names, source)
    over(island, specs)
    for name, node in island.nodes.items():
        session = node.manager.session("s")
        drops, found = json.loads((session.directory / "reprodata.out").read_text())
        assert set(drops) == {spec["oid"] for spec in specs if spec["node"] == name}
        assert found["run"]["part"]
        assert not any(level.name in found for level in SEVEN)
        assert drops == json.loads(json.dumps(evidence_at_node(session)[0]))


def test_a_graph_asks_for_its_level_as_existing_clients_send_it(
    island: Island, tmp_path: Path, source: Path
) -> None:
    record = {"rmode": "2", "REPEAT": {"rmode": "2", "lgt_data": {"merkleroot": "ab"}}}
    drops = [{**spec, "reprodata": record} for spec in pipeline(island.names, source)]
    specs = [*drops, {"rmode": "2", "meta_data": {}, "REPEAT": {"signature": "ab"}}]
    run = as_run(over(island, specs, options=RunOptions()))
    assert compare_runs(here(pipeline(["-"], source), tmp_path), run).levels == {
        Level.REPEAT: True,
    }  # fmt: skip
    assert "REPEAT" not in run.drops["join"]["reprodata"]  # what was known before has its own form
    assert run.signature(Level.RECOMPUTE) is None


def test_whoever_deploys_is_stronger_than_the_graph(island: Island, source: Path) -> None:
    specs = [*pipeline(island.names, source), {"rmode": "2"}]
    found = over(island, specs, options=RunOptions(repro=int(Level.NOTHING)))
    assert found[1] == {}
    assert not all_have_evidence(island.manager, "s")


def test_nothing_is_kept_unless_somebody_asks(island: Island, source: Path) -> None:
    drops, found = over(island, pipeline(island.names, source), options=RunOptions())
    assert found == {}
    assert "reprodata" not in drops["in"]
    for node in island.nodes.values():
        assert not (node.manager.session("s").directory / "reprodata.out").exists()


def test_a_graph_that_asks_for_no_level_that_exists_is_refused(island: Island) -> None:
    island.manager.create_session("s")
    with pytest.raises(UsageError, match="no level of reproducibility"):
        island.manager.add_graph("s", [data("a"), {"rmode": "twice"}])


def test_a_failed_run_over_nodes_is_the_same_as_one_in_a_process(
    island: Island, tmp_path: Path, source: Path
) -> None:
    specs = pipeline(island.names, source)
    specs[3]["func_code"] = "def add(x):\n    raise ValueError(x)"
    run = as_run(over(island, specs))
    assert compare_runs(here(specs, tmp_path), run).levels == SAME
    assert run.drops["end"]["reprodata"]["strict"]["content"] == "none:ERROR"


def test_a_session_that_was_cancelled_has_no_evidence_and_says_why(
    island: Island, source: Path
) -> None:
    specs = pipeline(island.names, source)
    specs[1] |= {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
    island.manager.create_session("s")
    island.manager.add_graph("s", specs)
    island.manager.deploy_session("s", options=ALL)
    assert evidence_of_nodes(island.manager, "s")[1]["rmode"] == "-1"
    island.manager.cancel_session("s")
    island.manager.wait("s", 30)
    _, found = evidence_of_nodes(island.manager, "s")
    assert island.names[1] in found["missing"]
    assert not any(level.name in found for level in SEVEN)
    assert not all_have_evidence(island.manager, "s")


def test_data_that_are_gone_by_the_end_are_known_as_complete(
    island: Island, tmp_path: Path, source: Path
) -> None:
    specs = pipeline(island.names, source)
    for spec in specs:
        if spec["oid"] in {"n", "x", "y"}:
            spec |= {"expireAfterUse": True, "persist": False}
    run = as_run(over(island, specs))
    assert compare_runs(here(specs, tmp_path), run).levels == SAME
    kept = as_run(over(island, pipeline(island.names, source), "kept"))
    assert compare_runs(kept, run).levels == SAME


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_a_graph_that_is_written_anew_has_the_same_signature(specs: Specs) -> None:
    graph = read_physical_graph(specs)
    again = read_physical_graph(list(lean_specs(graph)))
    for level in (Level.RERUN, Level.REPEAT, Level.RECOMPUTE):
        assert Signer().sign(graph, level).graph == Signer().sign(again, level).graph


def test_a_port_is_the_same_whichever_end_names_it() -> None:
    ended = [data("d", consumers=[{"f": "left"}]), app("f", ADD)]
    begun = [data("d"), app("f", ADD, inputs=[{"d": "left"}])]
    other = [data("d"), app("f", ADD, inputs=[{"d": "right"}])]
    one, two, three = (Signer().sign(read_physical_graph(s)).graph for s in (ended, begun, other))
    assert one == two != three


def test_the_evidence_of_a_node_that_is_lost_is_missing_and_there_are_no_signatures(
    island: Island, source: Path
) -> None:
    over(island, pipeline(island.names, source))
    lost = island.names[1]
    island.manager.losses.lose([lost], "died")
    drops, found = evidence_of_nodes(island.manager, "s")
    assert list(found["missing"]) == [lost]
    assert not any(level.name in found for level in SEVEN)
    assert "reprodata" in drops["in"]
    assert "reprodata" not in drops["count"]
    assert not all_have_evidence(island.manager, "s")
