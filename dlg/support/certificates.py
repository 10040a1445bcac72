"""Certificates that sign themselves, and what makes both ends of a connection use one.

All hosts of a cluster share one certificate. Whoever connects trusts it and nothing else, so the
names in it do not matter: only who has its key can show it.
"""

from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from dlg.exceptions import UsageError

DAYS = 3650
TIMEOUT_S = 60.0
VERSION_TAG, SHORT_YEAR_TAG, LONG_SIZE, FIRST_OF_1900S = 0xA0, 0x17, 0x80, "50"
"""How parts of a certificate are written (X.690), and from when years of two digits are old."""
REQUEST = """
[req]
distinguished_name = name
x509_extensions = more
prompt = no
[name]
CN = {name}
[more]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = DNS:{name}, DNS:localhost, IP:127.0.0.1
"""


def new_certificate(name: str) -> tuple[str, str]:
    """Return a new certificate and its private key (PEM), made by the program openssl.

    It is needed here only, once in the life of a cluster: a library that could do the same would
    have to be installed on all hosts. Raises UsageError where there is no such program.
    """
    if not name.replace("-", "").replace(".", "").isalnum():
        raise UsageError(f"{name!r} cannot stand in a certificate")
    program = shutil.which("openssl")
    if program is None:
        raise UsageError("the program openssl is needed to make a certificate, and is not there")
    how = ("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    # Nothing is written to a disk: the key is in the answer, behind the certificate or before it.
    done = subprocess.run(
        [program, *how, "-days", str(DAYS), "-config", "/dev/stdin", "-keyout", "-", "-out", "-"],
        input=REQUEST.format(name=name), capture_output=True, text=True, check=False,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    if done.returncode:
        raise UsageError(f"openssl cannot make a certificate: {done.stderr.strip()[-500:]}")
    return _block(done.stdout, "CERTIFICATE"), _block(done.stdout, "PRIVATE KEY")


def _block(text: str, kind: str) -> str:
    begin, end = f"-----BEGIN {kind}-----", f"-----END {kind}-----"
    _, found, rest = text.partition(begin)
    inside, ended, _ = rest.partition(end)
    if not (found and ended):
        raise UsageError(f"openssl made no {kind.lower()}")
    return f"{begin}{inside}{end}\n"


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a certificate (PEM), in hexadecimal; ValueError if it is none."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def validity(certificate: str) -> tuple[float, float]:
    """Return from when and until when a certificate (PEM) is valid, in seconds since 1970.

    Raises ValueError for what is none. The standard library tells this of connections only.
    """
    der = ssl.PEM_cert_to_DER_cert(certificate)
    try:
        _, at, _ = _part(der, 0)  # the certificate
        _, at, _ = _part(der, at)  # what of it is signed
        tag, _, end = _part(der, at)
        at = end if tag == VERSION_TAG else at
        for _ in range(3):  # its number, how it is signed, and by whom
            _, _, at = _part(der, at)
        _, at, _ = _part(der, at)
        begin = _part(der, at)
        return _moment(der, begin), _moment(der, _part(der, begin[2]))
    except IndexError:
        raise ValueError("the certificate is cut off") from None


def _part(der: bytes, at: int) -> tuple[int, int, int]:
    """Return of the part that begins `at` a place its tag, and where its content is."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size >= LONG_SIZE:
        start += size - LONG_SIZE
        size = int.from_bytes(der[at + 2 : start], "big")
    return tag, start, start + size


def _moment(der: bytes, part: tuple[int, int, int]) -> float:
    tag, start, end = part
    text = der[start:end].decode("ascii")
    if tag == SHORT_YEAR_TAG:
        text = ("20" if text[:2] < FIRST_OF_1900S else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def client_context(certificate: str) -> ssl.SSLContext:
    """Return what lets a client trust exactly this certificate (PEM), whatever host shows it.

    Raises ValueError for what is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # it names no hosts: nobody else has its key
    try:
        context.load_verify_locations(cadata=certificate)
    except ssl.SSLError as error:
        raise ValueError(str(error)) from error
    return context


def server_context(file: Path) -> ssl.SSLContext:
    """Return what makes a server show the certificate in a file that has its key too.

    Raises ValueError if they are not there or do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(file, password="")
    except (OSError, ValueError) as error:
        raise ValueError(str(error)) from error
    return context
