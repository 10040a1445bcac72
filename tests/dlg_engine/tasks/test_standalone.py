"""One task by itself, as a configuration file describes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.apps.job_types import UnknownTaskTypeError
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.settings import value_of
from dlg_engine.tasks.standalone import (
    launch_standalone,
    read_configuration,
    read_input_metadata,
)
from dlg_engine.tasks.states import AttemptState
from tests.dlg_engine.cli.conftest import Dlg, dlg

__all__ = ["dlg"]  # a fixture
JOIN = "[task]\ntask = concatenate\n[inputs]\none = a\ntwo = b\n[outputs]\nall = joined\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "task.ini"
    file.write_text(text)
    return file


@pytest.fixture
def join(tmp_path: Path) -> Path:
    (tmp_path / "a").write_text("first ")
    (tmp_path / "b").write_text("second")
    return write(tmp_path, JOIN)


def test_its_outputs_are_written_and_its_inputs_stay(join: Path, tmp_path: Path) -> None:
    found = launch_standalone(join, tmp_path / "results")
    assert found.state is AttemptState.PASSED
    assert found.outputs == {"all": tmp_path / "results/joined"}
    assert found.outputs["all"].read_text() == "first second"
    assert (tmp_path / "a").exists()


def test_sections_are_settings_with_settings_in_them(tmp_path: Path) -> None:
    text = '[task]\ntask = values\nSize = 2\nname = "7"\ntwice = (2 * 21)\n[star]\nmass = 1.5\n'
    found = read_configuration(write(tmp_path, text))
    assert found.settings == {"Size": 2, "name": "7", "twice": 42, "star": {"mass": 1.5}}
    told = launch_standalone(write(tmp_path, text)).metadata
    assert told["star"] == {"mass": 1.5}


def test_a_task_that_fails_is_a_result(tmp_path: Path) -> None:
    found = launch_standalone(write(tmp_path, "[task]\ntask = error\nmessage = clouds\n"))
    assert found.state is AttemptState.FAILED
    assert "TaskFailedError: clouds" in (found.error_text or "")


def test_what_is_beside_an_input_is_its_metadata(tmp_path: Path) -> None:
    file = tmp_path / "a.gz"
    assert read_input_metadata(file) == {}
    (tmp_path / "a.gz.metadata.cfg").write_text("[star]\nperiod = 3.5\nname = Kepler-10\n")
    assert read_input_metadata(file) == {"period": 3.5, "name": "Kepler-10"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[inputs]\nx = y\n", "there is no `task` in a section"),
        ("[task]\nno type\n", "no type"),
        ("[task]\ntask = null\n[inputs]\nx = missing\n", "there is no file"),
        ("[task]\ntask = null\n[outputs]\nx = ../out\n", "is no name of a file"),
    ],
)
def test_a_file_that_describes_no_task_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TaskSystemError, match=reason):
        launch_standalone(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TaskSystemError, match="No such file"):
        read_configuration(tmp_path / "missing.ini")


def test_a_type_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskTypeError, match="nobody_knows"):
        launch_standalone(write(tmp_path, "[task]\ntask = nobody_knows\n"))


def test_from_the_command_line_it_prints_what_was_told(dlg: Dlg, join: Path) -> None:
    done = dlg("tasks", "standalone", str(join), "-o", "out")
    assert (done.exit_code, done.stdout) == (0, "wrote all to out/joined\n")
    join.write_text("[task]\ntask = error\n")
    bad = dlg("tasks", "standalone", str(join))
    assert bad.exit_code == 1
    assert "the task is failed" in bad.stderr


@given(st.one_of(st.integers(), st.floats(allow_nan=False)))
def test_numbers_in_settings_are_numbers(number: float) -> None:
    found = value_of(repr(number))
    assert (found, type(found)) == (number, type(number))
