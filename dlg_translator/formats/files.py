"""Files that are there whole or not at all, compressed if their name ends in .gz.

The same content gives the same bytes: a compressed file holds neither a time nor a name.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path

from dlg.exceptions import UsageError

STDOUT = "-"
LEVEL = 3
"""How hard to compress: dropspecs repeat themselves so much that more effort gains little."""


def write_file(path: str, content: Iterable[bytes]) -> None:
    """Write `content`, which may be made on the way, to a file, or to standard output for `-`.

    If making the content fails, an older file stays as it was. Raises `UsageError` for a place
    that cannot be written to.
    """
    if path == STDOUT:
        for piece in content:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    try:
        if target.exists() and not target.is_file():  # a pipe with a name, or /dev/null
            _write(target, content, compress=False)
            return
        target = target.resolve()  # what a symbolic link leads to, not the link, is replaced
        part = target.with_name(f".part-{target.name}")
        try:
            _write(part, content, compress=path.endswith(".gz"))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _write(path: Path, content: Iterable[bytes], *, compress: bool) -> None:
    with path.open("wb") as file:
        if not compress:
            file.writelines(content)
            return
        with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
            for piece in content:
                packed.write(piece)
