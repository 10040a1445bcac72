"""What the tests of the command line share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlg_engine.cli.main import cli

Dlg = Callable[..., Result]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[[str, Any], str]


@pytest.fixture
def dlg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dlg:
    """Run a command line in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*args: str, stdin: bytes | str | None = None, color: bool = False) -> Result:
        return CliRunner().invoke(cli, list(args), input=stdin, prog_name="dlg", color=color)

    return call


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a command line as a process of its own, in an empty directory."""

    def call(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dlg_engine.cli", *args]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False,
            timeout=60,
        )  # fmt: skip

    return call


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a graph as JSON, and return where."""

    def call(name: str, graph: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(graph))
        return str(path)

    return call


def function_app(oid: str, function: str, outputs: Sequence[str] = ()) -> dict[str, Any]:
    """Return the spec of an app that calls a function given by its source."""
    return {
        "oid": oid,
        "name": oid,
        "categoryType": "Application",
        "dropclass": "dlg.apps.python_function.PyFuncApp",
        "func_code": function,
        "outputs": list(outputs),
    }
