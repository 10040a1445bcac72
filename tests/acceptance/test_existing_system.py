"""What this system translates runs on the existing engine, and what that one translates runs here.

The existing system is not installed beside this one: `make peer` gives it a Python of its own, or
`DLG_PEER` names one.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg_engine.cli.main import cli
from tests.acceptance.test_eagle_test_graphs import ROOT

PEER = Path(os.environ.get("DLG_PEER", "build/peer/bin/python"))
DRIVER = Path(__file__).with_name("existing.py")
HOSTS = "127.0.0.1,127.0.0.1,127.0.0.1"
GRAPHS = (
    "engine/graphs/ObjectTest.graph",
    "engine/graphs/ddExample.graph",
    "engine/graphs/ddExample_mixedports.graph",
    "engine/graphs/pydata_types.graph",
    "engine/test_filedrops/Filepath_test_side_effect.graph",
    "translator/logical_graphs/HelloWorld_Global.graph",
    "translator/logical_graphs/SharedMemoryTest_update.graph",
    "translator/logical_graphs/chiles_simple.graph",
    "translator/logical_graphs/pyfunc_glob_shell_test.graph",
    "translator/logical_graphs/test_ports.graph",
)
COMPLETED = "2"

pytestmark = [
    pytest.mark.peer,
    pytest.mark.usefixtures("time_does_not_pass"),
    pytest.mark.skipif(ROOT is None, reason="eagle-test-graphs is not installed"),
    pytest.mark.skipif(not PEER.exists(), reason=f"the existing system is not there: {PEER}"),
]


def there(*arguments: object, cwd: Path) -> str:
    """Run the driver with the existing system's Python; return what it prints."""
    home = {"DLG_ROOT": str(cwd), "HOME": str(cwd), "PATH": os.environ["PATH"]}
    command = [str(PEER.absolute()), str(DRIVER), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=home, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def test_the_existing_engine_runs_what_is_translated_here(tmp_path: Path) -> None:
    assert ROOT is not None
    mapped = []
    for name in GRAPHS:
        template, parts = tmp_path / "template", tmp_path / "parts"
        mapped.append(tmp_path / Path(name).name)
        here("unroll", "--compat", "-L", ROOT / name, "-o", template)
        here("partition", "-P", template, "-N", 2, "-o", parts)
        here("map", "-P", parts, "-N", HOSTS, "-o", mapped[-1])
    printed = there("run", tmp_path, *free_ports(2), *mapped, cwd=tmp_path)
    said: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    assert [s["graph"] for s in said] == [path.name for path in mapped]
    assert [s.get("error") for s in said] == [None] * len(GRAPHS)
    assert [s["states"] for s in said] == [{COMPLETED: s["drops"]} for s in said]


def test_what_the_existing_system_translates_runs_here(tmp_path: Path) -> None:
    assert ROOT is not None
    there("translate", tmp_path, *(ROOT / name for name in GRAPHS), cwd=tmp_path)
    for name in GRAPHS:
        graph = tmp_path / Path(name).name
        output = here("run", "--workdir", tmp_path / "runs", "--timeout", 60, graph)
        assert "FINISHED" in output
