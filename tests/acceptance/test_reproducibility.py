"""Two runs of a graph of a thousand drops: what differs is named, wherever they ran."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlg.reproducibility.levels import SEVEN
from dlg_engine.cli.main import cli
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MEMORY = "dlg.data.memory.InMemoryDROP"
STEP = "def step(x, gain):\n    return (31 * x + gain) % 1009"
JOIN = "def join(x, y):\n    return (x + 7 * y) % 1009"
WIDE, DEEP = 10, 50
CHANGED = "a4-27"
"""Deep in the graph: many are before it, and many after it."""
Dlg = Callable[..., Result]


def graph(gain: int = 3, nodes: tuple[str, ...] = ("",)) -> list[dict[str, Any]]:
    """Return chains of which each drop but the first reads its neighbour, too."""
    specs: list[dict[str, Any]] = [
        _data(f"d{x}-0", nodes[x % len(nodes)], pydata=x) for x in range(WIDE)
    ]
    for y in range(1, DEEP + 1):
        for x in range(WIDE):
            node = nodes[(x + y) % len(nodes)]
            own = gain if f"a{x}-{y}" == CHANGED else 3
            inputs = [{f"d{x}-{y - 1}": "x"}]
            app = {"oid": f"a{x}-{y}", "categoryType": "Application", "dropclass": FUNCTION,
                   "node": node, "outputs": [f"d{x}-{y}"], "inputs": inputs}  # fmt: skip
            if y % 10 == 5:
                inputs.append({f"d{(x + 1) % WIDE}-{y - 1}": "y"})
                specs.append({**app, "func_code": JOIN})
            else:
                argued = {"gain": {"value": own, "type": "Integer"}}
                specs.append({**app, "func_code": STEP, "applicationArgs": argued})
            specs.append(_data(f"d{x}-{y}", node))
    return specs


def _data(oid: str, node: str, **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Data", "dropclass": MEMORY, "node": node, **more}


@pytest.fixture
def dlg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dlg:
    """Run a command line in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(cli, list(args), prog_name="dlg")


@pytest.fixture
def run(dlg: Dlg) -> Callable[..., Path]:
    """Run a graph and return where its evidence is."""

    def call(name: str, specs: list[dict[str, Any]], *options: str) -> Path:
        Path(f"{name}.json").write_text(json.dumps(specs))
        result = dlg("run", f"{name}.json", "--repro", "all", "-q", *options)
        assert result.exit_code == 0, result.output
        (found,) = Path("dlg-runs").glob(f"{name}-*")
        return found

    return call


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    place = tmp_path_factory.mktemp("cluster")
    with LocalCluster(ClusterOptions(nodes=3, workdir=place, port=0, cwd=place)) as found:
        yield found


def compared(dlg: Dlg, one: Path, other: Path) -> dict[str, Any]:
    result = dlg("repro", "compare", str(one), str(other), "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["same"] else 1)
    assert set(found["levels"]) == {level.name for level in SEVEN}
    return found


def assert_named(found: dict[str, Any]) -> None:
    """Check that the drop and its parameter are named, with both values, and nothing else."""
    (cause,) = found["causes"]
    assert (cause["drop"], cause["layer"], cause["field"]) == (CHANGED, "parameters", "gain")
    assert (cause["left"][0], cause["right"][0], cause["follows"]) == (3, 4, False)
    assert [name for name, same in found["levels"].items() if same] == ["RERUN"]
    assert found["consequences"] > 0


def test_the_parameter_that_differs_deep_in_a_graph_is_named(dlg: Dlg, run: Any) -> None:
    assert len(graph()) == WIDE + 2 * WIDE * DEEP > 1000
    one, other = run("one", graph()), run("other", graph(gain=4))
    assert_named(compared(dlg, one, other))
    shown = dlg("repro", "compare", str(one), str(other))
    assert f"{CHANGED}  parameters gain" in shown.output
    assert compared(dlg, one, run("again", graph()))["same"]


def test_it_is_named_as_well_if_one_of_them_ran_on_managers(
    dlg: Dlg, run: Any, cluster: LocalCluster
) -> None:
    names = tuple(node.name for node in cluster.nodes)
    Path("there.json").write_text(json.dumps(graph(gain=4, nodes=names)))
    at = ("-H", "127.0.0.1", "-P", str(port_of(cluster.master.url)), "--session", "there")
    result = dlg("submit", "there.json", "--repro", "all", *at)
    assert result.exit_code == 0, result.output
    there = Path("dlg-runs", "there")
    assert compared(dlg, run("same", graph(gain=4)), there)["same"]
    assert_named(compared(dlg, run("one", graph()), there))


def test_a_run_whose_results_were_reused_leaves_the_same_evidence(dlg: Dlg, run: Any) -> None:
    reuse = ("--reuse", "--store", "store", "--report", "report.json")
    first = run("first", graph(), *reuse)
    second = run("second", graph(), *reuse)
    assert len(json.loads(Path("report.json").read_text())["reused"]) == WIDE * DEEP
    assert compared(dlg, first, second)["same"]
    plain = run("plain", graph())
    assert compared(dlg, plain, second)["same"]
    other = run("other", graph(gain=4), *reuse)
    reused = len(json.loads(Path("report.json").read_text())["reused"])
    assert 0 < reused < WIDE * DEEP
    assert_named(compared(dlg, second, other))
