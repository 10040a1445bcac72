from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dlg.exceptions import UsageError
from dlg_engine.cli.lifecycle_options import lifecycle_of, lifecycle_options
from dlg_engine.lifecycle.options import LifecycleOptions


def read(*arguments: str) -> LifecycleOptions:
    found: list[LifecycleOptions] = []

    @click.command()
    @lifecycle_options
    def command(**how: Any) -> None:
        found.append(lifecycle_of(how))

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return found[0]


def test_by_default_data_expires_and_nothing_is_copied() -> None:
    assert read() == LifecycleOptions(check_period_s=10, cleanup_period_s=30)


def test_the_options_of_the_existing_system_are_taken() -> None:
    found = read("--dlm-check-period", "1", "--dlm-cleanup-period", "2.5", "--no-dlm")
    assert found == LifecycleOptions(check_period_s=1, cleanup_period_s=2.5, enabled=False)


def test_replicas_are_kept_in_the_root_directory_unless_another_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    assert read("--dlm-enable-replication").replicas == tmp_path / "replicas"
    assert read("--replica-dir", str(tmp_path / "tape")).replicas == tmp_path / "tape"


def test_replicas_without_anybody_who_makes_them_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no replicas either"):
        read("--no-dlm", "--replica-dir", str(tmp_path))


@pytest.mark.parametrize("period", ["0", "-1", "soon"])
def test_a_period_is_a_number_of_seconds(period: str) -> None:
    with pytest.raises(click.BadParameter):
        read("--dlm-check-period", period)
