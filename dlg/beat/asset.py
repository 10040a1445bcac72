"""What all kinds of assets share: how they come in, their errors, names, hashes and files.

An asset comes from a name in a prefix, a declaration, or, without either, from the prototype of
its kind. Whatever is wrong with it is a text in `errors`; only a wrong call raises.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, ClassVar, Protocol

from dlg.beat.declarations import (
    UNREADABLE,
    DeclarationError,
    dumps,
    prototype,
    prototype_code,
    read,
    schema_errors,
    version_of,
)
from dlg.beat.storage import EXTENSIONS, UNKNOWN, AbstractStorage, CodeStorage, File, Storage
from dlg.exceptions import InvalidAssetError

__all__ = ["Asset", "CodeAsset", "PlainAsset"]

PYTHON = "python"
COMPILED = frozenset({"cxx"})


class NamedStorage(Protocol):
    """Makes the storage of an asset out of its name."""

    def __call__(self, prefix: str, name: str) -> Any:
        """Return the storage; raise `InvalidAssetError` if it is no name."""


class Asset:
    """An asset in `prefix`; `checked` and `compat` say how it is judged.

    Without `checked` neither the schema nor the meaning is looked at: for an asset that was found
    valid before. With `compat` the verdict is that of the existing packages, holes and all.
    """

    kind: ClassVar[str]
    description_key: ClassVar[str] = "description"
    version_key: ClassVar[str] = "schema_version"
    storage_class: ClassVar[NamedStorage]

    storage: AbstractStorage | None

    def __init__(self, prefix: str, *, checked: bool = True, compat: bool = False) -> None:
        self.prefix = prefix
        self.checked, self.compat = checked, compat
        self.errors: list[str] = []
        self.data: dict[str, Any] = {}
        self._name: str | None = None
        self.storage = None

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors

    @property
    def name(self) -> str:
        """The name; setting it says where `write` writes to. Refuses what is no name."""
        return self._name or self._unnamed()

    @name.setter
    def name(self, value: str) -> None:
        self.storage = self._storage_of(value)
        self._name = value

    @property
    def schema_version(self) -> Any:
        """The version of the schema that the declaration asks for; fractions are cut off."""
        version = version_of(self.data, self.version_key)
        whole = isinstance(version, float) and math.isfinite(version)
        return math.trunc(version) if whole and isinstance(version, float) else version

    @property
    def description(self) -> str | None:
        """The short description, in the declaration."""
        return self.data.get(self.description_key)

    @description.setter
    def description(self, value: str) -> None:
        self.data[self.description_key] = value

    @property
    def documentation(self) -> str | None:
        """The long description, in a file of its own; setting it writes that file."""
        if self.storage is None or not self.storage.doc.exists():
            return None
        return self.storage.doc.load_text()

    @documentation.setter
    def documentation(self, value: str) -> None:
        self._stored().doc.save(value)

    def hash(self) -> str:
        """Return the hash of the files of this asset; it must have a name, and files."""
        return self._stored().hash()

    def json_dumps(self, indent: int = 4) -> str:
        """Return the declaration as JSON."""
        return dumps(self.data, indent)

    # --- for the kinds ------------------------------------------------------------------------

    def _unnamed(self) -> str:
        return f"__unnamed_{self.kind}__"

    def _storage_of(self, name: str) -> Any:
        return type(self).storage_class(self.prefix, name)

    def _stored(self) -> AbstractStorage:
        if self.storage is None:
            raise InvalidAssetError(f"{self.kind} has no name: give it one first")
        return self.storage

    def _declare(self, declaration: object) -> bool:
        """Take in a declaration, its name, or None; tell whether it is usable."""
        try:
            found = self._found(declaration)
        except DeclarationError as error:
            self.errors.append(str(error))
            return False
        if isinstance(found, dict):
            self.data = found
            if not self.checked:
                return True
        version = version_of(found, self.version_key)
        self.errors += schema_errors(self.kind, found, version=version, compat=self.compat)
        return self.valid

    def _found(self, declaration: object) -> object:
        if declaration is None:
            return self._prototype()
        if isinstance(declaration, str):
            return self._read(declaration)
        try:
            return copy.deepcopy(declaration)  # loading changes it, and it is the caller's
        except (*UNREADABLE, TypeError) as error:
            raise DeclarationError(f"/: this is no JSON: {error}") from None

    def _prototype(self) -> dict[str, Any]:
        return prototype(self.kind)

    def _read(self, name: str) -> object:
        self.name = name
        file = self._stored().json
        if not file.exists():
            kind = self.kind.capitalize()
            raise DeclarationError(f"{kind} declaration file not found: {file.path}")
        return read(file.path)

    def _check_export(self, prefix: str) -> None:
        """Raise `InvalidAssetError` unless this can be written into another prefix."""
        if self._name is None:
            raise InvalidAssetError(f"{self.kind} has no name: it cannot be exported")
        if not self.valid:
            reasons = "\n".join(self.errors)
            raise InvalidAssetError(f"{self.kind} {self.name} is not valid:\n{reasons}")
        if Path(prefix).resolve() == Path(self.prefix).resolve():
            raise InvalidAssetError(f"Cannot export {self.kind} to the same prefix ({prefix})")


class PlainAsset(Asset):
    """An asset without code."""

    storage: Storage | None

    def write(self, storage: Storage | None = None) -> None:
        """Write the declaration and the documentation, to `storage` or where its name says."""
        target: Any = storage or self._stored()
        target.save(self.json_dumps(), self.documentation or self.description)


class CodeAsset(Asset):
    """An asset with code, in the language that its declaration names."""

    storage: CodeStorage | None

    def __init__(self, prefix: str, *, checked: bool = True, compat: bool = False) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self._code: bytes | str | None = None
        self._code_file: File | None = None

    @property
    def code(self) -> bytes | str | None:
        """The code, read from its file when it is first asked for; None if there is none."""
        if self._code is None and self._code_file is not None:
            self._code = self._code_file.load_bytes()
        return self._code

    @code.setter
    def code(self, value: bytes | str | None) -> None:
        self._code, self._code_file = value, None

    @property
    def language(self) -> str:
        """The language of the code; setting it changes the declaration and the file's name."""
        language: str = self.data.get("language", UNKNOWN)
        return language

    @language.setter
    def language(self, value: str) -> None:
        if self.storage is not None:
            self.storage.language = value
        elif value not in EXTENSIONS:
            raise InvalidAssetError(f"{value} is no language: expected {', '.join(EXTENSIONS)}")
        self.data["language"] = value

    def write(self, storage: CodeStorage | None = None) -> None:
        """Write declaration, code and documentation, to `storage` or where its name says."""
        target: Any = storage or self._stored()
        target.save(self.json_dumps(), self.code, self.documentation or self.description)

    # --- for the kinds ------------------------------------------------------------------------

    def _declare_with_code(self, given: object) -> bool:
        """Take in what `_declare` does, or a pair of that and code; tell whether it is usable."""
        if isinstance(given, tuple | list) and len(given) == 2:  # noqa: PLR2004
            declaration, code = given
        else:
            declaration, code = given, None
        if not self._declare(declaration):
            return False
        if "language" not in self.data:  # the schema of the existing packages lets it pass
            self.errors.append("/: there is no `language', the language of the code")
            return False
        if self.storage is not None:
            self.storage.language = self.language
        if code is not None:
            self.code = code
            return True
        return self._find_code()

    def _find_code(self) -> bool:
        """Load the code from its file, or take that of the prototype if there is no storage."""
        if self.storage is None:
            if self.language == PYTHON or self.compat:
                self._take_prototype_code()
            return True
        if not self.checked or self.storage.code.exists():
            self._code_file = self.storage.code
            return True
        if self.language not in COMPILED:
            self.errors.append(f"{self.kind} code not found: {self.storage.code.path}")
            return False
        # What is compiled may be so elsewhere only, for the environment it is to run in.
        if self.compat:
            self._take_prototype_code()
        return True

    def _take_prototype_code(self) -> None:
        self.code = prototype_code(self.kind)
        self.language = PYTHON
