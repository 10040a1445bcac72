"""The tools are really set up to find what the project does not want.

A limit that is configured while its rule is not selected checks nothing, and nobody notices.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("dlg", "dlg_engine", "dlg_translator")
BRANCHES = "".join(f"    if a == {i}:\n        return {i}\n" for i in range(4, 7)) * 4
HEAD = '"""Doc."""\n\n'


def _found(code: str, file: str = "dlg/x.py") -> set[str]:
    """Return the ruff rules that `code` breaks, were it in `file`."""
    command = ["ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename", file]
    done = subprocess.run(
        [sys.executable, "-m", *command, "-"],
        input=HEAD + code,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert not done.stderr.strip(), done.stderr
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith(file)}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _function(body: str, arguments: str = "a: int") -> str:
    return f'def f({arguments}) -> int:\n    """Doc."""\n{body}    return 0\n'


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("C901", _function(BRANCHES)),
        ("PLR0912", _function(BRANCHES)),
        ("PLR0911", _function(BRANCHES)),
        ("PLR0915", _function("    a += 1\n" * 40)),
        ("PLR0913", _function("", ", ".join(f"a{i}: int" for i in range(7)))),
        ("E501", f"A = '{'a' * 100}'\n"),
        ("T201", "print(1)\n"),
        ("BLE001", "try:\n    A = 1\nexcept Exception:\n    A = 2\n"),
        ("S110", "try:\n    A = 1\nexcept Exception:\n    pass\n"),
        ("S101", "assert 1\n"),
        ("ERA001", "# a = f(1)\n"),
        ("D103", "def f() -> None: ...\n"),
        ("N802", 'def someName() -> None:\n    """Doc."""\n'),
        ("TID252", "from . import a\n"),
        ("TID251", "import os\n\nA = os.environ\n"),
        ("TID251", "import os\n\nos.chdir('/')\n"),
        ("TID251", "import time\n\ntime.sleep(1)\n"),
        ("PLC0415", _function("    import os\n")),
        ("G004", "import logging\n\nlogging.getLogger(__name__).info(f'{1}')\n"),
        ("DTZ005", "import datetime\n\nA = datetime.datetime.now()\n"),
    ],
)
def test_ruff_finds_what_we_do_not_want(rule: str, code: str) -> None:
    assert rule in _found(code)


def test_the_names_of_the_published_interface_are_let_through() -> None:
    assert not _found('def setCompleted() -> None:\n    """Doc."""\n')


def test_only_the_settings_may_read_the_environment() -> None:
    assert not _found("import os\n\nA = os.environ\n", "dlg/settings.py")


def test_all_extras_are_in_all_but_those_for_work_on_the_project(project: dict[str, Any]) -> None:
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    inside = set(everything.removeprefix("dlg[").removesuffix("]").split(","))
    assert inside == set(extras) - {"all", "test", "docs", "dev"}


def test_an_extra_that_an_error_tells_to_install_exists(project: dict[str, Any]) -> None:
    told = re.compile(r'MissingExtraError\(\s*"[\w.-]+",\s*"([\w-]+)"')
    sources = [f.read_text() for p in PACKAGES for f in (ROOT / p).rglob("*.py")]
    found = {extra for source in sources for extra in told.findall(source)}
    assert found <= set(project["project"]["optional-dependencies"])


def test_every_camel_case_name_is_listed_once(project: dict[str, Any]) -> None:
    names = project["tool"]["ruff"]["lint"]["pep8-naming"]["ignore-names"]
    assert sorted(names) == sorted(set(names))
