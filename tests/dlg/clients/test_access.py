"""How a client finds its token and the certificate it trusts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dlg.clients import NodeManagerClient, find_access
from dlg.exceptions import UsageError
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate, server_context
from dlg.support.cluster_file import ClusterFile, ClusterFileError, write_cluster_file

TOKEN = "a-token-of-many-letters"


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("DLG_CLUSTER", "DLG_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def file(config: Path) -> ClusterFile:
    tls = new_certificate("night")
    return write_cluster_file(config / "cluster.toml", "night", new_pair(), tls)


@contextmanager
def listening(file: ClusterFile | None) -> Iterator[int]:
    """Something on loopback that takes one connection: of a manager of a cluster, or of none."""
    context = None if file is None else server_context(file.path)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                link, _ = server.accept()
                link.settimeout(20)
                with link:
                    if context is None:
                        link.recv(100)
                    else:
                        context.wrap_socket(link, server_side=True).close()

        thread = threading.Thread(target=take)
        thread.start()
        yield server.getsockname()[1]
        thread.join(30)


def test_where_nothing_is_set_nothing_is_shown() -> None:
    access = find_access("head", 8001)
    assert (access.token, access.tls) == ("", None)


def test_the_file_in_the_default_place_gives_token_and_certificate(file: ClusterFile) -> None:
    access = find_access("head", 8001)
    assert access.token == file.token
    assert access.tls is not None
    assert NodeManagerClient("head").link.token == file.token


def test_on_loopback_the_token_is_shown_to_a_manager_of_the_cluster_only(
    file: ClusterFile, tmp_path: Path
) -> None:
    with listening(file) as port:
        assert find_access("127.0.0.1", port).token == file.token
    with listening(None) as port:
        assert find_access("127.0.0.1", port).token == ""
    other = write_cluster_file(tmp_path / "b", "b", new_pair(), new_certificate("b"))
    with listening(other) as port:
        assert find_access("127.0.0.1", port).token == ""


def test_what_is_named_goes_before_what_is_found(
    file: ClusterFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_TOKEN", TOKEN)
    assert find_access("head", 1).token == TOKEN
    other = write_cluster_file(tmp_path / "other", "other", new_pair())
    assert find_access("head", 1, cluster=other.path).token == other.token
    monkeypatch.setenv("DLG_CLUSTER", str(other.path))
    assert find_access("127.0.0.1", 1).token == other.token
    (tmp_path / "token").write_text(TOKEN)
    assert find_access("head", 1, token_file=tmp_path / "token").token == TOKEN


def test_a_certificate_of_the_managers_own_can_be_named(file: ClusterFile) -> None:
    access = find_access("head", 1, certificate=file.path)
    assert access.tls is not None
    assert access.tls.check_hostname
    with pytest.raises(UsageError, match="cannot be used as a certificate"):
        find_access("head", 1, certificate=Path("/none"))


def test_a_file_that_cannot_be_used_is_told(file: ClusterFile) -> None:
    file.path.chmod(0o644)
    with pytest.raises(ClusterFileError, match="chmod 600"):
        NodeManagerClient("head")


def test_no_token_is_in_what_a_client_shows_of_itself(file: ClusterFile) -> None:
    client = NodeManagerClient("head")
    assert file.token not in f"{client.link!r} {find_access('head', 1)!r}"
