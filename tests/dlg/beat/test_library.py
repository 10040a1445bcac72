from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.beat.library import Library, LibraryCache
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.small import declare, fill


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    fill(tmp_path)
    return str(tmp_path)


def errors_of(prefix: str, declaration: Any, **how: Any) -> list[str]:
    return Library(prefix, (declaration, "pass"), **how).errors


def test_a_library_runs_with_what_it_uses(prefix: str) -> None:
    tools = Library(prefix, "me/tools/1")
    assert tools.valid
    assert list(tools.libraries) == ["me/base/1"]
    assert tools.load().twice(3) == 6


def test_the_prototype_is_valid_python(prefix: str) -> None:
    made = Library(prefix, None)
    assert made.valid
    assert made.language == "python"
    compile(made.code or "", "prototype", "exec")


def test_paths_of_code_are_told_by_import_names(prefix: str) -> None:
    uses = Library(prefix, "me/tools/1").uses_dict()
    assert uses == {"base": {"path": f"{prefix}/libraries/me/base/1.py", "uses": {}}}


@pytest.mark.parametrize(
    "declaration",
    [
        {"uses": {}},
        {"language": "python", "more": 1},
        {"language": "python", "uses": {"a b": "me/base/1"}},
    ],
)
def test_the_holes_of_the_schema_are_closed(prefix: str, declaration: Any) -> None:
    assert len(errors_of(prefix, declaration)) == 1


def test_the_existing_packages_let_more_pass(prefix: str) -> None:
    assert errors_of(prefix, {"language": "python", "more": 1}, compat=True) == []
    lax = {"language": "python", "uses": {"a b": "me/base/1"}}
    assert errors_of(prefix, lax, compat=True) == []


@pytest.mark.parametrize("used", [3, None, [], "x", "../a/b/1"])
def test_what_passes_the_hole_and_is_no_name_is_an_error(prefix: str, used: Any) -> None:
    declaration = {"language": "python", "uses": {"a b": used}}
    assert len(errors_of(prefix, declaration, compat=True)) == 1


def test_a_missing_language_is_an_error_even_so(prefix: str) -> None:
    assert len(errors_of(prefix, {}, compat=True)) == 1


def test_code_that_is_not_there_is_an_error(prefix: str) -> None:
    declare(Path(prefix), "libraries", "me/bare/1", {"language": "python"})
    (error,) = Library(prefix, "me/bare/1").errors
    assert error == f"library code not found: {prefix}/libraries/me/bare/1.py"


def test_compiled_code_that_is_not_there_is_for_elsewhere(prefix: str) -> None:
    declare(Path(prefix), "libraries", "me/fast/1", {"language": "cxx"})
    fast = Library(prefix, "me/fast/1")
    assert fast.valid
    assert (fast.language, fast.code) == ("cxx", None)
    with pytest.raises(InvalidAssetError, match="cxx"):
        fast.load()


def test_the_existing_packages_take_python_in_its_place(prefix: str) -> None:
    declare(Path(prefix), "libraries", "me/fast/1", {"language": "cxx"})
    fast = Library(prefix, "me/fast/1", compat=True)
    assert (fast.valid, fast.language) == (True, "python")


def test_a_library_of_another_language_cannot_be_used(prefix: str) -> None:
    (error,) = errors_of(prefix, {"language": "r", "uses": {"base": "me/base/1"}})
    assert "`me/base/1' (`python')" in error
    assert "this library (`r')" in error


def test_libraries_that_use_each_other_are_found(prefix: str) -> None:
    for one, other in (("a", "b"), ("b", "a"), ("c", "c")):
        declaration = {"language": "python", "uses": {"x": f"me/{other}/1"}}
        declare(Path(prefix), "libraries", f"me/{one}/1", declaration, "pass")
    assert Library(prefix, "me/a/1").errors == ["referred library `me/b/1' (x) is not valid"]
    assert Library(prefix, "me/c/1").errors == ["recursion for library `me/c/1' detected"]


def test_an_invalid_library_tells_no_paths(prefix: str) -> None:
    declaration = {"language": "python", "uses": {"x": "me/none/1"}}
    declare(Path(prefix), "libraries", "me/a/1", declaration, "pass")
    with pytest.raises(InvalidAssetError, match="cannot use me/none/1"):
        Library(prefix, "me/a/1").uses_dict()


def test_a_library_that_was_loaded_is_used_again(prefix: str) -> None:
    cache: LibraryCache = {}
    tools = Library(prefix, "me/tools/1", cache)
    again = Library(prefix, ({"language": "python", "uses": {"t": "me/tools/1"}}, "pass"), cache)
    assert again.libraries == {"me/tools/1": tools}


def test_a_library_is_exported_with_what_it_uses(prefix: str, tmp_path: Path) -> None:
    Library(prefix, "me/tools/1").export(str(tmp_path / "other"))
    exported = Library(str(tmp_path / "other"), "me/tools/1")
    assert exported.valid
    assert exported.hash() == Library(prefix, "me/tools/1").hash()


def test_changing_the_language_changes_the_file(prefix: str) -> None:
    made = Library(prefix, ({"language": "python"}, "x <- 1\n"))
    with pytest.raises(InvalidAssetError, match="cobol is no language"):
        made.language = "cobol"
    made.name = "me/made/1"
    made.language = "r"
    made.write()
    assert (Path(prefix) / "libraries/me/made/1.r").read_text() == "x <- 1\n"
    assert Library(prefix, "me/made/1").code == b"x <- 1\n"


def test_writing_keeps_the_documentation(prefix: str) -> None:
    tools = Library(prefix, "me/tools/1")
    assert tools.documentation is None
    tools.documentation = "Long.\n"
    tools.description = "Short"
    tools.write()
    assert Library(prefix, "me/tools/1").documentation == "Long.\n"
    assert not Path(prefix, "libraries/me/tools/1.rst~").exists()
