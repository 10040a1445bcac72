"""Results taken from stores in runs over nodes: the same that a run in one process would take."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.levels import Level
from dlg_engine.embedded import run_graph
from dlg_engine.managers.evidence import evidence_of_nodes
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.told import summary
from tests.dlg_engine.managers import test_evidence
from tests.dlg_engine.managers.conftest import Island, Master, Specs, app, data
from tests.dlg_engine.managers.test_evidence import FILE, as_run

REUSE = RunOptions(reuse=True)
APPS = {"count", "one", "two", "join", "alone"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("hello")
    return path


@pytest.fixture
def shared(island: Island, tmp_path: Path) -> Path:
    """Let the nodes share a store."""
    for node in island.nodes.values():
        node.manager.store = tmp_path / "store"
    return tmp_path / "store"


def pipeline(nodes: list[str], source: Path, offset: int = 5) -> Specs:
    """Return a graph of which no two apps do the same: one would be reused for the other."""
    return test_evidence.pipeline(nodes, source, offset)


def over(island: Island, specs: Specs, name: str, options: RunOptions = REUSE) -> set[str]:
    """Run a graph over the nodes and return the apps that did not have to run."""
    manager = island.manager
    manager.create_session(name)
    manager.add_graph(name, specs)
    manager.deploy_session(name, options=options)
    island.wait(name)
    told = summary(manager.session(name))
    assert told["state"] == "FINISHED", told
    found = reused_on(island, name)
    assert told["reused"] == len(found)
    return found


def reused_on(island: Island, name: str) -> set[str]:
    found: set[str] = set()
    for node in island.manager.session(name).nodes:
        session = island.nodes[node].manager.session(name)
        assert session.live is not None
        assert session.reuse is not None
        found |= {session.live.oids[row] for row in session.reuse.reused}
    return found


def value(island: Island, name: str, oid: str) -> Any:
    home = island.manager.graph(name)[oid]["node"]
    return island.nodes[home].manager.drop(name, oid).value()


def test_nothing_runs_again_on_nodes_that_ran_it_before(island: Island, source: Path) -> None:
    for number, node in enumerate(island.nodes.values()):
        node.manager.store = source.parent / f"store{number}"
    specs = pipeline(island.names, source)
    assert over(island, specs, "first") == set()
    assert over(island, specs, "second") == APPS
    for oid in ("end", "copy", "rest"):
        assert value(island, "second", oid) == value(island, "first", oid), oid


def test_what_was_run_here_is_not_run_again_on_nodes_and_the_other_way_round(
    island: Island, source: Path, shared: Path, tmp_path: Path
) -> None:
    alone = [{k: v for k, v in s.items() if k != "node"} for s in pipeline(["-"], source)]
    assert run_graph(alone, workdir=tmp_path / "here", store=shared).status == "FINISHED"
    assert over(island, pipeline(island.names, source), "there") == APPS
    shutil.rmtree(shared)
    assert over(island, pipeline(island.names, source), "anew") == set()
    again = run_graph(alone, workdir=tmp_path / "here", store=shared)
    assert set(again.reused) == APPS


def test_where_drops_run_changes_nothing(island: Island, source: Path, shared: Path) -> None:
    assert over(island, pipeline(island.names, source), "first") == set()
    assert over(island, pipeline(island.names[::-1], source), "turned") == APPS
    assert over(island, pipeline(island.names[:1], source), "one") == APPS


def test_a_changed_function_is_run_with_all_that_is_behind_it_on_other_nodes(
    island: Island, source: Path, shared: Path
) -> None:
    over(island, pipeline(island.names, source), "first")
    assert over(island, pipeline(island.names, source, offset=2), "other") == {
        "count", "two", "alone",
    }  # fmt: skip
    assert value(island, "other", "end") != value(island, "first", "end")


def test_another_content_of_an_input_on_one_node_counts_on_all(
    island: Island, source: Path, shared: Path
) -> None:
    over(island, pipeline(island.names, source), "first")
    before = source.stat()
    source.write_text("hallo wereld")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert over(island, pipeline(island.names, source), "second") == {"alone"}
    assert value(island, "second", "end") == 100 * 17 + 13


def test_an_input_that_changes_while_the_graph_runs_spoils_what_is_kept_on_other_nodes(
    island: Island, source: Path, shared: Path
) -> None:
    a, b, _ = island.names
    change = f"from pathlib import Path\n\ndef f(x):\n    Path({str(source)!r}).write_text(str(x))"
    argued = {"text": {"usage": "InputPort", "encoding": "utf-8"}}
    read = "def f(text, done):\n    return text"
    specs = [
        data("in", a, dropclass=FILE, filepath=str(source)), data("set", a, pydata=7),
        app("change", change, a, inputs=["set"], outputs=["done"], cacheable=False),
        data("done", a),
        app("read", read, a, inputs=[{"in": "text"}, {"done": "done"}], outputs=["text"],
            applicationArgs=argued),
        data("text", a), app("behind", "def f(x):\n    return len(x)", b, inputs=["text"],
                             outputs=["length"]), data("length", b),
        app("other", "def f(text):\n    return len(text)", b, inputs=[{"in": "text"}],
            outputs=["size"], applicationArgs=argued), data("size", b),
    ]  # fmt: skip
    over(island, specs, "first")
    assert value(island, "first", "length") == 1  # of what was there when it came to be read
    source.write_text("hello")
    assert over(island, specs, "second") <= {"other"}


def test_an_input_that_changes_while_it_is_fetched_spoils_what_is_kept(
    island: Island, source: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _ = island.names
    source.write_text("hello" * 1000)  # too much to go along with the news
    argued = {"text": {"usage": "InputPort", "encoding": "utf-8"}}
    specs = [
        data("in", a, dropclass=FILE, filepath=str(source), consumers=["f"]),
        app("f", "def f(text):\n    return len(text)", b, outputs=["n"], applicationArgs=argued,
            inputs=[{"in": "text"}]), data("n", b),
    ]  # fmt: skip
    client = island.nodes[b]._data_client
    bring = client.bring

    def changing(*args: Any) -> None:
        source.write_text("changed" * 1000)
        bring(*args)

    monkeypatch.setattr(client, "bring", changing)
    over(island, specs, "first")
    assert value(island, "first", "n") == 7000
    monkeypatch.undo()
    source.write_text("hello" * 1000)
    assert over(island, specs, "second") == set()
    assert value(island, "second", "n") == 5000
    assert over(island, specs, "third") == {"f"}


@pytest.mark.parametrize("told", [{"cacheable": False}])
def test_what_is_behind_an_app_that_may_not_be_reused_runs_on_all_nodes(
    island: Island, source: Path, shared: Path, told: dict[str, Any]
) -> None:
    specs = pipeline(island.names, source)
    specs[3] |= told
    over(island, specs, "first")
    assert over(island, specs, "second") == {"count", "two", "alone"}


def test_a_master_lets_its_islands_reuse(master: Master, source: Path, tmp_path: Path) -> None:
    for node in master.nodes.values():
        node.manager.store = tmp_path / "store"
    specs = pipeline(list(master.nodes), source)
    counts = []
    for name in ("first", "second"):
        master.manager.create_session(name)
        master.manager.add_graph(name, specs)
        master.manager.deploy_session(name, options=REUSE)
        assert master.manager.wait(name, 30)
        counts.append(summary(master.manager.session(name))["reused"])
    assert counts == [0, len(APPS)]


def test_files_that_apps_write_for_other_nodes_are_kept_and_placed_there(
    island: Island, source: Path, shared: Path
) -> None:
    a, b, _ = island.names
    write = "def write(x):\n    return 'x' * 100_000"
    specs = [
        data("x", b, pydata=1), app("write", write, b, inputs=["x"], outputs=["far"]),
        {"oid": "far", "categoryType": "Data", "dropclass": FILE, "node": a,
         "filepath": "far.txt"},
    ]  # fmt: skip
    assert over(island, specs, "first") == set()
    assert over(island, specs, "second") == {"write"}
    contents = [value(island, name, "far") for name in ("first", "second")]
    assert contents[0] == contents[1]
    assert len(contents[0]) >= 100_000


def test_reused_and_run_leave_the_same_evidence(
    island: Island, source: Path, shared: Path
) -> None:
    options = RunOptions(repro=int(Level.ALL), reuse=True)
    specs = pipeline(island.names, source)
    found = []
    for name in ("first", "second"):
        over(island, specs, name, options)
        found.append(as_run(evidence_of_nodes(island.manager, name)))
    assert found[0].signature(Level.REPLICATE_COMP) == found[1].signature(Level.REPLICATE_COMP)
    assert "times" not in found[1].drops["join"]["reprodata"]


def test_a_run_that_starts_in_the_middle_reuses_nothing(island: Island, source: Path) -> None:
    island.manager.create_session("s")
    island.manager.add_graph("s", pipeline(island.names, source))
    with pytest.raises(UsageError, match="starts in the middle"):
        island.manager.deploy_session("s", completed=["set"], options=REUSE)


def test_a_node_tells_of_a_drop_whether_it_was_reused(
    island: Island, source: Path, shared: Path, ask: Callable[..., Any]
) -> None:
    specs = pipeline(island.names, source)
    over(island, specs, "first")
    over(island, specs, "second")
    assert [ask("drop_state", name, "join")["reused"] for name in ("first", "second")] == [
        False, True,
    ]  # fmt: skip


@pytest.fixture
def ask(island: Island) -> Callable[..., Any]:
    """Ask the node of a drop about it."""
    from dlg_engine.managers.inspecting import home_of, inspect

    def call(what: str, session_id: str, oid: str) -> Any:
        node = home_of(island.manager, session_id, oid)
        return inspect(island.manager, node, what, session_id, oid)

    return call
