"""What is built of the pages is what their sources say, is whole, and needs nobody else."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dlg_engine import web

HOME = Path(web.__file__).parent
FRONTEND, STATIC = HOME / "frontend", HOME / "static"
LIST = json.loads((STATIC / "built.json").read_text())
PAGES = ("beat", "cluster", "session", "tasks")
LINES, COLUMNS = 500, 120


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sources() -> dict[str, Path]:
    found = [FRONTEND / name for name in ("build.mjs", "package.json", "package-lock.json")]
    found += [f for part in ("src", "public") for f in (FRONTEND / part).rglob("*") if f.is_file()]
    return {file.relative_to(FRONTEND).as_posix(): file for file in found}


def test_what_is_shipped_was_built_of_these_sources() -> None:
    now = {name: digest(file) for name, file in sources().items()}
    changed = {
        name for name in now.keys() | LIST["sources"] if now.get(name) != LIST["sources"].get(name)
    }
    assert not changed, "run `make web`, and commit what it makes"


def test_what_is_shipped_is_as_it_was_built() -> None:
    assert {file.name for file in STATIC.iterdir()} == {*LIST["built"], "built.json"}
    assert {name: digest(STATIC / name) for name in LIST["built"]} == LIST["built"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_what_there_is_and_nothing_from_elsewhere(name: str) -> None:
    text = web.page(name).decode()
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', text)
    files = {one.removeprefix("static/") for one in loaded if one.startswith("static/")}
    assert {f"{name}.js", "style.css", "icon.svg"} <= files <= set(web.assets())
    assert not [one for one in loaded if "//" in one]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_and_no_style_of_its_own(name: str) -> None:
    text = web.page(name).decode()
    assert not re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("name", PAGES)
def test_every_element_a_script_looks_for_is_in_a_page(name: str) -> None:
    there = set(re.findall(r'\bid="([\w-]+)"', web.page(name).decode()))
    other = set(re.findall(r'\bid="([\w-]+)"', "".join(web.page(p).decode() for p in PAGES)))
    sought: set[str] = set()
    for file in (FRONTEND / "src").glob("*.ts"):
        sought |= set(re.findall(r'byId(?:<\w+>)?\("([\w-]+)"\)', file.read_text()))
    assert sought <= other
    own = (FRONTEND / "src" / f"{name}.ts").read_text()
    assert set(re.findall(r'byId(?:<\w+>)?\("([\w-]+)"\)', own)) <= there


def test_scripts_and_styles_load_nothing_from_elsewhere() -> None:
    for name, asset in web.assets().items():
        text = asset.content.decode()
        hosts = set(re.findall(r"https?://[\w.-]+", text))
        # Names in the format of pictures, not addresses: nothing is loaded from there.
        assert name == "LICENSES.txt" or hosts <= {"http://www.w3.org"}, name
        assert "eval(" not in text or name == "LICENSES.txt"


def test_the_licences_of_all_libraries_are_beside_them() -> None:
    text = (STATIC / "LICENSES.txt").read_text()
    wanted = json.loads((FRONTEND / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert f"{name} {version} (MIT)" in text
    assert text.count("Permission is hereby granted") >= len(wanted)


def test_tools_and_libraries_are_pinned_and_their_hosts_are_named_nowhere() -> None:
    package: dict[str, Any] = json.loads((FRONTEND / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    lock = (FRONTEND / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock + (FRONTEND / "package.json").read_text()


def test_no_source_is_too_long() -> None:
    for name, file in sources().items():
        if name.endswith((".ts", ".css", ".html")):
            lines = file.read_text().splitlines()
            assert len(lines) <= LINES, name
            assert name.endswith(".html") or max(map(len, lines), default=0) <= 150, name


@pytest.mark.frontend
@pytest.mark.timeout(600)
def test_the_sources_pass_their_checks_and_build_what_is_shipped(tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").partition(".")[0]) < 20:
        pytest.skip(f"the tools of the pages need node 20 or newer, this is {version.stdout}")
    work = tmp_path / "work"
    shutil.copytree(FRONTEND, work)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    got = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if got.returncode and re.search(
        r"E(NOTFOUND|AI_AGAIN|CONN\w+|TIMEDOUT|HOSTUNREACH)", got.stderr
    ):
        pytest.skip("the registry of packages cannot be reached")
    assert got.returncode == 0, got.stderr
    for script in (["check"], ["build", "--", str(tmp_path / "built")]):
        done = subprocess.run(
            [npm, "run", *script], cwd=work, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    built = json.loads((tmp_path / "built" / "built.json").read_text())
    assert built == LIST
