"""Where the files of an asset lie in a prefix: declaration, documentation, code.

A prefix is a folder with one folder for each kind of asset; the name of an asset is a path below
that. In a prefix whose folders are sharded, two levels made from a hash of the user's name come
first; such a file is taken before the plain one. A name never leads out of its prefix.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from dlg.beat import hash as hashes
from dlg.exceptions import InvalidAssetError

__all__ = [
    "AbstractStorage",
    "CodeStorage",
    "Contents",
    "ContentsWithCode",
    "File",
    "Prefix",
    "Storage",
    "UserCodeStorage",
    "UserStorage",
    "extension_for_language",
    "hashed_or_simple",
    "safe_rmdir",
    "safe_rmfile",
    "split_name",
    "stem_of",
]

UNKNOWN = "unknown"
EXTENSIONS = {UNKNOWN: "", "cxx": ".so", "matlab": ".m", "python": ".py", "r": ".r"}
SPECIAL = frozenset({"", ".", ".."})


class Contents(NamedTuple):
    """What the files of an asset hold; without a file it is None."""

    declaration: str
    description: str | None


class ContentsWithCode(NamedTuple):
    """What the files of an asset with code hold; without a file it is None."""

    declaration: str
    code: bytes | None
    description: str | None


class Prefix:
    """Several folders that are searched in order."""

    def __init__(self, paths: str | Sequence[str] | None = None) -> None:
        self.paths: list[str] = [paths] if isinstance(paths, str) else list(paths or ())

    def add(self, path: str) -> None:
        """Search in `path` too, last."""
        self.paths.append(path)

    def path(self, filename: str) -> str:
        """Return where `filename` is, or where it would be in the first folder."""
        if not self.paths:
            raise InvalidAssetError("this prefix has no folder: add one with add()")
        for folder in self.paths:
            if (found := Path(folder, filename)).exists():
                return str(found)
        return str(Path(self.paths[0], filename))


class File:
    """One file of an asset, of text or of bytes."""

    def __init__(self, path: str, binary: bool = False) -> None:
        self.path = path
        self.binary = binary

    def exists(self) -> bool:
        """Return whether there is such a file."""
        return os.path.isfile(self.path)  # noqa: PTH113  asked for often, and a Path is slow

    def load(self) -> str | bytes:
        """Return its contents: text, or bytes if it is `binary`; raise `OSError` if it is not."""
        return self.load_bytes() if self.binary else self.load_text()

    def load_text(self) -> str:
        """Return its contents as text."""
        return self.load_bytes().decode()

    def load_bytes(self) -> bytes:
        """Return its contents as bytes."""
        with open(self.path, "rb") as file:  # noqa: PTH123  likewise
            return file.read()

    def try_load(self) -> str | bytes | None:
        """Return its contents, or None if there is no such file."""
        return self.load() if self.exists() else None

    def backup(self) -> None:
        """Copy it to the same name with a `~`; without a file do nothing."""
        if self.exists():
            shutil.copy(self.path, self.path + "~")

    def save(self, contents: str | bytes) -> None:
        """Write `contents`, whole or not at all; what was there before is kept as a backup."""
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.backup()
        raw = contents.encode() if isinstance(contents, str) else contents
        # By a rename: someone else may be reading, and this process may die half-way.
        fresh = path.with_name(f".new-{secrets.token_hex(8)}")
        try:
            with fresh.open("xb") as file:
                file.write(raw)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it and its backup, and its folder if nothing else is in there."""
        safe_rmfile(self.path)
        safe_rmfile(self.path + "~")
        folder = Path(self.path).parent
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


class AbstractStorage:
    """The declaration (`json`) and the documentation (`doc`) of an asset at `path`."""

    asset_type: ClassVar[str] = ""
    asset_folder: ClassVar[str] = ""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path)
        self.json = File(self.path + ".json")
        self.doc = File(self.path + ".rst")

    def exists(self) -> bool:
        """Return whether the files that such an asset must have are there."""
        return self.json.exists()

    def hash(self) -> str:
        """Return the hash of the declaration; raise `OSError` if there is none."""
        return hashes.hashJSONFile(self.json.path, "description")

    def remove(self) -> None:
        """Remove all its files."""
        self.json.remove()
        self.doc.remove()

    def _documentation(self) -> str | None:
        return self.doc.load_text() if self.doc.exists() else None

    def _save_texts(self, declaration: str, description: str | None) -> None:
        if description and description != self._documentation():
            self.doc.save(description)
        self.json.save(declaration)


class Storage(AbstractStorage):
    """The files of an asset without code."""

    def hash(self, description: str = "description") -> str:
        """Return the hash of the declaration without its key `description`."""
        return hashes.hashJSONFile(self.json.path, description)

    def load(self) -> Contents:
        """Return what the files hold; raise `OSError` if there is no declaration."""
        return Contents(self.json.load_text(), self._documentation())

    def save(self, declaration: str, description: str | None = None) -> None:
        """Write the declaration, and the documentation if there is any."""
        self._save_texts(declaration, description)


class CodeStorage(AbstractStorage):
    """The files of an asset with code, whose name depends on `language`.

    Without a language it is the declaration's, as soon as that is needed.
    """

    def __init__(self, path: str | os.PathLike[str], language: str | None = None) -> None:
        super().__init__(path)
        self._language = language or UNKNOWN
        self.code = File(self.path + extension_for_language(self._language), binary=True)

    @property
    def language(self) -> str:
        """The language of the code; `unknown` if neither caller nor declaration says it."""
        if self._language == UNKNOWN:
            self._discover_language()
        return self._language

    @language.setter
    def language(self, value: str) -> None:
        self.code = File(self.path + extension_for_language(value), binary=True)
        self._language = value

    def exists(self) -> bool:
        """Return whether declaration and code are there."""
        return self.json.exists() and self.language != UNKNOWN and self.code.exists()

    def hash(self) -> str:
        """Return the hash of declaration and code, or of the declaration if there is no code."""
        declaration = super().hash()
        if self.language == UNKNOWN or not self.code.exists():
            return declaration
        code = hashes.hashFileContents(self.code.path)
        return hashes.hash({"declaration": declaration, "code": code})

    def load(self) -> ContentsWithCode:
        """Return what the files hold; raise `OSError` if there is no declaration."""
        declaration = self.json.load_text()
        there = self.language != UNKNOWN and self.code.exists()
        return ContentsWithCode(
            declaration, self.code.load_bytes() if there else None, self._documentation()
        )

    def save(
        self, declaration: str, code: str | bytes | None = None, description: str | None = None
    ) -> None:
        """Write the declaration, and code and documentation if there is any."""
        if code:
            if self._language == UNKNOWN:
                self._take_language(declaration)
            self.code.save(code)
        self._save_texts(declaration, description)

    def remove(self) -> None:
        """Remove all its files."""
        if self.language != UNKNOWN:
            self.code.remove()
        super().remove()

    def _discover_language(self) -> None:
        if self.json.exists():
            self._take_language(self.json.load_text())

    def _take_language(self, declaration: str) -> None:
        try:
            declared = json.loads(declaration)
        except ValueError:
            return  # said by whoever loads it
        language = declared.get("language") if isinstance(declared, dict) else None
        if isinstance(language, str) and language in EXTENSIONS:
            self.language = language


class UserStorage(Storage):
    """The files of an asset named `user/name/version`, without code."""

    def __init__(self, prefix: str, name: str) -> None:
        self.username, self.name, self.version = split_name(self.asset_type, name)
        self.fullname = name
        self.prefix = prefix
        super().__init__(stem_of(prefix, self.asset_folder, name))


class UserCodeStorage(CodeStorage):
    """The files of an asset named `user/name/version`, with code."""

    def __init__(self, prefix: str, name: str, language: str | None = None) -> None:
        self.username, self.name, self.version = split_name(self.asset_type, name)
        self.fullname = name
        self.prefix = prefix
        super().__init__(stem_of(prefix, self.asset_folder, name), language)


def split_name(kind: str, name: str, parts: int = 3) -> list[str]:
    """Return the parts of the name of a `kind`; raise `InvalidAssetError` unless it is one."""
    found = str(name).split("/")
    if len(found) != parts or not SPECIAL.isdisjoint(found) or "\0" in str(name):
        raise InvalidAssetError(f"invalid {kind} name: `{name}', expected {parts} parts with `/'")
    return found


def hashed_or_simple(prefix: str, what: str, path: str, suffix: str = ".json") -> str:
    """Return the path of a file of the folder `what`, sharded by user if there is such a one."""
    user, _, rest = path.partition("/")
    folder = f"{str(prefix).rstrip('/')}/{what}"
    sharded = f"{folder}/{hashes.toUserPath(user)}/{rest}{suffix}"
    # Asked for each asset; a Path would cost more than the question.
    return sharded if os.path.exists(sharded) else f"{folder}/{path}{suffix}"  # noqa: PTH110


def stem_of(prefix: str, what: str, name: str) -> str:
    """Return the path of an asset, in either layout, without the ending of its files."""
    return hashed_or_simple(prefix, what, name).removesuffix(".json")


def extension_for_language(language: str) -> str:
    """Return the ending of files with code in `language`; raise `KeyError` for others."""
    return EXTENSIONS[language]


def safe_rmfile(f: str | os.PathLike[str]) -> None:
    """Remove a file, if it is there."""
    Path(f).unlink(missing_ok=True)


def safe_rmdir(f: str | os.PathLike[str]) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if Path(f).exists():
        shutil.rmtree(f)
