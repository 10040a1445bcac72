"""How a manager is protected: what follows from files, settings and where it listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg.rpc.curve import new_pair
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg_engine.daemon.security import find_security

TOKEN = "a-token-of-many-letters"


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("DLG_CLUSTER", "DLG_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def file(tmp_path: Path) -> ClusterFile:
    return write_cluster_file(tmp_path / "named.toml", "night", new_pair())


@pytest.fixture
def enrolled(config: Path) -> ClusterFile:
    return write_cluster_file(config / "cluster.toml", "night", new_pair())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_nothing_is_needed_and_nothing_asked(host: str) -> None:
    security = find_security(host)
    security.check(host)
    assert (security.token, security.keys, security.certificate) == ("", None, None)


def test_on_loopback_the_file_in_the_default_place_is_left_alone(enrolled: ClusterFile) -> None:
    assert find_security("127.0.0.1").token == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "head", ""])
def test_beyond_loopback_something_is_needed(host: str) -> None:
    with pytest.raises(UsageError, match="dlg keys new.*--insecure"):
        find_security(host).check(host)
    find_security(host, insecure=True).check(host)


def test_beyond_loopback_the_file_in_the_default_place_is_found(enrolled: ClusterFile) -> None:
    security = find_security("0.0.0.0")
    security.check("0.0.0.0")
    assert (security.cluster, security.token) == ("night", enrolled.token)
    assert security.keys is not None
    assert security.keys.secret.decode() == enrolled.curve_secret


def test_a_file_that_is_named_holds_on_loopback_too(
    file: ClusterFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_security("127.0.0.1", cluster=file.path).token == file.token
    monkeypatch.setenv("DLG_CLUSTER", str(file.path))
    assert find_security("127.0.0.1").token == file.token


def test_a_token_alone_makes_the_keys_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN)
    named = find_security("0.0.0.0", token_file=tmp_path / "token")
    named.check("0.0.0.0")
    monkeypatch.setenv("DLG_TOKEN", TOKEN)
    found = find_security("0.0.0.0")
    assert named.token == found.token == TOKEN
    assert named.keys == found.keys
    assert named.keys is not None


def test_a_token_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLG_TOKEN", "secret")
    with pytest.raises(UsageError, match="DLG_TOKEN: a token of less than 16 letters"):
        find_security("0.0.0.0")


def test_what_contradicts_itself_is_refused(file: ClusterFile, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is --insecure"):
        find_security("0.0.0.0", cluster=file.path, insecure=True)
    with pytest.raises(UsageError, match="leave --token-file out"):
        find_security("0.0.0.0", cluster=file.path, token_file=tmp_path / "token")
    with pytest.raises(UsageError, match="without its certificate"):
        find_security("127.0.0.1", certificate=(None, tmp_path / "key"))


def test_a_certificate_of_its_own_goes_before_that_of_the_cluster(
    file: ClusterFile, tmp_path: Path
) -> None:
    own = (tmp_path / "cert", tmp_path / "key")
    security = find_security("0.0.0.0", cluster=file.path, certificate=own)
    assert (security.certificate, security.key) == own


def test_other_managers_are_protected_in_the_same_way_by_its_arguments(
    file: ClusterFile, tmp_path: Path
) -> None:
    assert find_security("127.0.0.1").arguments() == []
    assert find_security("0.0.0.0", insecure=True).arguments() == ["--insecure"]
    named = find_security("0.0.0.0", cluster=file.path)
    assert named.arguments() == ["--cluster", str(file.path)]
    (tmp_path / "token").write_text(TOKEN)
    own = (tmp_path / "cert", tmp_path / "key")
    token = find_security("0.0.0.0", token_file=tmp_path / "token", certificate=own)
    assert token.arguments() == [
        "--token-file", str(tmp_path / "token"), "--cert", str(own[0]), "--key", str(own[1]),
    ]  # fmt: skip


def test_no_secret_is_in_what_it_shows_of_itself(file: ClusterFile) -> None:
    security = find_security("0.0.0.0", cluster=file.path)
    shown = f"{security!r} {security.secrets()!r}"
    assert file.token not in shown
    assert file.curve_secret not in shown
