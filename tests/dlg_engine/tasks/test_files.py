"""Files of products, their verification, and quality control."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.support.content import hash_of
from dlg_engine.tasks import file_store
from dlg_engine.tasks.errors import (
    DamagedFileError,
    EntryExistsError,
    NoSuchEntryError,
    TaskSystemError,
    VerdictError,
)
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.temporary_directory import TemporaryDirectory

Tasks = TaskDatabaseConnection


def _maker(tasks: Tasks, files: int = 1, **options: object) -> tuple[int, list[int]]:
    task = tasks.task_register(task_type="make", working_directory="d", **options)  # type: ignore[arg-type]
    return task, [
        tasks.file_product_register(task, "d", f"{task}-{n}.lc.gz", f"lc{n}") for n in range(files)
    ]


def _run(tasks: Tasks, task: int, tmp_path: Path, *contents: bytes) -> tuple[int, list[int]]:
    """Run an attempt that makes a file with each of the contents."""
    number = tasks.execution_attempt_register(task)
    tasks.execution_attempt_update(number, is_running=True)
    attempt = tasks.execution_attempt_lookup(number)
    assert attempt is not None
    versions = []
    for place, content in enumerate(contents):
        (tmp_path / "made").write_bytes(content)
        versions.append(
            tasks.execution_attempt_register_output(
                attempt, f"lc{place}", tmp_path / "made", {"n": place}
            )
        )
    return number, versions


def _state(tasks: Tasks, task: int) -> str:
    found = tasks.task_lookup(task)
    assert found is not None
    return str(found.state)


def test_a_file_goes_into_the_store_with_its_hashes(tasks: Tasks, tmp_path: Path) -> None:
    task, (product,) = _maker(tasks)
    attempt, (number,) = _run(tasks, task, tmp_path, b"light")
    version = tasks.file_version_lookup(number)
    assert version is not None
    assert version.content_hash == hash_of(b"light")
    assert version.file_md5 == "2ac43aa43bf473f9a9c09b4b608619d3"
    assert (version.file_size, version.passed_qc) == (5, None)
    assert version.metadata["n"].value == 0
    assert len(str(version.repository_id)) == 32
    assert str(version.repository_id).endswith(".gz")
    path = tasks.file_version_path_for_id(number, must_exist=True)
    assert path is not None
    assert Path(path).read_bytes() == b"light"
    assert tasks.file_version_path_for_id(number, full_path=False) == f"d/{version.repository_id}"
    assert not (tmp_path / "made").exists()
    assert tasks.execution_attempt_fetch_output_files(attempt) == {"lc0": version}
    assert tasks.file_version_by_product(product) == [number]
    assert not tasks.file_version_exists_in_file_system(10_000)


def test_an_original_is_preserved_if_one_says_so(lite: Tasks, tmp_path: Path) -> None:
    task, (product,) = _maker(lite)
    attempt = lite.execution_attempt_register(task)
    (tmp_path / "mine").write_text("x")
    lite.file_version_register(product, attempt, tmp_path / "mine", preserve=True)
    assert (tmp_path / "mine").exists()


def test_an_attempt_makes_a_product_once(tasks: Tasks, tmp_path: Path) -> None:
    task, (product,) = _maker(tasks)
    attempt, _ = _run(tasks, task, tmp_path, b"a")
    (tmp_path / "b").write_text("b")
    with pytest.raises(EntryExistsError, match="already"):
        tasks.file_version_register(product, attempt, tmp_path / "b")
    assert (tmp_path / "b").exists()
    assert len([f for f in (tmp_path / "store").rglob("*") if f.is_file()]) == 1
    with pytest.raises(FileNotFoundError):
        tasks.file_version_register(product, attempt, tmp_path / "not there")


def test_an_input_is_opened_when_it_has_passed(tasks: Tasks, tmp_path: Path) -> None:
    maker, (product,) = _maker(tasks)
    file = tasks.file_product_lookup(product)
    assert file is not None
    user = tasks.task_lookup(tasks.task_register(task_type="search", input_files={"in": file}))
    assert user is not None
    first, (old,) = _run(tasks, maker, tmp_path, b"old")
    with TemporaryDirectory(tmp_path) as work:
        with pytest.raises(NoSuchEntryError, match="passed by quality control"):
            tasks.task_open_file_input(user, "in", work)
        path, _ = tasks.task_open_file_input(user, "in", work, must_have_passed_qc=False)
        assert Path(path).read_bytes() == b"old"
        tasks.execution_attempt_update(first, is_finished=True)
        tasks.file_version_update(old, passed_qc=True)
        path, metadata = tasks.task_open_file_input(user, "in", work)
        assert Path(path).name == file.filename
        assert metadata["n"].value == 0
        with pytest.raises(NoSuchEntryError, match="it has in"):
            tasks.task_open_file_input(user, "out", work)
    assert not Path(work.tmp_dir).exists()


@pytest.mark.parametrize("damage", [b"oke", b"longer", b"", None])
def test_a_damaged_file_is_not_served(damage: bytes | None, lite: Tasks, tmp_path: Path) -> None:
    maker, (product,) = _maker(lite)
    file = lite.file_product_lookup(product)
    assert file is not None
    user = lite.task_lookup(lite.task_register(task_type="search", input_files={"in": file}))
    _, (number,) = _run(lite, maker, tmp_path, b"old")
    lite.file_version_verify(number)
    path = Path(str(lite.file_version_path_for_id(number)))
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(DamagedFileError):
        lite.file_version_verify(number)
    assert user is not None
    with TemporaryDirectory(tmp_path) as work, pytest.raises(DamagedFileError):
        lite.task_open_file_input(user, "in", work, must_have_passed_qc=False)


def test_a_new_file_of_a_version_has_to_be_judged_anew(tasks: Tasks, tmp_path: Path) -> None:
    task, _ = _maker(tasks)
    _, (number,) = _run(tasks, task, tmp_path, b"old")
    before = tasks.file_version_path_for_id(number)
    tasks.file_version_update(number, passed_qc=True, metadata={"a": 1})
    (tmp_path / "new").write_bytes(b"newer")
    tasks.file_version_update(number, tmp_path / "new")
    version = tasks.file_version_lookup(number)
    assert version is not None
    assert (version.file_size, version.passed_qc) == (5, None)
    tasks.file_version_verify(number)
    assert not Path(str(before)).exists()


def test_files_go_with_their_entries(tasks: Tasks, tmp_path: Path) -> None:
    task, (product, _) = _maker(tasks, files=2)
    attempt, versions = _run(tasks, task, tmp_path, b"a", b"b")
    paths = [Path(str(tasks.file_version_path_for_id(number))) for number in versions]
    tasks.file_version_delete(versions[0])
    assert [path.exists() for path in paths] == [False, True]
    assert tasks.file_product_exists_in_db(product)
    tasks.execution_attempt_delete(attempt)
    assert not paths[1].exists()
    assert not tasks.file_version_exists_in_db(versions[1])
    tasks.file_product_delete(product)
    assert not tasks.file_product_exists_in_db(product)


def test_names_are_unique_in_a_namespace(tasks: Tasks) -> None:
    for space in ("first run", "second run"):
        task = tasks.task_register(task_type="make", namespace=space)
        tasks.file_product_register(task, "d", "a.lc", "lc")
        with pytest.raises(EntryExistsError, match="product already"):
            tasks.file_product_register(task, "d", "a.lc", "other")
    assert len(tasks.file_product_by_filename("d", "a.lc", "second run")) == 1
    assert tasks.file_product_by_filename("d", "A.lc", "second run") == []
    assert tasks.file_product_by_filename("d", "a.lc") == []


@pytest.mark.parametrize(
    ("directory", "name"),
    [("..", "a"), ("/etc", "a"), ("d", "../a"), ("d", ""), ("a/../..", "b"), ("d", "a/b")],
)
def test_no_file_leaves_the_store(lite: Tasks, directory: str, name: str) -> None:
    task = lite.task_register(task_type="make")
    with pytest.raises(TaskSystemError):
        lite.file_product_register(task, directory, name, "lc")


def test_products_can_be_changed(tasks: Tasks) -> None:
    task = tasks.task_register(task_type="make")
    product = tasks.file_product_register(task, "d", "a", "lc", 5.0, "text/plain", {"a": 1})
    tasks.file_product_update(product, mime_type="image/png", metadata={"b": 2})
    found = tasks.file_product_lookup(product)
    assert found is not None
    assert (found.planned_time, found.mime_type) == (5.0, "image/png")
    assert {key: item.value for key, item in found.metadata.items()} == {"a": 1, "b": 2}
    assert not tasks.file_product_has_been_created(product)


def test_an_attempt_is_passed_when_all_its_products_are(tasks: Tasks, tmp_path: Path) -> None:
    task, products = _maker(tasks, files=2)
    attempt, versions = _run(tasks, task, tmp_path, b"a", b"b")
    tasks.file_version_update(versions[0], passed_qc=True)
    tasks.execution_attempt_update(attempt, is_finished=True)
    found = tasks.execution_attempt_lookup(attempt)
    assert found is not None
    assert (found.state, found.all_products_passed_qc) == ("judging", None)
    with pytest.raises(VerdictError, match="not all"):
        tasks.execution_attempt_update(attempt, all_products_passed_qc=True)
    tasks.file_version_update(versions[1], passed_qc=True)
    found = tasks.execution_attempt_lookup(attempt)
    assert found is not None
    assert (found.state, found.all_products_passed_qc) == ("passed", True)
    assert _state(tasks, task) == "done"
    assert all(tasks.file_product_has_passed_qc(product) for product in products)


def test_one_refused_product_rejects_the_attempt(tasks: Tasks, tmp_path: Path) -> None:
    task, (product, _) = _maker(tasks, files=2)
    attempt, versions = _run(tasks, task, tmp_path, b"a", b"b")
    tasks.execution_attempt_update(attempt, is_finished=True)
    tasks.file_version_update(versions[0], passed_qc=False)
    found = tasks.execution_attempt_lookup(attempt)
    assert found is not None
    assert (found.state, found.all_products_passed_qc) == ("rejected", False)
    assert _state(tasks, task) == "failed"
    assert not tasks.file_product_has_passed_qc(product)


def test_a_failed_attempt_is_never_passed(tasks: Tasks, tmp_path: Path) -> None:
    task, _ = _maker(tasks)
    attempt, (version,) = _run(tasks, task, tmp_path, b"a")
    tasks.execution_attempt_update(attempt, error_fail=True, error_text="clouds")
    tasks.file_version_update(version, passed_qc=True)
    with pytest.raises(VerdictError, match="failed"):
        tasks.execution_attempt_update(attempt, all_products_passed_qc=True)
    found = tasks.execution_attempt_lookup(attempt)
    assert found is not None
    assert (found.state, found.error_fail, found.error_text) == ("failed", True, "clouds")
    assert found.all_products_passed_qc is None


@given(
    timestamp=st.floats(0, 2e9), name=st.from_regex(r"[a-z]{1,5}(\.[a-z]{0,40})?", fullmatch=True)
)
def test_names_in_the_store_have_32_characters(timestamp: float, name: str) -> None:
    assert len(file_store.name_for(timestamp, name, 1, "x")) == 32


def test_names_in_the_store_tell_when(tmp_path: Path) -> None:
    name = TaskDatabaseConnection.file_version_get_hash(1795217932, "x.tar.gz", 1)
    assert name.startswith("20261120_233852_")
    assert name.endswith(".gz")
    (tmp_path / "a").write_bytes(b"abc")
    md5 = TaskDatabaseConnection.file_version_get_md5_hash(tmp_path / "a")
    assert md5 == "900150983cd24fb0d6963f7d28e17f72"
