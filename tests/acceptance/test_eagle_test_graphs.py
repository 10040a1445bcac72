"""The graphs that come with the existing system run here, from the command line.

Physical graphs all, logical ones whose constructs are scatters and gathers only. Those that cannot
run are listed with what is said about them.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlg_engine.cli.main import cli

FOUND = importlib.util.find_spec("daliuge_tests")
ROOT = Path(FOUND.origin).parent if FOUND and FOUND.origin else None
OTHER_CONSTRUCTS = {"Loop", "MKN", "GroupBy", "SubGraph", "Service", "ExclusiveForceNode"}

NO_COMMAND = "the parameter 'command' is empty"
APP_TO_APP = "both applications"
NO_STRING = "the argument 'string' is missing"
WRONG_NAME = "has no argument 'pickle_flag'"
HELLO = "there is no module 'dlg.common'"
EXCEPTIONS = {
    # The existing system's own tests expect these to fail: an argument is left out, or wrong.
    "engine/simple_functions/string2json.graph": NO_STRING,
    "engine/simple_functions/string2jsonPG.graph": NO_STRING,
    "engine/simple_functions/string2jsonPGT.graph": NO_STRING,
    "engine/simple_functions/string2json_incorrect_args.graph": NO_STRING,
    "engine/simple_functions/string2json_incorrect_argsPG.graph": NO_STRING,
    "engine/simple_functions/string2json_incorrect_argsPGT.graph": NO_STRING,
    "engine/simple_functions/string2json_incorrect_paramtype.graph": WRONG_NAME,
    "engine/simple_functions/string2json_incorrect_paramtypePG.graph": WRONG_NAME,
    "engine/simple_functions/string2json_incorrect_paramtypePGT.graph": WRONG_NAME,
    # Drawn to be translated only: shell commands without a command.
    "engine/topoGraphs/computationSandwich.graph": NO_COMMAND,
    "engine/topoGraphs/dataFan.graph": NO_COMMAND,
    "engine/topoGraphs/dataFunnel.graph": NO_COMMAND,
    "engine/topoGraphs/dataSandwich.graph": NO_COMMAND,
    "engine/topoGraphs/testSingle.graph": NO_COMMAND,
    "reproGraphs/HelloSBash.graph": NO_COMMAND,
    "reproGraphs/HelloWorldBash.graph": NO_COMMAND,
    "reproGraphs/HelloWorldBashSplit.graph": NO_COMMAND,
    "reproGraphs/simpleNoScatter.graph": NO_COMMAND,
    "reproGraphs/simpleScatter.graph": NO_COMMAND,
    "translator/logical_graphs/eagle_gather_empty_update.graph": NO_COMMAND,
    "translator/logical_graphs/eagle_gather_simple_update.graph": NO_COMMAND,
    "translator/logical_graphs/eagle_gather_update.graph": NO_COMMAND,
    # Likewise: a scatter of nothing, an application linked to an application, no drops, a cycle.
    "translator/logical_graphs/SuperBasicScatterGather.graph": "a scatter needs an input",
    "engine/topoGraphs/testCycle.graph": APP_TO_APP,
    "engine/topoGraphs/testNotDAG.graph": APP_TO_APP,
    "engine/topoGraphs/testTwoEnd.graph": APP_TO_APP,
    "engine/topoGraphs/testTwoLines.graph": APP_TO_APP,
    "engine/topoGraphs/testTwoStart.graph": APP_TO_APP,
    "engine/topoGraphs/testEmpty.graph": "there is nothing in it that could run",
    "reproGraphs/misc.graph": "is no category",
    # Classes of the existing system's tests, of services, or still to come.
    "reproGraphs/HelloSPython.graph": HELLO,
    "reproGraphs/HelloSPython2.graph": HELLO,
    "reproGraphs/apps.graph": "(shared libraries) is not available",
    "reproGraphs/files.graph": "(NGAS archives) is not available",
    "translator/logical_graphs/Plasma_test.graph": "(Plasma stores) is not available",
    # It asks a service on the network for the place of a telescope.
    "translator/logical_graphs/earth_location.graph": "EarthLocation.of_address",
}
"""Graphs that cannot run, and what is said about each."""

pytestmark = [
    pytest.mark.skipif(ROOT is None, reason="eagle-test-graphs is not installed"),
    pytest.mark.usefixtures("time_does_not_pass"),
]


def is_in_scope(path: Path) -> bool:
    """Return whether a graph is physical, or logical with scatters and gathers only."""
    document = json.loads(path.read_text())
    if isinstance(document, list):
        return True
    nodes = document.get("nodeDataArray", [])
    return not OTHER_CONSTRUCTS & {node.get("category") for node in nodes}


def names() -> list[str]:
    if ROOT is None:
        return ["(not installed)"]
    found = sorted(path for path in ROOT.rglob("*.graph") if is_in_scope(path))
    return [str(path.relative_to(ROOT)) for path in found]


def dlg_run(name: str, tmp_path: Path) -> tuple[int, str]:
    assert ROOT is not None
    result = CliRunner().invoke(
        cli, ["run", str(ROOT / name), "--workdir", str(tmp_path), "--timeout", "60"]
    )
    return result.exit_code, result.output


@pytest.mark.parametrize("name", names())
def test_a_graph_of_the_existing_system_runs(name: str, tmp_path: Path) -> None:
    code, output = dlg_run(name, tmp_path)
    if name in EXCEPTIONS:
        assert code in {1, 2}, "this graph runs now: take it off the list"
        assert EXCEPTIONS[name] in output.replace("\n", " ")
    else:
        assert code == 0, output
        assert "FINISHED" in output
    assert "Traceback" not in output or code == 1


def test_every_physical_graph_meant_to_be_run_runs() -> None:
    physical = [n for n in names() if n.startswith("engine/graphs/") and n.endswith("PG.graph")]
    assert len(physical) >= 9
    assert not EXCEPTIONS.keys() & set(physical)


def test_every_exception_is_still_there() -> None:
    assert EXCEPTIONS.keys() <= set(names())
