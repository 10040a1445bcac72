"""Tests of dlg.settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg import settings
from dlg.settings import Settings, SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_without_a_file_and_an_environment_there_are_defaults(file: Path) -> None:
    assert settings.load({}, file) == Settings()
    assert Settings().root == Path.home() / "dlg"


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(file: Path) -> None:
    file.write_text('root = "/from/file"\nworkers = 3\nlog_level = "info"\n')
    loaded = settings.load({"DLG_WORKERS": "5"}, file)
    assert loaded == Settings(root=Path("/from/file"), workers=5, log_level="INFO")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert settings.load({"DLG_ROOT": "", "DLG_WORKERS": ""}) == Settings()


def test_a_home_directory_is_expanded() -> None:
    assert settings.load({"DLG_PATH": "~/code"}).path == Path.home() / "code"


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "OFF"])
def test_false_is_false(text: str) -> None:
    assert not settings.load({"DLG_CHECKSUMS": text}).checksums


def test_the_old_switch_for_checksums_works() -> None:
    assert not settings.load({"DLG_DISABLE_CHECKSUM": "1"}).checksums


@pytest.mark.parametrize(
    ("name", "text"),
    [("CHECKSUMS", "perhaps"), ("WORKERS", "many"), ("WORKERS", "-1"), ("LOG_LEVEL", "loud")],
)
def test_an_ill_typed_variable_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"DLG_{name}.*{text}"):
        settings.load({f"DLG_{name}": text})


@pytest.mark.parametrize("line", ["workers = true", "workers = 1.5", "root = 3", 'root = ""'])
def test_an_ill_typed_value_in_the_file_is_refused_with_the_file(file: Path, line: str) -> None:
    file.write_text(line)
    with pytest.raises(SettingsError, match=r"config\.toml: (workers|root)"):
        settings.load({}, file)


def test_a_misspelt_setting_gets_a_suggestion(file: Path) -> None:
    file.write_text("worker = 3")
    with pytest.raises(SettingsError, match="did you mean 'workers'"):
        settings.load({}, file)


def test_an_unknown_setting_gets_the_list_of_known_ones(file: Path) -> None:
    file.write_text("flavour = 3")
    with pytest.raises(SettingsError, match="known are root, path"):
        settings.load({}, file)


def test_a_file_that_is_not_toml_is_refused(file: Path) -> None:
    file.write_text("root: here")
    with pytest.raises(SettingsError, match=r"config\.toml"):
        settings.load({}, file)


def test_the_settings_of_the_process_follow_its_environment(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("workers = 7")
    monkeypatch.setenv("DLG_CONFIG_DIR", str(file.parent))
    monkeypatch.setenv("DLG_ROOT", "/some/where")
    assert settings.current() == Settings(root=Path("/some/where"), workers=7)


def test_the_file_is_looked_for_in_the_users_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DLG_CONFIG_DIR", raising=False)
    assert settings.current().workers == 0


def test_variables_are_those_of_the_prefix_and_always_the_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DLG_ROOT", raising=False)
    monkeypatch.setenv("DLG_X", "1")
    monkeypatch.setenv("OTHER", "2")
    found = settings.variables()
    assert found["DLG_X"] == "1"
    assert found["DLG_ROOT"] == str(Path.home() / "dlg")
    assert "OTHER" not in found
    assert settings.environment()["OTHER"] == "2"


def test_a_token_is_shown_to_no_program_and_to_no_parameter(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setenv("DLG_CONFIG_DIR", str(file.parent))
    monkeypatch.setenv("DLG_TOKEN", "a-token-of-many-letters")
    assert settings.current().token == "a-token-of-many-letters"
    for shown in (settings.environment(), settings.variables(), settings.current()):
        assert "a-token" not in repr(shown)


def test_a_token_that_is_none_is_refused_without_being_told() -> None:
    with pytest.raises(SettingsError, match="DLG_TOKEN: one word is expected") as caught:
        settings.load({"DLG_TOKEN": "hunter2\n"})
    assert "hunter2" not in str(caught.value)
