"""`dlg repro verify`."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from dlg.testing.graphs import data

FUNCTION = "dlg.apps.python_function.PyFuncApp"
FILE = "dlg.data.file.FileDROP"


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """Return a graph that reads a file, writes one, and has a large value in memory."""
    (tmp_path / "in.txt").write_text("starlight" * 1000)
    specs: list[dict[str, Any]] = [
        {"oid": "in", "categoryType": "Data", "dropclass": FILE,
         "filepath": str(tmp_path / "in.txt")},
        {"oid": "copy", "categoryType": "Application", "dropclass": "dlg.apps.bash.BashShellApp",
         "command": "cat %i0 > %o0", "inputs": ["in"], "outputs": ["out"]},
        {"oid": "out", "categoryType": "Data", "dropclass": FILE, "filepath": "out.txt"},
        {"oid": "f", "categoryType": "Application", "dropclass": FUNCTION, "outputs": ["large"],
         "func_code": "def f():\n    return b'x' * 100_000", "name": "make"},
        data("large"),
    ]  # fmt: skip
    (tmp_path / "g.json").write_text(json.dumps(specs))
    return "g.json"


@pytest.fixture
def run(dlg: Any, graph: str) -> Path:
    """Return a run that has left everything that a run can leave."""
    how = ["--repro", "all", "--resumable", "--reuse", "--store", "kept", "--workdir", "runs"]
    assert dlg("run", graph, *how, "-q").exit_code == 0
    (found,) = Path("runs").iterdir()
    return found


def wrong(dlg: Any, run: Path) -> list[tuple[str, str]]:
    result = dlg("repro", "verify", str(run), "--json")
    found = [(w["drop"], w["what"]) for w in json.loads(result.output)["wrong"]]
    assert result.exit_code == bool(found)
    return found


def flip(path: Path, place: int) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_a_run_that_nobody_has_touched_is_as_it_was(dlg: Any, run: Path) -> None:
    result = dlg("repro", "verify", str(run))
    assert result.exit_code == 0
    assert "hashes computed again: all is as it was" in result.output
    assert "1 content is in no file" in result.output  # `large` is in memory
    assert dlg("repro", "verify", str(run / "reprodata.out")).exit_code == 0


@pytest.mark.parametrize("which", ["in", "out"])
def test_a_flipped_bit_in_a_file_is_found_and_named(dlg: Any, run: Path, which: str) -> None:
    path = Path("in.txt") if which == "in" else run / "out.txt"
    flip(path, 500)
    assert wrong(dlg, run) == [(which, "content")]
    result = dlg("repro", "verify", str(run))
    assert f"{which}   " in result.output.splitlines()[1]
    assert result.output.splitlines()[2].strip() == str(path.absolute())


def test_a_file_that_is_gone_is_named(dlg: Any, run: Path) -> None:
    (run / "out.txt").unlink()
    assert "it is not there any more" in dlg("repro", "verify", str(run)).output


def test_a_flipped_bit_in_what_is_in_memory_is_found_where_it_is_kept(dlg: Any, run: Path) -> None:
    (content,) = (run / ".run" / "data" / "contents").glob("*/*")
    flip(content, 500)
    assert wrong(dlg, run) == [("large", "content")]


def test_a_flipped_bit_in_the_store_is_found(dlg: Any, run: Path) -> None:
    (content,) = Path("kept/contents").glob("*/*")
    flip(content, 500)
    assert wrong(dlg, run) == [("make", "stored result")]


def test_a_flipped_bit_in_the_journal_is_found(dlg: Any, run: Path) -> None:
    flip(run / ".run" / "journal", 60)
    assert wrong(dlg, run) == [("", "journal")]


def test_any_flipped_bit_in_the_evidence_is_found(dlg: Any, run: Path) -> None:
    path = run / "reprodata.out"
    whole, chance = path.read_bytes(), random.Random(5)
    for _ in range(60):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        result = dlg("repro", "verify", str(run))
        assert result.exit_code in {1, 2}, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)


def test_what_was_changed_with_care_is_named_all_the_same(dlg: Any, run: Path) -> None:
    path = run / "reprodata.out"
    drops, about = json.loads(path.read_bytes())
    drops["copy"]["command"] = "cat %i0 %i0 > %o0"
    path.write_text(json.dumps([drops, about]))
    found = wrong(dlg, run)
    assert ("copy", "parameters") in found
    assert ("", "signature at REPEAT") in found
    assert ("", "signature at RERUN") not in found


def test_a_link_that_leads_elsewhere_is_another_signature(dlg: Any, run: Path) -> None:
    path = run / "reprodata.out"
    drops, about = json.loads(path.read_bytes())
    drops["f"]["outputs"], drops["copy"]["outputs"] = ["out"], ["large"]
    path.write_text(json.dumps([drops, about]))
    assert ("", "signature at RERUN") in wrong(dlg, run)


def test_a_run_that_has_left_nothing_is_the_users_mistake(dlg: Any, graph: str) -> None:
    dlg("run", graph, "--workdir", "plain", "-q")
    (found,) = Path("plain").iterdir()
    result = dlg("repro", "verify", str(found))
    assert result.exit_code == 2
    assert "has left nothing that could be verified" in result.output
