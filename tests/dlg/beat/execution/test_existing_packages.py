"""Experiments of the existing packages' own tests give here what they give there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.cached_source import CachedDataSource
from dlg.beat.execution import LocalExecutor, SubprocessExecutor
from dlg.beat.experiment import Experiment
from dlg.beat.hash import hashDataset, toPath

HERE = Path(__file__).parent
PEER = HERE.parents[3] / "build" / "beat-peer"
PYTHON, PREFIX = PEER / ".venv" / "bin" / "python", PEER / "prefix"

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.timeout(600)]

Theirs = dict[str, tuple[Path, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    if not PYTHON.exists() or not PREFIX.is_dir():
        pytest.skip("needs BEAT's packages: make beat-peer")
    caches = tmp_path_factory.mktemp("theirs")
    program = HERE.parent / "peer" / "run_experiments.py"
    done = subprocess.run(
        [PYTHON, program, PREFIX, caches, "local"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=500,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["experiment"]: (caches / one["folder"], one["blocks"]) for one in told}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def values(cache: Path, path: str) -> list[Any]:
    with CachedDataSource() as source:
        assert source.setup(str(cache / path), str(PREFIX))
        return [[plain(unit[0].as_dict()), *unit[1:]] for unit in source if unit[0] is not None]


def run_block(executor: Any, cache: Path) -> dict[str, Any]:
    told: dict[str, Any] = {"status": -1}
    try:
        with executor:
            result = executor.process(timeout_in_minutes=2)
    except RuntimeError as error:
        return told | {"user_error": str(error)}
    told |= {k: result[k] for k in ("status", "user_error", "system_error")}
    if result["status"] == 0 and executor.analysis:
        told["values"] = values(cache, executor.data["result"]["path"])
    return told


def run(label: str, kind: type, cache: Path) -> list[dict[str, Any]]:
    experiment = Experiment(str(PREFIX), label, compat=True)
    assert experiment.valid, experiment.errors
    for one in experiment.datasets.values():
        database, protocol, name = one["database"], one["protocol"], one["set"]
        path = toPath(hashDataset(database.name, protocol, name), suffix=".db")
        database.view(protocol, name).index(str(cache / path))
    told = []
    for name, block in experiment.setup().items():
        executor = kind(str(PREFIX), block["configuration"], cache=str(cache))
        assert executor.valid, executor.errors
        told.append({"block": name, **run_block(executor, cache)})
        if told[-1]["status"] != 0:
            break
    return told


def files(cache: Path) -> dict[str, bytes]:
    """Return what all the files of a cache hold, but for ours alone."""
    return {
        str(file.relative_to(cache)): file.read_bytes()
        for file in cache.rglob("*")
        if file.is_file() and file.suffix != ".manifest"
    }


@pytest.mark.parametrize("kind", [LocalExecutor, SubprocessExecutor])
def test_every_experiment_of_their_tests_ends_the_same(
    theirs: Theirs, kind: type, tmp_path: Path
) -> None:
    ran = 0
    for label, (their_cache, their_blocks) in theirs.items():
        cache = tmp_path / label.replace("/", ".")
        cache.mkdir()
        blocks = run(label, kind, cache)
        assert [b["block"] for b in blocks] == [b["block"] for b in their_blocks], (label, blocks)
        ours, known = blocks[-1], their_blocks[-1]
        assert (ours["status"] == 0) == (known["status"] == 0), (label, ours, known)
        if known["status"] == 0:
            ran += 1
            assert [b.get("values") for b in blocks] == [b.get("values") for b in their_blocks]
            assert files(cache) == files(their_cache), label
        else:
            assert ours["user_error"] or ours["system_error"], (label, ours)
    assert ran >= 28
