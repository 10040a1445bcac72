"""How a manager is protected: by the file of a cluster, by a token, or by being on loopback."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from dlg import settings
from dlg.exceptions import UsageError
from dlg.http.site import LOOPBACK
from dlg.rpc.contract import Keys
from dlg.rpc.curve import keys_from_token, keys_of
from dlg.support.certificates import client_context, server_context
from dlg.support.cluster_file import (
    ClusterFile,
    check_token,
    find_cluster_file,
    read_cluster_file,
    read_token,
)
from dlg_engine.managers.node import Secrets


@dataclass(frozen=True, kw_only=True)
class Security:
    """What a manager shares with the others of its cluster; nothing of it without one."""

    cluster: str = ""
    """The name of the cluster."""
    file: Path | None = None
    token_file: Path | None = None
    token: str = field(default="", repr=False)
    keys: Keys | None = field(default=None, repr=False)
    certificate: Path | None = None
    """The certificate for REST; None for no TLS there."""
    key: Path | None = None
    pinned: str = field(default="", repr=False)
    """The certificate of the cluster (PEM), which clients trust."""
    insecure: bool = False
    """Whether it may listen beyond this host though nobody has to show who he is."""

    def arguments(self) -> list[str]:
        """Return the arguments that protect another manager in the same way."""
        if self.insecure:
            found = ["--insecure"]
        elif self.file is not None:
            found = ["--cluster", str(self.file.absolute())]
        elif self.token_file is not None:
            found = ["--token-file", str(self.token_file.absolute())]
        else:
            found = []  # a token of the environment is there too
        if self.certificate is not None and self.certificate != self.file:
            found += ["--cert", str(self.certificate.absolute())]
            found += ["--key", str(self.key.absolute())] if self.key else []
        return found

    def client_tls(self) -> ssl.SSLContext | None:
        """Return what trusts the REST of managers that are protected in the same way."""
        if self.certificate is None:
            return None
        if self.certificate == self.file:
            return client_context(self.pinned)
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def check(self, host: str) -> None:
        """Raise UsageError if a manager that listens at `host` would be open to anybody."""
        if host not in LOOPBACK and not self.token and not self.insecure:
            raise UsageError(
                f"{host} can be reached from other hosts, and whoever reaches a manager can run "
                "programs on this one. Make the file of a cluster with  dlg keys new NAME  and "
                "copy it to each host; or add --insecure if nobody else is on the network"
            )

    def secrets(self) -> Secrets:
        """Return what the nodes of the cluster need to talk to each other."""
        server: ssl.SSLContext | None = None
        client: ssl.SSLContext | None = None
        if self.file is not None and self.pinned:
            client = client_context(self.pinned)
            try:
                server = server_context(self.file)
            except ValueError as error:
                raise UsageError(f"{self.file} cannot be used for TLS: {error}") from error
        return Secrets(
            token=self.token, keys=self.keys, tls_server=server, tls_client=client,
            trusting=self.insecure,
        )  # fmt: skip


def find_security(
    host: str,
    *,
    cluster: Path | None = None,
    token_file: Path | None = None,
    certificate: tuple[Path | None, Path | None] = (None, None),
    insecure: bool = False,
) -> Security:
    """Return how a manager that listens at `host` is protected.

    On loopback that is only by what was named, here or in the settings; elsewhere also by the file
    of a cluster in the default place. `certificate` is one for REST alone, and its key. Raises
    UsageError for files that cannot be used, and for more than one answer.
    """
    own, key = certificate
    if key is not None and own is None:
        raise UsageError("a key is given without its certificate")
    now = settings.current()
    if insecure:
        if cluster is not None or token_file is not None:
            raise UsageError("with a cluster or a token nothing is --insecure: leave one out")
        return Security(certificate=own, key=key, insecure=True)
    if token_file is not None and cluster is not None:
        raise UsageError("the file of a cluster has a token: leave --token-file out")
    named = cluster or (None if token_file else now.cluster)
    if named is None and (token_file or now.token):
        token = read_token(token_file) if token_file else now.token
        check_token(token, "DLG_TOKEN")
        keys = keys_from_token(token)
        return Security(token=token, token_file=token_file, keys=keys, certificate=own, key=key)
    if named is not None:
        return _of_cluster(read_cluster_file(named), own, key)
    found = None if host in LOOPBACK else find_cluster_file()
    if found is None:
        return Security(certificate=own, key=key)
    return _of_cluster(found, own, key)


def _of_cluster(file: ClusterFile, certificate: Path | None, key: Path | None) -> Security:
    if certificate is None and file.tls_on_rest:
        certificate = file.path  # its key stands in the same file
    return Security(
        cluster=file.name,
        file=file.path,
        token=file.token,
        keys=keys_of(file.curve_public, file.curve_secret),
        certificate=certificate,
        key=key,
        pinned=file.certificate,
    )
