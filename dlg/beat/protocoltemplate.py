"""Protocol templates: the sets that several protocols of databases have in common."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from dlg.beat.asset import NamedStorage, PlainAsset
from dlg.beat.dataformat import DataFormat
from dlg.beat.declarations import prototype
from dlg.beat.prefixes import names_in
from dlg.beat.storage import Storage as PlainStorage
from dlg.beat.storage import split_name

__all__ = ["ProtocolTemplate", "Storage"]


class Storage(PlainStorage):
    """The files of a protocol template named `name/version`."""

    asset_type: ClassVar[str] = "protocoltemplate"
    asset_folder: ClassVar[str] = "protocoltemplates"

    def __init__(self, prefix: str, name: str) -> None:
        self.name, self.version = split_name("protocol template", name, 2)
        self.fullname = name
        self.prefix = prefix
        super().__init__(Path(prefix, self.asset_folder, name))


class ProtocolTemplate(PlainAsset):
    """A protocol template: a name in `prefix`, a declaration, or a prototype if `data` is None."""

    kind: ClassVar[str] = "protocoltemplate"
    storage_class: ClassVar[NamedStorage] = Storage

    def __init__(
        self,
        prefix: str,
        data: object = None,
        dataformat_cache: dict[str, Any] | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.dataformats: dict[str, DataFormat] = {}
        if self._declare(data) and checked and not compat:
            self._check({} if dataformat_cache is None else dataformat_cache)

    def sets(self) -> list[dict[str, Any]]:
        """Return the sets, each with its name and the format of each output."""
        return list(self.data.get("sets", ()))

    def set(self, name: str) -> dict[str, Any] | None:
        """Return the set of that name, or None."""
        return next((one for one in self.sets() if one["name"] == name), None)

    def export(self, prefix: str) -> None:
        """Write it, and the formats of its outputs, into another prefix."""
        self._check_export(prefix)
        for name in {name for one in self.sets() for name in one["outputs"].values()}:
            dataformat = self.dataformats.get(name) or DataFormat(self.prefix, name)
            dataformat.export(prefix)
        self.write(Storage(prefix, self.name))

    def __str__(self) -> str:
        return self.json_dumps()

    def _prototype(self) -> dict[str, Any]:
        """Return the prototype, with a format that this prefix has, if it has any."""
        made = prototype(self.kind)
        outputs = made["sets"][0]["outputs"]
        known = names_in(self.prefix, "dataformat")
        if known and outputs["out"] not in known:
            outputs["out"] = known[0]
        return made

    def _check(self, cache: dict[str, Any]) -> None:
        """Find what the existing packages let pass: sets of one name, formats that are none."""
        for name, count in Counter(one["name"] for one in self.sets()).items():
            if count > 1:
                self.errors.append(f"/sets: {count} sets have the name `{name}'")
        for index, one in enumerate(self.sets()):
            for output, name in one["outputs"].items():
                found = load_dataformat(self.prefix, name, cache, compat=self.compat)
                self.dataformats[name] = found
                if not found.valid:
                    reasons = "\n".join(found.errors)
                    self.errors.append(
                        f"/sets/{index}/outputs/{output}: data format `{name}' is not valid:\n"
                        f"{reasons}"
                    )


def load_dataformat(
    prefix: str, name: str, cache: dict[str, Any], *, checked: bool = True, compat: bool = False
) -> DataFormat:
    """Return the data format `name` from `cache`, loaded into it if it is not there."""
    found = cache.get(name)
    if found is None:
        found = DataFormat(prefix, name, dataformat_cache=cache, checked=checked, compat=compat)
        cache[name] = found
    made: DataFormat = found
    return made
