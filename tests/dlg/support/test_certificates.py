from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg.support.certificates import client_context, fingerprint, new_certificate, server_context


@pytest.fixture(scope="module")
def made() -> tuple[str, str]:
    return new_certificate("night")


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """Return what a client hears that trusts what a server shows."""
    left, right = socket.socketpair()
    for end in (left, right):
        end.settimeout(20)

    def serve() -> None:
        with server.wrap_socket(left, server_side=True) as link:
            link.sendall(b"hello")

    with ThreadPoolExecutor() as pool:
        serving = pool.submit(serve)
        try:
            with client.wrap_socket(right) as link:
                return link.recv(5)
        finally:
            right.close()
            serving.exception(20)
            left.close()


def test_who_trusts_a_certificate_talks_to_who_has_its_key(
    made: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "both"
    file.write_text(f'title = "text before"\ncertificate = """\n{made[0]}"""\n{made[1]}')
    assert shaken(server_context(file), client_context(made[0])) == b"hello"


def test_another_certificate_of_the_same_name_is_not_trusted(
    made: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "both"
    file.write_text("".join(new_certificate("night")))
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(server_context(file), client_context(made[0]))


def test_a_certificate_without_its_key_serves_nobody(
    made: tuple[str, str], tmp_path: Path
) -> None:
    for name, text in (("alone", made[0]), ("other", made[0] + new_certificate("night")[1])):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=r"\w"):
            server_context(tmp_path / name)


def test_what_is_no_certificate_is_not_trusted() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        client_context("mine")


def test_certificates_differ_in_their_fingerprints(made: tuple[str, str]) -> None:
    assert fingerprint(made[0]) == fingerprint(made[0])
    assert fingerprint(made[0]) != fingerprint(new_certificate("night")[0])


def test_without_openssl_it_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="program openssl is needed"):
        new_certificate("night")
