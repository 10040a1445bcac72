"""Users' code finds this package by the names it was written for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
from dlg.beat import aliases
aliases.install(); aliases.install()
import importlib.util
from beat.backend.python.database import View
import beat.core.hash
import dlg.beat.database, dlg.beat.hash
assert View is dlg.beat.database.View
assert beat.core.hash is dlg.beat.hash
assert dlg.beat.hash.__spec__.name == "dlg.beat.hash"
assert importlib.util.find_spec("beat.core.nothing") is None
"""


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("folder", ["", "beat"])
def test_names_of_the_existing_packages_are_ours(tmp_path: Path, folder: str) -> None:
    """Also where a folder is called as the package."""
    (tmp_path / folder).mkdir(exist_ok=True)
    done = run(tmp_path, CODE)
    assert done.returncode == 0, done.stderr


def test_the_packages_themselves_are_preferred(tmp_path: Path) -> None:
    package = tmp_path / "beat" / "core"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "hash.py").write_text("THEIRS = True")
    code = "from dlg.beat import aliases\naliases.install()\nfrom beat.core.hash import THEIRS"
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr
