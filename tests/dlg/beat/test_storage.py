from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from dlg.beat.algorithm import Storage as AlgorithmStorage
from dlg.beat.dataformat import Storage as FormatStorage
from dlg.beat.hash import toUserPath
from dlg.beat.storage import (
    File,
    Prefix,
    extension_for_language,
    hashed_or_simple,
    safe_rmdir,
    safe_rmfile,
)
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.small import NUMBER, declare


@pytest.mark.parametrize(
    "name", ["", "me", "me/number", "me/number/1/2", "../number/1", "me//1", "me/./1", "me/\0/1"]
)
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidAssetError, match="invalid dataformat name"):
        FormatStorage(str(tmp_path), name)


def test_programs_for_the_existing_packages_catch_a_wrong_name() -> None:
    with pytest.raises(RuntimeError):
        FormatStorage("prefix", "me")


def test_a_name_has_parts(tmp_path: Path) -> None:
    storage = FormatStorage(str(tmp_path), "me/number/1")
    assert (storage.username, storage.name, storage.version) == ("me", "number", "1")
    assert storage.fullname == "me/number/1"
    assert storage.path == str(tmp_path / "dataformats/me/number/1")
    assert storage.json.path == storage.path + ".json"


def test_a_sharded_file_goes_before_a_plain_one(tmp_path: Path) -> None:
    declare(tmp_path, "dataformats", "me/number/1", NUMBER)
    plain = FormatStorage(str(tmp_path), "me/number/1").json.path
    sharded = toUserPath("me")
    declare(tmp_path, f"dataformats/{sharded.removesuffix('/me')}", "me/number/1", NUMBER)
    found = FormatStorage(str(tmp_path), "me/number/1").json.path
    assert plain == str(tmp_path / "dataformats/me/number/1.json")
    assert found == str(tmp_path / "dataformats" / sharded / "number/1.json")
    assert hashed_or_simple(str(tmp_path), "dataformats", "me/number/1") == found


def test_saving_keeps_what_was_there_before(tmp_path: Path) -> None:
    storage = FormatStorage(str(tmp_path), "me/number/1")
    storage.save("{}", "first")
    storage.save('{"a": "int8"}', "second")
    assert storage.load() == ('{"a": "int8"}', "second")
    assert Path(storage.json.path + "~").read_text() == "{}"
    assert Path(storage.doc.path + "~").read_text() == "first"


def test_saving_leaves_nothing_else_and_others_may_read(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    file = File(str(tmp_path / "new" / "file"))
    file.save("x")
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["file"]
    assert stat.S_IMODE(Path(file.path).stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_removing_an_asset_removes_its_folder_if_that_is_empty(tmp_path: Path) -> None:
    storage = AlgorithmStorage(str(tmp_path), "me/scale/1", "python")
    storage.save("{}", "pass", "said")
    storage.save("{}", "pass", "said again")
    storage.remove()
    assert not (tmp_path / "algorithms/me/scale").exists()
    assert (tmp_path / "algorithms/me").exists()


def test_the_language_of_code_is_the_declared_one(tmp_path: Path) -> None:
    declare(tmp_path, "algorithms", "me/scale/1", {"language": "r"}, "1", ".r")
    storage = AlgorithmStorage(str(tmp_path), "me/scale/1")
    assert storage.language == "r"
    assert storage.exists()
    assert storage.load() == ('{"language": "r"}', b"1", None)


@pytest.mark.parametrize("declaration", ["{", "[]", '{"language": ["r"]}', '{"language": "x"}'])
def test_without_a_language_there_is_no_code(tmp_path: Path, declaration: str) -> None:
    declare(tmp_path, "algorithms", "me/scale/1", declaration, "pass")
    storage = AlgorithmStorage(str(tmp_path), "me/scale/1")
    assert storage.language == "unknown"
    assert not storage.exists()
    assert storage.load() == (declaration, None, None)


def test_code_is_part_of_a_hash_and_a_description_is_not(tmp_path: Path) -> None:
    declaration = {"language": "python", "description": "said"}
    declare(tmp_path, "algorithms", "me/scale/1", declaration, "pass")
    alone = hashlib.sha256(b'{"language": "python"}').hexdigest()
    code = hashlib.sha256(b"pass").hexdigest()
    both = hashlib.sha256(f'{{"code":{code},"declaration":{alone}}}'.encode()).hexdigest()
    storage = AlgorithmStorage(str(tmp_path), "me/scale/1")
    assert storage.hash() == both
    storage.code.remove()
    assert AlgorithmStorage(str(tmp_path), "me/scale/1").hash() == alone


def test_a_hash_of_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FormatStorage(str(tmp_path), "me/number/1").hash()


def test_a_format_is_hashed_without_its_own_description(tmp_path: Path) -> None:
    declare(tmp_path, "dataformats", "me/a/1", {"x": "int8"})
    declare(tmp_path, "dataformats", "me/b/1", {"#description": "said", "x": "int8"})
    one, other = (FormatStorage(str(tmp_path), f"me/{name}/1") for name in "ab")
    assert one.hash() == other.hash()


def test_a_file_that_is_not_there_can_be_tried(tmp_path: Path) -> None:
    file = File(str(tmp_path / "none"))
    assert file.try_load() is None
    file.backup()
    with pytest.raises(FileNotFoundError):
        file.load()


def test_binary_files_are_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff")
    assert File(str(tmp_path / "file"), binary=True).load() == b"\xff"


def test_several_folders_are_searched_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/file").write_text("")
    prefix = Prefix(str(tmp_path / "a"))
    prefix.add(str(tmp_path / "b"))
    assert prefix.path("file") == str(tmp_path / "b/file")
    assert prefix.path("none") == str(tmp_path / "a/none")
    with pytest.raises(InvalidAssetError, match="no folder"):
        Prefix().path("file")


def test_only_known_languages_have_an_ending() -> None:
    assert extension_for_language("cxx") == ".so"
    with pytest.raises(KeyError):
        extension_for_language("cobol")


def test_what_is_gone_can_be_removed_again(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text(json.dumps(NUMBER))
    for _ in range(2):
        safe_rmfile(tmp_path / "folder/file")
        safe_rmdir(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
