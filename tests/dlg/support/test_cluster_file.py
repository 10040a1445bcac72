from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dlg.support.cluster_file import (
    ClusterFile,
    ClusterFileError,
    default_path,
    find_cluster_file,
    read_cluster_file,
    read_token,
    write_cluster_file,
)

CURVE = ("p" * 40, "s" * 40)


@pytest.fixture(autouse=True)
def _no_cluster_of_this_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("DLG_CLUSTER", raising=False)


@pytest.fixture
def made(tmp_path: Path) -> ClusterFile:
    return write_cluster_file(tmp_path / "keys" / "cluster.toml", "night", CURVE)


def changed(made: ClusterFile, old: str, new: str) -> Path:
    text = made.path.read_text()
    assert old in text
    made.path.write_text(text.replace(old, new))
    return made.path


def test_a_file_is_read_as_it_was_written(made: ClusterFile) -> None:
    assert read_cluster_file(made.path) == made
    assert (made.name, made.curve_public, made.curve_secret) == ("night", *CURVE)
    assert len(made.token) > 40
    assert (made.certificate, made.tls_on_rest) == ("", False)


def test_only_its_owner_may_read_it(made: ClusterFile) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    made.path.chmod(0o640)
    with pytest.raises(ClusterFileError, match=r"others can read this file \(mode 0640\).*chmod"):
        read_cluster_file(made.path)


def test_no_secret_is_in_what_it_shows_of_itself(made: ClusterFile) -> None:
    shown = f"{made!r} {made} {made.fingerprint}"
    assert made.token not in shown
    assert made.curve_secret not in shown


def test_each_cluster_has_another_token_and_fingerprint(tmp_path: Path) -> None:
    one, two = (write_cluster_file(tmp_path / name, "night", CURVE) for name in "ab")
    assert one.token != two.token
    assert one.fingerprint != two.fingerprint


def test_a_file_that_is_there_is_not_written_over(made: ClusterFile) -> None:
    before = made.path.read_text()
    with pytest.raises(ClusterFileError, match="is there already"):
        write_cluster_file(made.path, "other", CURVE)
    assert made.path.read_text() == before


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "x" * 64, 'a"', "a\nb", "ä"])
def test_what_cannot_be_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClusterFileError, match="cannot be the name of a cluster"):
        write_cluster_file(tmp_path / "cluster.toml", name, CURVE)
    assert not (tmp_path / "cluster.toml").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "night"', "name = 3", "Expected `str`, got `int` - at `\\$.name`"),
        ('name = "night"', "", "missing required field `name`"),
        ('name = "night"', 'name = "night"\ncolour = "red"', "unknown field `colour`"),
        ('name = "night"', 'name = "a b"', "cannot be the name"),
        ("[curve]", "[curve", "Expected"),
        ("p" * 40, "p" * 39, "a CURVE key has 40 letters"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    made: ClusterFile, old: str, new: str, told: str
) -> None:
    path = changed(made, old, new)
    with pytest.raises(
        ClusterFileError, match=rf"cluster\.toml is no file of a cluster: .*{told}"
    ):
        read_cluster_file(path)


def test_a_certificate_that_is_none_is_told(made: ClusterFile) -> None:
    with made.path.open("a") as file:
        file.write('[tls]\ncertificate = "mine"\nkey = "mine"\n')
    with pytest.raises(ClusterFileError, match="its certificate is none"):
        read_cluster_file(made.path)


def test_a_short_token_is_refused_without_being_told(made: ClusterFile) -> None:
    path = changed(made, made.token, "hunter2")
    with pytest.raises(ClusterFileError, match="a token of less than 16 letters") as caught:
        read_cluster_file(path)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterFileError, match="No such file.*dlg keys new"):
        read_cluster_file(tmp_path / "none")


def test_where_nobody_named_a_file_the_default_place_is_looked_at(tmp_path: Path) -> None:
    assert find_cluster_file() is None
    path = tmp_path / "config" / "cluster.toml"
    assert default_path() == path
    made = write_cluster_file(path, "night", CURVE)
    assert find_cluster_file() == made


def test_what_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cluster_file(tmp_path / "config" / "cluster.toml", "night", CURVE)
    with pytest.raises(ClusterFileError, match="No such file"):
        find_cluster_file(tmp_path / "none")
    monkeypatch.setenv("DLG_CLUSTER", str(tmp_path / "other"))
    assert default_path() == tmp_path / "other"
    with pytest.raises(ClusterFileError, match="No such file"):
        find_cluster_file()


def test_a_token_in_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-of-many-letters\n")
    assert read_token(file) == "a-token-of-many-letters"
    file.write_text("two words in one file")
    with pytest.raises(ClusterFileError, match="one word"):
        read_token(file)
    with pytest.raises(ClusterFileError, match="No such file"):
        read_token(tmp_path / "none")


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_a_service_may_read_what_root_hands_to_its_group(
    made: ClusterFile, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """So are secrets in containers, and credentials of systemd."""
    handed_by_root(made, monkeypatch, mode)
    assert read_cluster_file(made.path).token == made.token


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o660])
def test_what_everybody_may_read_or_the_group_may_change_is_refused_though_root_hands_it(
    made: ClusterFile, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    handed_by_root(made, monkeypatch, mode)
    with pytest.raises(ClusterFileError, match="others can read this file"):
        read_cluster_file(made.path)


def handed_by_root(made: ClusterFile, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    """Let the file be one of root's and this process none of his, whoever runs the tests."""
    made.path.chmod(mode)
    real = os.fstat

    def of_root(descriptor: int) -> os.stat_result:
        return os.stat_result([0 if i == 4 else part for i, part in enumerate(real(descriptor))])

    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    monkeypatch.setattr(os, "fstat", of_root)
