"""The file of a cluster: its name and its secrets. A host that has it belongs to the cluster.

It is TOML with a token for REST, a pair of CURVE keys for sockets of ZeroMQ, and perhaps a
certificate with its key. These stand in it as PEM blocks at the beginning of lines, so that
OpenSSL reads them from the file as it is: no secret ever lies in another file.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dlg import settings
from dlg.exceptions import UsageError
from dlg.support.certificates import fingerprint

FILE = "cluster.toml"
"""Its name in the user's configuration directory, where it is looked for."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
CURVE_KEY = 40
"""Letters of a CURVE key in the alphabet Z85."""
SHORTEST_TOKEN = 16
OTHERS = stat.S_IRWXG | stat.S_IRWXO
HANDED = stat.S_IRGRP
"""What a group may do with a file that root hands to it: read, and no more."""

TEXT = """\
# The cluster {name!r} of dlg. Whoever has this file can run programs on all of its hosts.
# A host belongs to the cluster when it has a copy, with mode 0600, at
# ~/.config/dlg/{file} or where DLG_CLUSTER says.
name = "{name}"
token = "{token}"

[curve]
public = "{public}"
secret = "{secret}"
"""
TLS_TEXT = '''
[tls]
# Whether managers speak HTTPS; data between nodes is encrypted in any case.
rest = {rest}
certificate = """
{certificate}"""
key = """
{key}"""
'''


class ClusterFileError(UsageError):
    """The file of a cluster is not there, is no such file, or is not kept secret."""


class _Curve(msgspec.Struct, forbid_unknown_fields=True):
    public: str
    secret: str


class _Tls(msgspec.Struct, forbid_unknown_fields=True):
    certificate: str
    key: str
    rest: bool = True


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    token: str
    curve: _Curve
    tls: _Tls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFile:
    """What the file says; its secrets are in no representation of it."""

    path: Path
    name: str
    token: str = field(repr=False)
    curve_public: str = field(repr=False)
    curve_secret: str = field(repr=False)
    certificate: str = field(default="", repr=False)
    """The certificate as PEM, "" for none; its key is read from the file where it is needed."""
    tls_on_rest: bool = False

    @property
    def fingerprint(self) -> str:
        """Return what is the same on all hosts that have the same file, and tells no secret."""
        parts = (self.name, self.token, self.curve_public, self.curve_secret, self.certificate)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def default_path() -> Path:
    """Return where the file is looked for: where `DLG_CLUSTER` says, or among the settings."""
    return settings.current().cluster or settings.config_dir() / FILE


def find_cluster_file(named: Path | None = None) -> ClusterFile | None:
    """Return the file that was named, or the one in the default place; None if there is none.

    Raises ClusterFileError for a file that cannot be used, and for one that was named, here or
    by `DLG_CLUSTER`, and is not there.
    """
    path = named or settings.current().cluster
    if path is not None:
        return read_cluster_file(path)
    path = settings.config_dir() / FILE
    return read_cluster_file(path) if path.exists() else None


def read_cluster_file(path: Path) -> ClusterFile:
    """Return what a file says.

    Raises ClusterFileError if it cannot be used, and if others can read it.
    """
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            text = file.read()
    except OSError as error:
        raise ClusterFileError(f"{path}: {error.strerror}; dlg keys new makes one") from error
    mode = stat.S_IMODE(about.st_mode)
    if mode & OTHERS & ~_handed(about.st_uid):
        raise ClusterFileError(
            f"{path}: others can read this file (mode {mode:04o}), and whoever does can run "
            f"programs on all hosts of the cluster: chmod 600 {path}"
        )
    try:
        content = msgspec.convert(tomllib.loads(text.decode()), _Content)
    except (ValueError, msgspec.ValidationError) as error:
        # The line of a mistake in TOML is told by its number only, never by what is in it.
        raise ClusterFileError(f"{path} is no file of a cluster: {error}") from None
    return _checked(path, content)


def _handed(owner: int) -> int:
    """Return what others may be able to do with a file of `owner` without being strangers.

    A service that is not root cannot own what root gives it: secrets that are mounted into a
    container, credentials of systemd. Root lets a group, or this user alone, read those.
    """
    return HANDED if owner == 0 and os.geteuid() != 0 else 0


def _checked(path: Path, content: _Content) -> ClusterFile:
    def refuse(what: str) -> ClusterFileError:
        return ClusterFileError(f"{path} is no file of a cluster: {what}")

    if not NAME.fullmatch(content.name):
        raise refuse(f"{content.name!r} cannot be the name of a cluster")
    check_token(content.token, str(path))
    for key in (content.curve.public, content.curve.secret):
        if len(key) != CURVE_KEY or not key.isascii():
            raise refuse(f"a CURVE key has {CURVE_KEY} letters")
    certificate = content.tls.certificate.strip() + "\n" if content.tls else ""
    if certificate:
        try:
            fingerprint(certificate)
        except ValueError as error:
            raise refuse(f"its certificate is none: {error}") from None
    return ClusterFile(
        path=path,
        name=content.name,
        token=content.token,
        curve_public=content.curve.public,
        curve_secret=content.curve.secret,
        certificate=certificate,
        tls_on_rest=content.tls is not None and content.tls.rest,
    )


def check_name(name: str) -> None:
    """Raise ClusterFileError for what cannot be the name of a cluster, nor of a certificate."""
    if not NAME.fullmatch(name):
        raise ClusterFileError(
            f"{name!r} cannot be the name of a cluster: letters, digits, dots and dashes can"
        )


def check_token(token: str, where: str) -> None:
    """Raise ClusterFileError for a token that cannot be sent, or could be guessed."""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ClusterFileError(f"{where}: a token is one word of letters, digits and signs")
    if len(token) < SHORTEST_TOKEN:
        raise ClusterFileError(
            f"{where}: a token of less than {SHORTEST_TOKEN} letters is guessed"
        )


def read_token(path: Path) -> str:
    """Return the token in a file that has nothing else; raise ClusterFileError if it has none."""
    try:
        token = path.read_text().strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ClusterFileError(f"{path}: {reason}") from error
    check_token(token, str(path))
    return token


def write_cluster_file(
    path: Path,
    name: str,
    curve: tuple[str, str],
    tls: tuple[str, str] | None = None,
    *,
    tls_on_rest: bool = True,
) -> ClusterFile:
    """Write the file of a new cluster, for its owner only, and return what it says.

    `curve` is its public and secret key, `tls` its certificate and key. Raises ClusterFileError
    for a name that cannot be one, and if there is such a file: it may be the only copy.
    """
    check_name(name)
    token = secrets.token_urlsafe(32)
    text = TEXT.format(name=name, token=token, public=curve[0], secret=curve[1], file=FILE)
    if tls is not None:
        rest = "true" if tls_on_rest else "false"
        text += TLS_TEXT.format(rest=rest, certificate=tls[0], key=tls[1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else can open it, not even for the moment before a mode is set.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise ClusterFileError(
            f"{path} is there already; remove it if no host needs that cluster any more"
        ) from None
    except OSError as error:
        raise ClusterFileError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return read_cluster_file(path)
