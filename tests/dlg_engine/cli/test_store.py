"""`dlg run --reuse` and `dlg store`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MEMORY = "dlg.data.memory.InMemoryDROP"


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """Return a graph of an app that makes a large content and one that counts it."""
    specs = [
        {"oid": "f", "categoryType": "Application", "dropclass": FUNCTION, "name": "make",
         "func_code": "def f():\n    return b'x' * 100_000", "outputs": ["d"]},
        {"oid": "d", "categoryType": "Data", "dropclass": MEMORY},
        {"oid": "g", "categoryType": "Application", "dropclass": FUNCTION, "name": "count",
         "func_code": "def f(x):\n    return len(x)", "inputs": [{"d": "x"}], "outputs": ["e"]},
        {"oid": "e", "categoryType": "Data", "dropclass": MEMORY},
    ]  # fmt: skip
    (tmp_path / "one.json").write_text(json.dumps(specs))
    return "one.json"


@pytest.fixture
def filled(dlg: Any, graph: str) -> str:
    """Return the store of a run."""
    assert dlg("run", graph, "--reuse", "--store", "kept", "-q").exit_code == 0
    return "kept"


def flip(tmp_path: Path) -> None:
    """Change a bit of the only large content."""
    (path,) = (tmp_path / "kept" / "contents").glob("*/*")
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_the_summary_and_the_report_say_what_was_reused(dlg: Any, graph: str, filled: str) -> None:
    result = dlg("run", graph, "--reuse", "--store", filled, "--report", "report.json")
    assert "2 apps reused, not run" in result.output
    assert json.loads(Path("report.json").read_text())["reused"] == ["f", "g"]


def test_without_a_place_the_store_is_in_the_root_of_the_settings(
    dlg: Any, graph: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path / "root"))
    dlg("run", graph, "--reuse", "-q")
    assert "2 apps reused" in dlg("run", graph, "--reuse").output
    last = dlg("store", "ls").output.splitlines()[-1]
    assert last.startswith("2 entries, ")
    assert last.endswith(f" KiB, in {tmp_path / 'root' / 'store'}")


def test_ls_lists_what_is_kept(dlg: Any, filled: str) -> None:
    lines = dlg("store", "ls", "--store", filled).output.splitlines()
    assert any("97.7 KiB" in line and line.endswith("make") for line in lines)
    told = json.loads(dlg("store", "ls", "--store", filled, "--json").output)
    assert {entry["app"] for entry in told["entries"]} == {"make", "count"}


def test_a_flipped_byte_is_never_served_and_what_it_was_is_made_again(
    dlg: Any, graph: str, filled: str, tmp_path: Path
) -> None:
    flip(tmp_path)
    dlg("run", graph, "--reuse", "--store", filled, "--report", "report.json")
    report = json.loads(Path("report.json").read_text())
    assert "f" not in report["reused"]
    assert report["status"] == "FINISHED"
    assert dlg("store", "verify", "--store", filled).exit_code == 0  # it has been replaced
    dlg("run", graph, "--reuse", "--store", filled, "--report", "report.json")
    assert json.loads(Path("report.json").read_text())["reused"] == ["f", "g"]


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_a_flipped_byte_in_an_entry_is_never_served_either(
    dlg: Any, graph: str, filled: str, tmp_path: Path, place: int
) -> None:
    entries = sorted((tmp_path / filled / "entries").glob("*/*"))
    for path in entries:
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
    told = json.loads(dlg("store", "verify", "--store", filled, "--json").output)
    assert {damage["key"] for damage in told["damaged"]} == {path.name for path in entries}
    dlg("run", graph, "--reuse", "--store", filled, "--report", "report.json")
    assert json.loads(Path("report.json").read_text())["reused"] == []


def test_an_entry_that_was_only_half_written_is_no_hit(
    dlg: Any, graph: str, filled: str, tmp_path: Path
) -> None:
    for path in (tmp_path / filled).glob("*/*/*"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    dlg("run", graph, "--reuse", "--store", filled, "--report", "report.json")
    assert json.loads(Path("report.json").read_text())["reused"] == []


@pytest.mark.parametrize("command", ["ls", "verify", "gc"])
def test_looking_makes_no_store_of_another_directory(
    dlg: Any, tmp_path: Path, command: str
) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    result = dlg("store", command, "--store", str(place))
    assert result.exit_code == 2
    assert "mine is no store" in result.output
    assert list(place.iterdir()) == []


def test_verify_names_what_is_damaged_and_fails(dlg: Any, filled: str, tmp_path: Path) -> None:
    assert dlg("store", "verify", "--store", filled).exit_code == 0
    flip(tmp_path)
    told = json.loads(dlg("store", "ls", "--store", filled, "--json").output)
    (key,) = (entry["key"] for entry in told["entries"] if entry["app"] == "make")
    result = dlg("store", "verify", "--store", filled)
    assert result.exit_code == 1
    assert result.output.startswith(f"{key}: the content is another one")
    told = json.loads(dlg("store", "verify", "--store", filled, "--json").output)
    assert [damage["key"] for damage in told["damaged"]] == [key]


def test_what_is_damaged_is_not_used(dlg: Any, graph: str, filled: str, tmp_path: Path) -> None:
    flip(tmp_path)
    assert "1 app reused" in dlg("run", graph, "--store", filled, "--reuse").output
    assert dlg("store", "verify", "--store", filled).exit_code == 0


def test_gc_tells_what_would_go_and_then_lets_it_go(dlg: Any, filled: str) -> None:
    would = dlg("store", "gc", "--store", filled, "--max-age", "0s", "--dry-run").output
    assert would.startswith("2 entries and 0 leftovers would go: 98.")
    told = json.loads(dlg("store", "gc", "--store", filled, "--max-size", "0", "--json").output)
    assert (len(told["entries"]), told["contents"], told["kept"]) == (2, 1, 0)
    assert json.loads(dlg("store", "ls", "--store", filled, "--json").output)["entries"] == []


@pytest.mark.parametrize("text", ["10X", "many", "-1G", ""])
def test_a_size_that_is_none_is_refused(dlg: Any, filled: str, text: str) -> None:
    result = dlg("store", "gc", "--store", filled, "--max-size", text)
    assert result.exit_code == 2
    assert "is expected" in result.output


@pytest.mark.parametrize("command", ["ls", "verify", "gc"])
def test_looking_at_a_store_does_not_make_one(dlg: Any, command: str, tmp_path: Path) -> None:
    result = dlg("store", command, "--store", "nowhere")
    assert result.exit_code == 2
    assert "there is no store" in result.output
    assert not (tmp_path / "nowhere").exists()


def test_a_store_that_others_can_write_to_is_refused(
    dlg: Any, graph: str, filled: str, tmp_path: Path
) -> None:
    (tmp_path / filled).chmod(0o777)
    result = dlg("run", graph, "--reuse", "--store", filled)
    assert result.exit_code == 2
    assert "chmod go-w" in result.output
