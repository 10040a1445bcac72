"""Libraries: code that algorithms, plotters and other libraries use."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar

from dlg.beat.asset import PYTHON, CodeAsset
from dlg.beat.loader import load_module
from dlg.beat.storage import UserCodeStorage
from dlg.exceptions import InvalidAssetError

__all__ = ["Library", "Storage"]


class Storage(UserCodeStorage):
    """The files of a library."""

    asset_type: ClassVar[str] = "library"
    asset_folder: ClassVar[str] = "libraries"


class UsesLibraries(CodeAsset):
    """An asset with code that uses libraries; `libraries` has them by their names."""

    def __init__(self, prefix: str, *, checked: bool = True, compat: bool = False) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.libraries: dict[str, Library] = {}

    @property
    def uses(self) -> dict[str, Any]:
        """The names of the libraries used, by the names they are imported as."""
        uses: dict[str, Any] = self.data.get("uses") or {}
        return uses

    @uses.setter
    def uses(self, value: dict[str, Any]) -> None:
        self.data["uses"] = value

    def uses_dict(self) -> dict[str, dict[str, Any]]:
        """Return, by import name, the `path` of each library's code and what that `uses`."""
        self._stored()
        return {
            alias: {
                "path": self._used(name).storage_path,
                "uses": self._used(name).uses_dict(),
            }
            for alias, name in self.uses.items()
        }

    def load(self) -> ModuleType:
        """Return the module made of the code, which is run; raises what that raises."""
        self._stored()
        if self.language != PYTHON:
            raise InvalidAssetError(
                f"{self.kind} {self.name} is no Python but {self.language}: "
                "it runs in the containers of its environment only"
            )
        return load_module(self.name.replace("/", "_"), self.storage_path, self.uses_dict())

    @property
    def storage_path(self) -> str:
        """The path of the file with the code; raises without a name."""
        if self.storage is None:
            raise InvalidAssetError(f"{self.kind} has no name: give it one first")
        return self.storage.code.path

    # --- for the kinds ------------------------------------------------------------------------

    def _used(self, name: str) -> Library:
        if not self.valid or name not in self.libraries:
            reasons = "\n".join(self.errors)
            raise InvalidAssetError(f"{self.kind} {self.name} cannot use {name}:\n{reasons}")
        return self.libraries[name]

    def _load_libraries(self, cache: LibraryCache) -> None:
        """Load what is used, and judge it; one that is being loaded is in the cache as None."""
        for alias, name in self.uses.items():
            name = str(name)  # noqa: PLW2901  the schema of the existing packages lets all pass
            try:
                found = self._library(name, cache)
            except InvalidAssetError as error:
                self.errors.append(f"/uses/{alias}: {error}")
                continue
            if found is None:
                self.errors.append(f"recursion for library `{name}' detected")
                continue
            self.libraries[name] = found
            if not found.valid:
                self.errors.append(f"referred library `{name}' ({alias}) is not valid")

    def _library(self, name: str, cache: LibraryCache) -> Library | None:
        if name not in cache:
            cache[name] = Library(
                self.prefix, name, cache, checked=self.checked, compat=self.compat
            )
        return cache[name]

    def _check_languages(self) -> None:
        self.errors += (
            f"language for used library `{name}' cannot be inferred as the library was not "
            "properly loaded"
            for name, used in self.libraries.items()
            if not used.data and not isinstance(self, Library)
        )
        self.errors += (
            f"language for used library `{name}' (`{used.language}') differs from current "
            f"language for this {self.kind} (`{self.language}')"
            for name, used in self.libraries.items()
            if used.data and used.language != self.language
        )

    def _export_libraries(self, prefix: str) -> None:
        for used in self.libraries.values():
            used.export(prefix)


class Library(UsesLibraries):
    """A library in a prefix, from its name, from a declaration, or from a pair of that and code.

    `library_cache` has the libraries loaded so far by name.
    """

    kind = "library"
    storage_class = Storage

    def __init__(
        self,
        prefix: str,
        data: object,
        library_cache: LibraryCache | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        cache: LibraryCache = {} if library_cache is None else library_cache
        if not self._declare_with_code(data):
            return
        self.data.setdefault("uses", {})
        if self._name is not None:
            cache[self._name] = None
        self._load_libraries(cache)
        self._check_languages()
        if self._name is not None:
            cache[self._name] = self

    def export(self, prefix: str) -> None:
        """Write this, and the libraries it uses, into another prefix."""
        self._check_export(prefix)
        self._export_libraries(prefix)
        self.write(Storage(prefix, self.name, self.language))


LibraryCache = dict[str, Library | None]
