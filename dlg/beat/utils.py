"""Small helpers of the published interface: ports, names, logs, parts of messages.

A front door too: what finds the files of assets is in `dlg.beat.storage`.
"""

from __future__ import annotations

import inspect
import logging
import secrets
import socket as sockets
import string
import tempfile
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import IO, Any, Protocol, TypeVar

from dlg.beat.declarations import NumpyJSONEncoder, error_on_duplicate_key_hook
from dlg.beat.storage import (
    AbstractStorage,
    CodeStorage,
    File,
    Prefix,
    Storage,
    extension_for_language,
    hashed_or_simple,
    safe_rmdir,
    safe_rmfile,
)

__all__ = [
    "AbstractStorage",
    "CodeStorage",
    "File",
    "NumpyJSONEncoder",
    "Prefix",
    "Storage",
    "build_env_name",
    "error_on_duplicate_key_hook",
    "extension_for_language",
    "find_free_port",
    "find_free_port_in_range",
    "has_argument",
    "hashed_or_simple",
    "id_generator",
    "safe_rmdir",
    "safe_rmfile",
    "send_multipart",
    "setup_logging",
    "temporary_directory",
    "uniq",
]

PACKAGE = "dlg.beat"
ANY_ADDRESS = ""

T = TypeVar("T", bound=Hashable)


class SendsParts(Protocol):
    """A socket of ZeroMQ, or what sends messages of several parts as it does."""

    def send_multipart(self, msg_parts: Sequence[bytes]) -> Any:
        """Send all of `msg_parts` as one message."""


def temporary_directory(prefix: str = "beat_") -> str:
    """Make a directory that nobody else can read and return its path; the caller removes it."""
    return tempfile.mkdtemp(prefix=prefix)


def uniq(seq: Iterable[T]) -> list[T]:
    """Return what is in `seq`, each once, in the order of its first time."""
    return list(dict.fromkeys(seq))


def send_multipart(socket: SendsParts, parts: list[Any]) -> None:
    """Send `parts` as one message; those that are text are encoded, in the list itself."""
    for index, part in enumerate(parts):
        if isinstance(part, str):
            parts[index] = part.encode()
    socket.send_multipart(parts)


def find_free_port() -> int:
    """Return a port of TCP that is free now; nothing keeps another process from taking it."""
    with sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM) as probe:
        probe.bind((ANY_ADDRESS, 0))
        return int(probe.getsockname()[1])


def find_free_port_in_range(min_port: int, max_port: int) -> int | None:
    """Return the first free port from `min_port` to before `max_port`, or None."""
    for port in range(min_port, max_port):
        with sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM) as probe:
            try:
                probe.bind((ANY_ADDRESS, port))
            except OSError:
                continue
            return port
    return None


def id_generator(size: int = 6, chars: str = string.ascii_letters + string.digits) -> str:
    """Return a random word of `size` characters out of `chars`."""
    return "".join(secrets.choice(chars) for _ in range(size))


def setup_logging(
    verbosity: int, format_name: str, name: str | None = None, stream: IO[str] | None = None
) -> logging.Logger:
    """Let the logger `name` write to `stream` (standard error), and return it.

    Without a name it is the root logger. `verbosity` says from which level on: 0 warnings, 1 what
    happens, 2 every detail of this package, 3 every detail of all. A second call takes the place
    of the first. For programs only; nothing of this library calls it.
    """
    logger = logging.getLogger(name)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        logging.Formatter(
            f"[%(asctime)s - {format_name} - %(name)s] %(levelname)s: %(message)s",
            datefmt="%d/%b/%Y %H:%M:%S",
        )
    )
    handler.name = f"{PACKAGE}:{name or ''}"
    for earlier in [one for one in logger.handlers if one.name == handler.name]:
        logger.removeHandler(earlier)
    logger.addHandler(handler)
    logger.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
    if name is None:
        ours = logging.getLogger(PACKAGE)
        ours.setLevel(logging.NOTSET)
        if verbosity == 2:  # noqa: PLR2004
            logger.setLevel(logging.INFO)
            ours.setLevel(logging.DEBUG)
    return logger


def build_env_name(env_data: Mapping[str, str] | None) -> str | None:
    """Return `name (version)` of an environment, or None if there is none."""
    return f"{env_data['name']} ({env_data['version']})" if env_data else None


def has_argument(method: Callable[..., Any], argument: str) -> bool:
    """Return whether `method` has a parameter named `argument`."""
    return argument in inspect.signature(method).parameters
