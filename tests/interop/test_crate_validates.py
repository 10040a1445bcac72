"""Crates of runs before the public validator, as it is: `make crate-validator` installs it.

It asks for an older `rich` than we have, so it lives in an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg_engine.cli.main import cli
from dlg_engine.embedded import run_graph

VALIDATOR = Path(os.environ.get("DLG_CRATE_VALIDATOR", "build/crate-validator/bin/python"))
PROGRAM = Path(__file__).with_name("validate_crate.py")
PROCESS, WORKFLOW = "process-run-crate-0.5", "workflow-run-crate-0.5"
LOGICAL = Path(__file__).parents[2] / "graphs" / "tutorial" / "tutorial.graph"
GRAPH: list[dict[str, Any]] = [
    {"oid": "in", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP",
     "filepath": "in.txt", "consumers": ["app"]},
    {"oid": "app", "categoryType": "Application", "dropclass": "dlg.apps.bash.BashShellApp",
     "command": "cat %i[in] > %o[out]", "outputs": ["out"]},
    {"oid": "out", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP"},
]  # fmt: skip

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not VALIDATOR.exists(), reason=f"the validator is not there: {VALIDATOR}"),
]
Problems = Callable[[Path, str], list[str]]


@pytest.fixture
def problems() -> Problems:
    """Return what the validator finds wrong of what a profile requires."""
    python = str(VALIDATOR.absolute())

    def look(crate: Path, profile: str) -> list[str]:
        done = subprocess.run(
            [python, str(PROGRAM), str(crate), profile],
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: list[str] = json.loads(done.stdout.splitlines()[-1])
        return found

    return look


@pytest.fixture
def dlg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problems: Problems
) -> Callable[..., None]:
    """Run a command line in an empty directory, once the validator has been found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*args: str) -> None:
        result = CliRunner().invoke(cli, list(args), prog_name="dlg")
        assert result.exit_code == 0, result.output

    return call


def _alone() -> list[dict[str, Any]]:
    """Return the graph without its input."""
    _, app, out = GRAPH
    return [{**app, "command": "echo 1 > %o[out]"}, out]


def crate_of(dlg: Callable[..., None], session: Path) -> Path:
    dlg("repro", "export", str(session), "--format", "ro-crate", "-o", "crate")
    return Path("crate").absolute()


def ran(dlg: Callable[..., None], graph: str) -> Path:
    """Run a graph of a file and return the directory of its session."""
    dlg("run", graph, "--repro", "all", "-q")
    (session,) = Path("dlg-runs").iterdir()
    return session


@pytest.mark.parametrize("graph", ["physical", "logical"])
def test_a_run_of_a_graph_file_is_a_workflow_run_crate(
    dlg: Any, problems: Problems, graph: str
) -> None:
    Path("in.txt").write_text("content")
    text = json.dumps(GRAPH).replace('"in.txt"', f'"{Path.cwd()}/in.txt"')
    Path("physical.json").write_text(text)
    crate = crate_of(dlg, ran(dlg, str(LOGICAL) if graph == "logical" else "physical.json"))
    assert problems(crate, WORKFLOW) == []
    assert problems(crate, PROCESS) == []


def test_a_run_of_a_graph_made_in_python_is_a_process_run_crate(
    dlg: Any, problems: Problems, tmp_path: Path
) -> None:
    report = run_graph(_alone(), workdir=tmp_path / "dlg-runs", reproducibility="all")
    crate = crate_of(dlg, report.session_dir)
    assert problems(crate, PROCESS) == []
    assert problems(crate, WORKFLOW) != []


@pytest.mark.parametrize(
    ("profile", "kind", "key"),
    [(PROCESS, "CreateAction", "instrument"), (WORKFLOW, "Dataset", "mainEntity")],
)
def test_the_validator_sees_what_is_missing(
    dlg: Any, problems: Problems, profile: str, kind: str, key: str
) -> None:
    Path("physical.json").write_text(json.dumps(_alone()))
    metadata = crate_of(dlg, ran(dlg, "physical.json")) / "ro-crate-metadata.json"
    document = json.loads(metadata.read_bytes())
    for entity in document["@graph"]:
        if entity["@type"] == kind:
            entity.pop(key, None)
    metadata.write_text(json.dumps(document))
    assert problems(metadata.parent, profile) != []
