"""Data formats: the shape of what circulates between blocks.

A format names its fields and what they hold: base types, other formats, inline objects, arrays of
those. It may extend another one, whose fields it then has too.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from dlg.beat.asset import PlainAsset
from dlg.beat.baseformat import BASE_TYPES, baseformat, make_type
from dlg.beat.storage import UserStorage
from dlg.exceptions import InvalidAssetError

__all__ = ["DataFormat", "Storage"]

FormatClass = type[baseformat]


class Storage(UserStorage):
    """The files of a data format."""

    asset_type: ClassVar[str] = "dataformat"
    asset_folder: ClassVar[str] = "dataformats"

    def hash(self, description: str = "#description") -> str:
        """Return the hash of the declaration without its description."""
        return super().hash(description)


class DataFormat(PlainAsset):
    """A data format in a prefix, from its name or from a declaration.

    `parent` is, for an object inside another format, that format and the name of the field.
    `dataformat_cache` has the formats loaded so far by name; one that is being loaded is there as
    None. `resolved` has the fields with formats in place of their names, those of extended formats
    first; `referenced` has the formats that are referred to, by name.
    """

    kind = "dataformat"
    description_key = "#description"
    version_key = "#schema_version"
    storage_class = Storage

    def __init__(
        self,
        prefix: str,
        data: object,
        parent: tuple[DataFormat, str] | None = None,
        dataformat_cache: DataFormatCache | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.parent = parent
        self.resolved: dict[str, Any] = {}
        self.referenced: dict[str, DataFormat] = {}
        cache: DataFormatCache = {} if dataformat_cache is None else dataformat_cache
        if parent is not None and isinstance(data, dict):
            self.data = data  # a part of what was taken in, and judged, already
        elif not self._declare(data):
            return
        try:
            self._resolve(cache)
        except RecursionError:
            if parent is not None:
                raise
            self.errors.append("/: objects lie too deep inside each other")

    @property
    def extends(self) -> str | None:
        """The name of the format that this one extends, if any."""
        return self.data.get("#extends")

    @property
    def type(self) -> FormatClass:
        """The class of values of this format, always the same; raises if this is not valid."""
        return self._type

    def isparent(self, other: DataFormat) -> bool:
        """Tell whether `other` extends this format, directly or not."""
        extended = other.extends
        while extended is not None:
            if extended == self.name:
                return True
            if extended not in other.referenced:
                return False
            other = other.referenced[extended]
            extended = other.extends
        return False

    def validate(self, data: dict[str, Any]) -> None:
        """Raise `TypeError` or `AttributeError` unless `data` is a value of this format."""
        self.type().from_dict(data, casting="safe", add_defaults=False)

    def export(self, prefix: str) -> None:
        """Write this, and the formats it refers to, into another prefix."""
        self._check_export(prefix)
        for used in _used(self):
            used.export(prefix)
        self.write(Storage(prefix, self.name))

    @functools.cached_property
    def _type(self) -> FormatClass:
        if not self.valid:
            reasons = "\n".join(self.errors)
            raise InvalidAssetError(f"dataformat {self.name} is not valid:\n{reasons}")
        return make_type(self.name, {key: _kind(of) for key, of in self.resolved.items()})

    def _unnamed(self) -> str:
        if self.parent is None:
            return super()._unnamed()
        return f"{self.parent[0].name}.{self.parent[1]}_type"

    def _resolve(self, cache: DataFormatCache) -> None:
        if self._name is not None:
            cache[self._name] = None
        self.resolved = {
            key: self._resolved(key, declared, cache)
            for key, declared in self.data.items()
            if not key.startswith("#")
        }
        if self.extends is not None:
            self._extend(self._referred(self.extends, cache))
        self.errors = list(dict.fromkeys(self.errors))
        if self._name is not None:
            cache[self._name] = self

    def _resolved(
        self, field: str, declared: Any, cache: DataFormatCache, in_array: bool = False
    ) -> Any:
        if isinstance(declared, list):
            element = self._resolved(field, declared[-1], cache, in_array=True)
            return [*declared[:-1], element]
        if isinstance(declared, dict):
            inner = self._loaded(declared, (self, field), cache)
            # The existing packages do not see what is wrong with objects in arrays.
            if not inner.valid and not (in_array and self.compat):
                self._blame(field)
            return inner
        return declared if declared in BASE_TYPES else self._referred(declared, cache)

    def _loaded(
        self, data: object, parent: tuple[DataFormat, str] | None, cache: DataFormatCache
    ) -> DataFormat:
        return DataFormat(
            self.prefix, data, parent, cache, checked=self.checked, compat=self.compat
        )

    def _referred(self, name: str, cache: DataFormatCache) -> DataFormat | None:
        """Return another format, from the cache or the prefix; None if it is being loaded."""
        if name not in cache:
            cache[name] = self._loaded(name, None, cache)
        found = cache[name]
        if found is None:
            self.errors.append(f"recursion for dataformat `{name}' detected")
            self._blame(name)
            return None
        self.referenced[name] = found
        if not found.valid:
            self._blame(name)
        return found

    def _blame(self, used: str) -> None:
        self.errors.append(f"referred dataformat `{used}' is invalid")

    def _extend(self, extended: DataFormat | None) -> None:
        if extended is None or not extended.valid:
            return
        self.errors += (
            f"the attribute `{field}' in `{self.name}' clashes with an attribute with the same "
            f"name on the extended class `{extended.name}'"
            for field in self.resolved
            if field in extended.resolved
        )
        self.resolved = {**extended.resolved, **self.resolved}


DataFormatCache = dict[str, DataFormat | None]


def _kind(resolved: Any) -> Any:
    """Return a resolved field as `make_type` wants it: classes in place of formats."""
    if isinstance(resolved, list):
        return [*resolved[:-1], _kind(resolved[-1])]
    return resolved.type if isinstance(resolved, DataFormat) else resolved


def _used(by: DataFormat) -> list[DataFormat]:
    """Return the formats referred to by a format and by the objects inside it."""
    found = list(by.referenced.values())
    for field in by.resolved.values():
        inner = field[-1] if isinstance(field, list) else field
        if isinstance(inner, DataFormat) and inner.parent is not None:
            found += _used(inner)
    return found
