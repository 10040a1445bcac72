"""What the tools of dlg.droputils do with what drops hold."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.drop_loaders import load_binary, load_dill, load_utf8, save_binary
from dlg.droputils import (
    DROPFile,
    allDropContents,
    copyDropContents,
    has_path,
    listify,
    load_npy,
    load_pickle,
    replace_dataurl_placeholders,
    replace_path_placeholders,
    save_npy,
    save_pickle,
)
from dlg.exceptions import DaliugeException, UnexpectedEventError, UsageError


def _completed(content: bytes) -> InMemoryDROP:
    drop = InMemoryDROP("a", "a")
    drop.write(content)
    drop.setCompleted()
    return drop


def _file(uid: str, folder: Path) -> FileDROP:
    return FileDROP(uid, uid, filepath=str(folder / f"{uid}.dat"))


def test_a_file_of_a_drop_reads_it_in_pieces() -> None:
    with DROPFile(_completed(b"abcdef")) as file:
        assert [file.read(4), file.read(4), file.read(4)] == [b"abcd", b"ef", b""]


def test_a_file_of_a_drop_keeps_it_open_until_it_is_closed() -> None:
    drop = _completed(b"x")
    file = DROPFile(drop)
    assert drop.isBeingRead()
    file.close()
    assert not drop.isBeingRead()


def test_a_closed_file_of_a_drop_reads_no_more() -> None:
    file = DROPFile(_completed(b"x"))
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_a_file_of_a_drop_lets_go_when_nobody_has_it_any_more() -> None:
    drop = _completed(b"x")
    file = DROPFile(drop)
    del file
    assert not drop.isBeingRead()


def test_a_drop_that_is_not_complete_has_no_file() -> None:
    with pytest.raises(UnexpectedEventError, match="INITIALIZED"):
        DROPFile(InMemoryDROP("a", "a"))


def test_all_contents_are_all_bytes() -> None:
    assert allDropContents(_completed(b"abc" * 100_000), bufsize=7) == b"abc" * 100_000


def test_copying_appends_all_bytes_of_one_drop_to_another(tmp_path: Path) -> None:
    target = _file("b", tmp_path)
    target.write(b"0")
    copyDropContents(_completed(b"123456789"), target, bufsize=2)
    target.setCompleted()
    assert allDropContents(target) == b"0123456789"


def test_an_object_comes_back_from_its_pickle(tmp_path: Path) -> None:
    drop = _file("a", tmp_path)
    save_pickle(drop, {"a": [1, 2]})
    drop.setCompleted()
    assert load_pickle(drop) == {"a": [1, 2]}
    assert pickle.loads(allDropContents(drop)) == {"a": [1, 2]}


def test_an_array_comes_back_from_npy_and_the_drop_knows_its_size(tmp_path: Path) -> None:
    drop, array = _file("a", tmp_path), np.arange(6.0).reshape(2, 3)
    save_npy(drop, array)
    drop.setCompleted()
    assert np.array_equal(load_npy(drop), array)
    assert drop.size == Path(drop.path).stat().st_size > array.nbytes


def test_an_array_of_objects_needs_leave_to_be_pickled(tmp_path: Path) -> None:
    drop, array = _file("a", tmp_path), np.array([{}, None], dtype=object)
    with pytest.raises(DaliugeException, match="npy"):
        save_npy(drop, array)
    save_npy(drop, array, allow_pickle=True)
    drop.setCompleted()
    with pytest.raises(DaliugeException, match="npy"):
        load_npy(drop)
    assert load_npy(drop, allow_pickle=True).tolist() == [{}, None]


def test_bytes_and_texts_are_read_as_they_are() -> None:
    drop = InMemoryDROP("a", "a")
    save_binary(drop, "ä".encode())
    drop.setCompleted()
    assert (load_binary(drop), load_utf8(drop)) == ("ä".encode(), "ä")


def test_a_dill_is_read_like_a_pickle() -> None:
    assert load_dill(_completed(pickle.dumps({1, 2}))) == {1, 2}


def test_paths_take_the_place_of_their_marks(tmp_path: Path) -> None:
    one, two = _file("a", tmp_path), _file("b", tmp_path)
    command = replace_path_placeholders("cp %i0 %o[b] %i[a]", [one], [two])
    assert command == f"cp {one.path} {two.path} {one.path}"


def test_urls_take_the_place_of_their_marks(tmp_path: Path) -> None:
    one, two = InMemoryDROP("a", "a"), _file("b", tmp_path)
    command = replace_dataurl_placeholders("%iDataURL0 %oDataURL[b] %i0", [one], [two])
    assert command == f"{one.dataURL} {two.dataURL} %i0"


@pytest.mark.parametrize("command", ["%i1", "%o0", "%i[c]"])
def test_a_mark_for_a_drop_that_is_not_there_is_refused(command: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="%"):
        replace_path_placeholders(command, [_file("a", tmp_path)], [])


def test_files_have_a_path_and_memory_has_none(tmp_path: Path) -> None:
    assert has_path(_file("a", tmp_path))
    assert not has_path(InMemoryDROP("a", "a"))


def test_anything_can_be_made_a_list() -> None:
    same = [1]
    assert listify(same) is same
    assert (listify((1, 2)), listify("ab"), listify(None)) == ([1, 2], ["ab"], [None])
