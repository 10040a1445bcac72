from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dlg.support.cluster_file import read_cluster_file
from tests.dlg_engine.cli.conftest import Dlg


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("DLG_CLUSTER", raising=False)
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config" / "cluster.toml"


def test_a_new_file_is_in_the_default_place_for_its_owner_only(dlg: Dlg, config: Path) -> None:
    done = dlg("keys", "new", "night")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    file = read_cluster_file(config)
    assert (file.name, file.tls_on_rest) == ("night", True)
    assert "BEGIN CERTIFICATE" in file.certificate


def test_what_is_shown_is_the_same_again_and_has_no_secret(dlg: Dlg, config: Path) -> None:
    made, shown = dlg("keys", "new", "night"), dlg("keys", "show")
    assert shown.exit_code == 0
    assert shown.stdout == made.stdout
    file = read_cluster_file(config)
    assert f"fingerprint  {file.fingerprint}" in shown.stdout
    for secret in (file.token, file.curve_secret, file.curve_public, "PRIVATE"):
        assert secret not in made.output + shown.output


def test_a_file_can_be_elsewhere_and_without_encryption(dlg: Dlg, tmp_path: Path) -> None:
    done = dlg("keys", "new", "night", "--cluster", str(tmp_path / "mine"), "--no-tls")
    assert done.exit_code == 0
    file = read_cluster_file(tmp_path / "mine")
    assert (file.certificate, file.tls_on_rest) == ("", False)
    dlg("keys", "new", "night", "--cluster", str(tmp_path / "plain"), "--plain-rest")
    plain = read_cluster_file(tmp_path / "plain")
    assert plain.certificate
    assert plain.tls_on_rest is False


def test_a_file_that_is_there_is_kept(dlg: Dlg, config: Path) -> None:
    dlg("keys", "new", "night")
    before = config.read_bytes()
    done = dlg("keys", "new", "day")
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert config.read_bytes() == before


def test_where_there_is_no_file_it_is_told_how_to_make_one(dlg: Dlg) -> None:
    done = dlg("keys", "show")
    assert done.exit_code == 2
    assert "dlg keys new makes one" in done.stderr


def test_what_cannot_be_a_name_is_told_before_anything_is_made(dlg: Dlg, config: Path) -> None:
    done = dlg("keys", "new", "two words")
    assert done.exit_code == 2
    assert "cannot be the name of a cluster" in done.stderr
    assert not config.exists()
