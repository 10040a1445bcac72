"""The code blocks of the documentation run; docs/howto/docs.md says how a block is marked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(
        page
        for page in (ROOT / "docs").rglob("*.md")
        if not {"_build", "api", "states"} & set(page.relative_to(ROOT).parts)
    ),
]
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\w+)\n(?P<code>.*?)^(?P=fence)$", re.M | re.S)
MARK = re.compile(r"<!-- (?P<verb>run|skip|file)(?:: (?P<what>[^\n]+))? -->\n\Z")
COMMAND = re.compile(r"(?:.*\\\n)*.*\n")  # a line, with those that a backslash joins to it
RUNNABLE = frozenset({"python", "console", "bash", "sh"})
TIMEOUT_S = 100


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block and the comment before it."""

    place: str
    language: str
    code: str
    verb: str
    what: str


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of `page` in their order."""
    text, blocks = page.read_text(), []
    for found in FENCE.finditer(text):
        mark = MARK.search(text[: found.start()])
        place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
        verb, what = (mark["verb"], mark["what"] or "") if mark else ("", "")
        blocks.append(Block(place, found["language"], found["code"], verb, what))
    return blocks


def _page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_page_name)
def test_every_block_says_whether_it_runs(page: Path) -> None:
    bare = [b.place for b in blocks_of(page) if b.language in RUNNABLE and not b.verb]
    assert not bare, "put <!-- run --> or <!-- skip: reason --> before these blocks"


@pytest.mark.parametrize("page", PAGES, ids=_page_name)
def test_a_block_that_is_skipped_says_why(page: Path) -> None:
    assert not [b.place for b in blocks_of(page) if b.verb in {"skip", "file"} and not b.what]


PROGRESS = re.compile(r"^[\d,]+ of [\d,]+ (?:drops|tasks) \(\d+ %\).*\n", flags=re.M)
WITH_CODE = [page for page in PAGES if any(b.verb == "run" for b in blocks_of(page))]


@pytest.mark.parametrize("page", WITH_CODE, ids=_page_name)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DLG_ROOT", "DLG_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "graphs").symlink_to(ROOT / "graphs")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(page):
        if block.verb == "file":
            file = tmp_path / block.what
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code)
        elif block.verb == "run" and block.language == "python":
            exec(compile(block.code, block.place, "exec"), names)
        elif block.verb == "run":
            _run_console(block)


def _run_console(block: Block) -> None:
    """Run the commands of `block` and compare what they print with what it shows."""
    wanted_code = int(block.what.removeprefix("exit ")) if block.what else 0
    commands = _commands(block.code)
    for number, (command, shown) in enumerate(commands):
        done = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        last = number == len(commands) - 1
        assert done.returncode == (wanted_code if last else 0), f"{block.place}\n{done.stdout}"
        if shown:
            printed = PROGRESS.sub("", done.stdout)  # only runs on a slow machine show it
            assert _matches(shown, printed), f"{block.place} printed\n{printed}"


def _commands(code: str) -> list[tuple[str, str]]:
    """Return each command after a dollar sign with the output shown for it."""
    if not code.startswith("$ "):
        return [(code, "")]
    commands = []
    for part in re.split(r"^\$ ", code, flags=re.M)[1:]:
        command = COMMAND.match(part)
        assert command is not None
        commands.append((command[0], part[command.end() :]))
    return commands


def _matches(shown: str, printed: str) -> bool:
    """Return whether `printed` is what is `shown`, where three dots stand for anything."""
    pattern = ".*".join(re.escape(part) for part in _plain(shown).split("..."))
    return re.fullmatch(pattern, _plain(printed), re.S) is not None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def test_shown_output_is_compared_and_dots_stand_for_anything() -> None:
    assert _matches("a ... d\nlast\n", "a b\nc d\nlast")
    assert not _matches("a\n", "b\n")
    assert _commands("$ echo a \\\n  b\na b\n$ true\n") == [
        ("echo a \\\n  b\n", "a b\n"),
        ("true\n", ""),
    ]


def test_the_picture_of_the_tutorial_graph_shows_all_its_nodes() -> None:
    nodes = json.loads((ROOT / "graphs/tutorial/tutorial.graph").read_text())["nodeDataArray"]
    picture = (ROOT / "docs/_static/tutorial.svg").read_text()
    missing = [node["name"] for node in nodes if escape(node["name"]) not in picture]
    assert not missing, "dlg draw graphs/tutorial/tutorial.graph -o docs/_static/tutorial.svg"
