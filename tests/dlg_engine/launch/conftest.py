"""A Slurm for the tests of a session, and command lines beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dlg_engine.launch import slurm
from tests.dlg_engine.launch.slurm import Slurm

Dlg = Callable[..., "subprocess.CompletedProcess[str]"]
PATIENCE_S = 240


@pytest.fixture(scope="session")
def batch() -> Iterator[Slurm]:
    with slurm.running() as found:
        yield found


def dlg_in(directory: Path, **environment: str) -> Dlg:
    """Return what runs command lines as processes in a directory, with settings of their own."""
    env = {**os.environ, "DLG_CONFIG_DIR": str(directory / "config"), **environment}

    def call(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dlg_engine.cli", *args]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=directory, env=env, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip

    return call


@pytest.fixture
def alone(tmp_path: Path) -> Dlg:
    """Run command lines without a batch system."""
    return dlg_in(tmp_path)


@pytest.fixture
def beside_slurm(tmp_path: Path, batch: Slurm) -> Dlg:
    """Run command lines where Slurm is."""
    return dlg_in(tmp_path, SLURM_CONF=str(batch.conf))
