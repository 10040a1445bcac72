"""Settings, types of tasks, constants, directories."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dlg_engine.tasks.constants import EASConstants
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.settings import Settings, TaskSettingsError, write_settings_file
from dlg_engine.tasks.task_types import Resources, TaskTypeList, TaskTypesError
from dlg_engine.tasks.temporary_directory import TemporaryDirectory

REGISTRY = """<registry>
  <containers>
    <container><name>base</name><resourceRequirements>
      <cpu>1.5</cpu><gpu>0</gpu><memory_gb>4</memory_gb></resourceRequirements></container>
    <container><name>tls</name></container>
  </containers>
  <tasks>
    <task><name>null</name><container>all</container></task>
    <task><name>search</name><container>tls</container></task>
  </tasks>
</registry>"""


def test_local_settings_win_over_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "configuration").mkdir()
    (tmp_path / "configuration" / "a.conf").write_text(
        "# installation\ndb_host: a.example:99  # of the institute\nmq_port: 5673\n\n"
    )
    write_settings_file(
        tmp_path / "data" / "datadir_local" / "local_settings_x.conf",
        {"db_passwd": "0123", "mq_port": 1},
    )
    info = Settings(tmp_path).installation_info
    assert (info["db_host"], info["db_passwd"], info["mq_port"]) == ("a.example:99", "0123", 1)
    assert info["db_engine"] == "sqlite3"
    assert Settings(tmp_path).settings["dataPath"] == str(tmp_path / "data" / "datadir_output")


def test_a_line_without_a_value_is_named(tmp_path: Path) -> None:
    (tmp_path / "configuration").mkdir()
    (tmp_path / "configuration" / "a.conf").write_text("a: 1\nnonsense\n")
    with pytest.raises(TaskSettingsError, match="a.conf:2"):
        Settings(tmp_path)


def test_a_registry_of_types_is_read(tmp_path: Path) -> None:
    (tmp_path / "types.xml").write_text(REGISTRY)
    types = TaskTypeList.read_from_xml(tmp_path / "types.xml")
    assert types.worker_containers == {"base": Resources(1.5, 0, 4.0), "tls": Resources()}
    assert types.task_type_names() == ["null", "search"]
    assert types.worker_container_names() == ["base", "tls"]
    assert types.containers_for_task("null") == ["base", "tls"]
    assert types.tasks_for_container("base") == ["null"]
    with pytest.raises(NoSuchEntryError):
        types.containers_for_task("none")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        REGISTRY.replace("<name>null</name>", ""),
        REGISTRY.replace("1.5", "many"),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + REGISTRY,
    ],
)
def test_what_is_no_registry_is_refused_with_the_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "types.xml").write_text(text)
    with pytest.raises(TaskTypesError, match="types.xml"):
        TaskTypeList.read_from_xml(tmp_path / "types.xml")


def test_a_type_names_containers_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "types.xml").write_text(REGISTRY.replace(">tls</container>", ">other</container>"))
    with pytest.raises(NoSuchEntryError, match="'other'"):
        TaskTypeList.read_from_xml(tmp_path / "types.xml")


def test_two_temporary_directories_are_never_the_same(tmp_path: Path) -> None:
    with TemporaryDirectory(tmp_path) as a, TemporaryDirectory(tmp_path) as b:
        assert a.tmp_dir != b.tmp_dir
        assert stat.S_IMODE(Path(a.tmp_dir).stat().st_mode) == 0o700
        (Path(a.tmp_dir) / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_constants_agree_with_each_other() -> None:
    constants = EASConstants()
    ratio = constants.earth_radius / constants.jupiter_radius
    assert ratio == pytest.approx(constants.Rearth, rel=2e-3)
    assert (constants.day, constants.month, constants.year) == (1, 28, 365.25)
