"""What a client shows to a manager, and which certificate it takes for the manager's.

Both come from what was named, from the settings (`DLG_CLUSTER`, `DLG_TOKEN`), or from the file of
the cluster in its default place.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from dlg import settings
from dlg.exceptions import UsageError
from dlg.support.certificates import client_context
from dlg.support.cluster_file import (
    ClusterFile,
    check_token,
    find_cluster_file,
    read_cluster_file,
    read_token,
)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PEEK_S = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """A token, and what trusts the certificate of a manager; neither where none is needed."""

    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None


def find_access(
    host: str,
    port: int,
    *,
    cluster: Path | None = None,
    token_file: Path | None = None,
    certificate: Path | None = None,
) -> Access:
    """Return how to talk to the manager at a host and port.

    `certificate` is that of the manager or of who has signed it, for managers with one of their
    own. Raises UsageError for files that cannot be used.
    """
    now = settings.current()
    own = None if certificate is None else _trusting(certificate)
    named = cluster or (None if token_file else now.cluster)
    if named is not None:
        return _of(read_cluster_file(named), own)
    token = read_token(token_file) if token_file else now.token
    if token:
        check_token(token, "DLG_TOKEN")
        return Access(token, own)
    found = None if own else find_cluster_file()
    if found is None:
        return Access("", own)
    access = _of(found, own)
    if host in LOOPBACK and access.tls is not None and not _shows(host, port, access.tls):
        # A manager of this host alone, or nobody: the token is not for him, and not needed.
        return Access()
    return access


def _of(file: ClusterFile, own: ssl.SSLContext | None) -> Access:
    if own is None and file.tls_on_rest:
        own = client_context(file.certificate)
    return Access(file.token, own)


def _trusting(certificate: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(certificate))
    except (OSError, ValueError) as error:
        raise UsageError(f"{certificate} cannot be used as a certificate: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _shows(host: str, port: int, context: ssl.SSLContext) -> bool:
    """Return whether what listens there shows the certificate that is trusted."""
    try:
        with socket.create_connection((host, port), timeout=PEEK_S) as link:
            context.wrap_socket(link, server_hostname=host).close()
    except OSError:  # it speaks no TLS, has another certificate, or is not there
        return False
    return True
