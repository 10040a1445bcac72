from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg_engine.embedded import run_graph
from dlg_engine.testing.nodes import Nodes

FUNCTION = "dlg.apps.python_function.PyFuncApp"
NAMES = ("n0", "n1", "n2", "n3")
_numbers = itertools.count()

Specs = list[dict[str, Any]]


def data(oid: str, node: str = "n0", **more: Any) -> dict[str, Any]:
    cls = "dlg.data.memory.InMemoryDROP"
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, "node": node, **more}


def app(oid: str, code: str, node: str = "n0", **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "node": node,
            "func_code": code, **more}  # fmt: skip


def node_of(spec: Any) -> str:
    return str(spec["node"])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    found = Nodes(NAMES, tmp_path)
    yield found
    found.close()


def result(nodes: Nodes, session: str, oid: str, node: str) -> Any:
    return nodes.managers[node].drop(session, oid).value()


def test_a_chain_that_changes_nodes_gives_the_result(nodes: Nodes) -> None:
    add = "def add(x):\n    return x + 1"
    specs = [
        data("a", "n0", pydata=1),
        app("f", add, "n1", inputs=["a"], outputs=["b"]), data("b", "n2"),
        app("g", add, "n0", inputs=["b"], outputs=["c"]), data("c", "n3"),
    ]  # fmt: skip
    states = nodes.run("night", specs, node_of)
    assert {states[oid]["status"] for oid in "fgc"} == {S.COMPLETED}
    assert set(states) == {"a", "f", "b", "g", "c"}
    assert result(nodes, "night", "c", "n3") == 3


def test_a_failure_reaches_other_nodes_with_its_drop_and_reason(nodes: Nodes) -> None:
    specs = [
        data("a", "n0", pydata=1),
        app("f", "def f(x):\n    raise ValueError('no solution')", "n0", inputs=["a"],
            outputs=["b"]),
        data("b", "n1"),
        app("g", "def g(x):\n    return x", "n2", inputs=["b"], outputs=["c"]), data("c", "n2"),
    ]  # fmt: skip
    states = nodes.run("night", specs, node_of)
    assert [states[oid]["status"] for oid in "fbgc"] == [S.ERROR] * 4
    (error,) = nodes.managers["n2"].session("night").report().errors
    assert "on node n1, drop f failed: ValueError: no solution" in str(error.exception)


def test_a_skipped_branch_is_skipped_on_other_nodes(nodes: Nodes) -> None:
    specs: Specs = [
        data("x", "n0", pydata=5),
        {"oid": "f", "categoryType": "Application", "dropclass": "dlg.apps.branch.Branch",
         "func_code": "def small(x):\n    return x < 3", "node": "n0", "inputs": [{"x": "x"}],
         "outputs": [{"yes": "true"}, {"no": "false"}]},
        data("yes", "n1"), data("no", "n2"),
        app("g", "def g(x):\n    return x", "n3", inputs=["yes"], outputs=["c"]), data("c", "n0"),
    ]  # fmt: skip
    states = nodes.run("night", specs, node_of)
    assert (states["yes"]["status"], states["no"]["status"]) == (S.SKIPPED, S.COMPLETED)
    assert (states["g"]["status"], states["c"]["status"]) == (S.SKIPPED, S.SKIPPED)


def test_files_and_directories_are_brought(nodes: Nodes) -> None:
    write = "echo hello > %o0; mkdir -p %o1/in; echo deep > %o1/in/file"
    bash = "dlg.apps.bash.BashShellApp"
    specs: Specs = [
        {"oid": "w", "categoryType": "Application", "dropclass": bash, "command": write,
         "node": "n0", "outputs": ["file", "dir"]},
        {"oid": "file", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP",
         "filepath": "out.txt", "node": "n1"},
        {"oid": "dir", "categoryType": "Data", "dropclass": "dlg.data.directory.DirectoryDROP",
         "dirname": "outdir", "create_if_missing": True, "node": "n2"},
        {"oid": "r", "categoryType": "Application", "dropclass": bash,
         "command": "cat %i0 %i1/in/file > %o0", "node": "n3", "inputs": ["file", "dir"],
         "outputs": ["both"]},
        {"oid": "both", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP",
         "filepath": "both.txt", "node": "n0"},
    ]  # fmt: skip
    states = nodes.run("night", specs, node_of)
    assert {state["status"] for state in states.values()} == {S.COMPLETED}
    assert Path(nodes.managers["n0"].drop("night", "both").path).read_text() == "hello\ndeep\n"


@st.composite
def graphs(draw: st.DrawFn) -> Specs:
    """Random graphs of functions that add, some of which fail, on up to four nodes."""
    names = NAMES[: draw(st.sampled_from([1, 2, 4]))]
    place = st.sampled_from(names)
    specs: Specs = [data("d0", draw(place), pydata=1, persist=True)]
    known = ["d0"]
    for i in range(1, draw(st.integers(2, 9))):
        inputs = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=3))
        fails = draw(st.integers(0, 9)) == 0
        body = "raise ValueError(xs)" if fails else "return sum(xs) + 1"
        threshold = draw(st.sampled_from([0, 0, 50, 100]))
        code = f"def f{i}(*xs):\n    {body}" if threshold == 0 else f"def f{i}(*xs):\n    return 1"
        specs.append(
            app(f"a{i}", code, draw(place), inputs=inputs, outputs=[f"d{i}"],
                input_error_threshold=threshold)
        )  # fmt: skip
        specs.append(data(f"d{i}", draw(place), persist=True))
        known.append(f"d{i}")
    return specs


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(graphs())
def test_a_graph_ends_on_any_nodes_as_it_ends_on_one(
    nodes: Nodes, tmp_path: Path, specs: Specs
) -> None:
    session = f"s{next(_numbers)}"
    report = run_graph(specs, workdir=tmp_path)
    states = nodes.run(session, specs, node_of)
    assert {oid: state["status"] for oid, state in states.items()} == {
        uid: int(drop.status) for uid, drop in report.drops.items()
    }
    for spec in specs:
        oid = spec["oid"]
        if spec["categoryType"] == "Data" and states[oid]["status"] == S.COMPLETED:
            assert result(nodes, session, oid, spec["node"]) == report.result(oid)
    for manager in nodes.managers.values():
        if session in manager.session_ids:
            manager.destroy_session(session)
