"""Files that appear whole or not at all, and copies that are as cheap as the disk allows."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from dlg.exceptions import RunError
from dlg.support.content import ContentHasher

_PIECE = 1 << 20
_FICLONE = 0x40049409
"""Of Linux: let a file share the blocks of another one, until either is written to."""


def temporary_name() -> str:
    """Return a name for what is being written, which says who writes it."""
    return f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(6)}"


def write_whole(path: Path, data: bytes, temporary: Path) -> None:
    """Let `path` hold `data`: under a temporary name first, then renamed."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:  # whole, or an error
            file.write(data)
        rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def rename(temporary: Path, path: Path) -> None:
    """Give a file its name; the directory is made when it is first needed."""
    try:
        temporary.replace(path)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        temporary.replace(path)


def copy_hashing(source: IO[bytes], target: IO[bytes]) -> ContentHasher:
    """Copy what is left of `source`, sharing its blocks where the file system can; hash it."""
    hasher = ContentHasher()
    shared = _shares_blocks(source, target)
    while piece := source.read(_PIECE):
        hasher.update(piece)
        if not shared:
            target.write(piece)
    return hasher


def copy_unread(source: IO[bytes], target: IO[bytes]) -> int:
    """Copy `source` without looking at what is in it; return how many bytes that were."""
    size = os.fstat(source.fileno()).st_size
    if not _shares_blocks(source, target):
        done = 0
        while done < size:
            moved = os.sendfile(target.fileno(), source.fileno(), done, size - done)
            if not moved:
                break
            done += moved
    return os.fstat(target.fileno()).st_size


def _shares_blocks(source: IO[bytes], target: IO[bytes]) -> bool:
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:  # another file system, or one that cannot
        return False
    return True


def archive(directory: Path, file: IO[bytes]) -> None:
    """Write what is in a directory into `file`, the same bytes for the same content.

    Raises `RunError` for a link, a pipe or a device in it: what is behind is not in the directory.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(directory.rglob("*")):
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise RunError(f"{path} is neither a file nor a directory")
            info = tar.gettarinfo(path, path.relative_to(directory).as_posix())
            info.mtime = info.uid = info.gid = 0
            info.uname = info.gname = ""
            if info.islnk():  # a second name of a file that is in the archive already
                info.type, info.size, info.linkname = tarfile.REGTYPE, path.stat().st_size, ""
            if info.isreg():
                with path.open("rb") as content:
                    tar.addfile(info, content)
            else:
                tar.addfile(info)


def extract(file: IO[bytes], directory: Path) -> None:
    """Put what is in an archive into `directory`, never outside of it."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=file, mode="r") as tar:
        tar.extractall(directory, filter="data")


def sync(file: IO[bytes]) -> None:
    """Wait until the content of a file is on the disk, where there is one."""
    file.flush()
    with suppress(OSError):  # a pipe or a device has none
        os.fsync(file.fileno())
