"""Views of databases, and the units that are made of their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.beat.cache_files import CacheError, load_data_index_db
from dlg.beat.data import foundSplitRanges
from dlg.beat.database import Database, Runner, View
from dlg.beat.views import DatabaseOutputDataSource, ViewError
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.peer.make_file_vectors import VIEW, write

VECTORS = json.loads((Path(__file__).parent / "vectors" / "files.json").read_text())
OUTPUTS = ("value", "label", "class")


def _database(root: Path, rows: Any, code: str = VIEW) -> Database:
    write(root / "dataformats/u/t/1.json", '{"text": "string"}')
    sets = [{"name": "all", "outputs": dict.fromkeys(OUTPUTS, "u/t/1")}]
    write(root / "protocoltemplates/t/1.json", json.dumps({"schema_version": 1, "sets": sets}))
    view = {"view": "Rows", "parameters": {"rows": json.dumps(rows)}}
    protocol = {"name": "p", "template": "t/1", "views": {"all": view}}
    declared = {"schema_version": 2, "root_folder": "/none", "protocols": [protocol]}
    write(root / "databases/d/1.json", json.dumps(declared))
    write(root / "databases/d/1.py", code.format(package="dlg.beat"))
    return Database(str(root), "d/1")


def _runner(root: Path, rows: Any, *limits: int, code: str = VIEW, pack: bool = True) -> Runner:
    database = _database(root, rows, code)
    assert not database.errors
    index = str(root / "cache/ab/x.db")
    database.view("p", "all").index(index)
    runner = database.view("p", "all")
    start, end = limits or (None, None)
    runner.setup(index, start, end, pack)
    return runner


@pytest.mark.parametrize("number", range(len(VECTORS["databases"])))
def test_index_and_units_are_those_of_the_existing_packages(tmp_path: Path, number: int) -> None:
    case = VECTORS["databases"][number]
    runner = _runner(tmp_path, case["rows"])
    assert (tmp_path / "cache/ab/x.db").read_text() == case["file"]
    units = {
        name: [[bytes(data or b"").hex(), start, end] for data, start, end in source]
        for name, source in runner.data_sources.items()
    }
    assert units == case["units"]
    assert load_data_index_db(str(tmp_path / "cache"), "ab/x.db") == case["lists"]


ROWS = [[i, f"L{i // 4}", i // 2] for i in range(12)]


def test_units_may_be_objects(tmp_path: Path) -> None:
    runner = _runner(tmp_path, ROWS, pack=False)
    data: Any = runner.data_sources["label"][2][0]
    assert data.text == json.dumps("L2")
    assert runner.data_sources["label"].packed(2)[0] == data.pack()
    assert len(runner.objects()) == 12


@settings(max_examples=20)
@given(st.integers(1, 5))
def test_the_ranges_of_a_set_have_together_what_the_set_has(
    tmp_path_factory: pytest.TempPathFactory, count: int
) -> None:
    root = tmp_path_factory.mktemp("split")
    whole = {name: list(source) for name, source in _runner(root, ROWS).data_sources.items()}
    lists = load_data_index_db(str(root / "cache"), "ab/x.db")
    assert lists is not None
    found: dict[str, list[Any]] = {name: [] for name in OUTPUTS}
    for start, end in foundSplitRanges(lists, count):
        runner = _runner(root, ROWS, start, end)
        assert [row.value for row in runner.objects()] == list(range(start, end + 1))
        for name, source in runner.data_sources.items():
            assert source.first_data_index() == start
            assert source.last_data_index() == end
            found[name] += source
    assert found == whole


def test_a_view_whose_get_fails_is_told_as_the_caller_wants(tmp_path: Path) -> None:
    code = VIEW.replace("        row = self.objs[index]", "        1 / 0")
    database = _database(tmp_path, ROWS, code)
    index = str(tmp_path / "x.db")
    database.view("p", "all").index(index)
    runner = database.view("p", "all", exc=KeyError)
    with pytest.raises(KeyError, match="call setup"):
        runner.get("value", 0)
    runner.setup(index)
    with pytest.raises(KeyError, match="division by zero"):
        runner.data_sources["value"][0]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "NoneType and not a list"),
        ("(x for x in [])", "generator and not a list"),
        ("[3]", "a row is a named tuple, not 3"),
        ("[dict(value=object())]", "cannot be kept as JSON"),
    ],
)
def test_rows_that_are_none_are_not_kept(tmp_path: Path, returned: str, told: str) -> None:
    code = VIEW.replace("[Row(*row) for row in rows]", returned)
    database = _database(tmp_path, ROWS, code)
    with pytest.raises(RuntimeError, match=told):
        database.view("p", "all").index(str(tmp_path / "x.db"))
    assert not (tmp_path / "x.db").exists()


def test_rows_may_have_numbers_of_numpy(tmp_path: Path) -> None:
    code = VIEW.replace("Row(*row)", "Row(__import__('numpy').int64(row[0]), *row[1:])")
    runner = _runner(tmp_path, ROWS, code=code)
    assert len(runner.data_sources["value"]) == 12


def test_rows_without_a_column_for_an_output_are_told(tmp_path: Path) -> None:
    code = VIEW.replace('"label", "kind"]', '"other", "kind"]')
    with pytest.raises(ViewError, match="no column 'label' for the output label"):
        _runner(tmp_path, ROWS, code=code)


def test_data_of_another_format_are_the_views_mistake(tmp_path: Path) -> None:
    code = VIEW.replace('{{"text": json.dumps(row[output])}}', '{{"nothing": 1}}')
    runner = _runner(tmp_path, ROWS, code=code)
    with pytest.raises(AttributeError, match="missing|unexpected"):
        runner.data_sources["value"][0]


@pytest.mark.parametrize("content", ["[{}, {}", '[{"a b": 1}]', '{"a": 1}'])
def test_an_index_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    runner = _database(tmp_path, ROWS).view("p", "all")
    (tmp_path / "x.db").write_text(content)
    with pytest.raises(CacheError, match=r"x\.db"):
        runner.setup(str(tmp_path / "x.db"))
    with pytest.raises(FileNotFoundError, match="was not indexed"):
        runner.setup(str(tmp_path / "nowhere.db"))


def test_an_empty_set_has_no_units(tmp_path: Path) -> None:
    runner = _runner(tmp_path, [])
    assert [len(source) for source in runner.data_sources.values()] == [0, 0, 0]


def test_a_set_is_run_from_another_folder_if_that_is_said(tmp_path: Path) -> None:
    database = _database(tmp_path, ROWS)
    assert database.view("p", "all").root_folder == "/none"
    assert database.view("p", "all", root_folder="/other").root_folder == "/other"
    for wrong in (("p", "zz"), ("zz", "all")):
        with pytest.raises(KeyError):
            database.view(*wrong)


def test_code_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        _database(tmp_path, ROWS, "import nowhere_to_be_found").view("p", "all")
    with pytest.raises(RuntimeError, match="nowhere_to_be_found"):
        _database(tmp_path, ROWS, "import nowhere_to_be_found").view("p", "all", RuntimeError)
    with pytest.raises(ViewError, match="no view of the name Rows"):
        _database(tmp_path, ROWS, "x = 1").view("p", "all")
    (tmp_path / "databases/d/1.py").unlink()
    with pytest.raises(InvalidAssetError):
        Database(str(tmp_path), "d/1").view("p", "all")


def test_the_base_of_views_keeps_rows_and_does_no_more() -> None:
    view = View()
    for ask in (lambda: view.index("", {}), lambda: view.get("value", 0)):
        with pytest.raises(NotImplementedError):
            ask()
    view.setup("root", {}, [1, 2, 3, 4], 1, 2)
    assert (view.objs, view.start_index, view.end_index) == ([2, 3], 1, 2)
    view.setup("root", {"a": 1}, [1, 2, 3])
    assert (view.objs, view.start_index, view.end_index) == ([1, 2, 3], 0, 2)
    assert view.get_output_mapping("class") == "class"


def test_a_source_that_was_closed_asks_nobody(tmp_path: Path) -> None:
    source = _runner(tmp_path, ROWS).data_sources["value"]
    source.close()
    assert source[0] == (None, None, None)
    unset = DatabaseOutputDataSource()
    with pytest.raises(ViewError, match="never set up"):
        unset._ask("value", 0)
