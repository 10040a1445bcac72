"""Databases: where the data of an experiment comes from, as protocols of sets of outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from dlg.beat import loader
from dlg.beat.asset import CodeAsset, NamedStorage
from dlg.beat.dataformat import DataFormat
from dlg.beat.declarations import DeclarationError, prototype
from dlg.beat.protocoltemplate import ProtocolTemplate, load_dataformat
from dlg.beat.protocoltemplate import Storage as TemplateStorage
from dlg.beat.storage import CodeStorage, split_name
from dlg.beat.views import Runner, View
from dlg.exceptions import InvalidAssetError

__all__ = ["Database", "Runner", "Storage", "View", "get_first_procotol_template"]

SetsOf = Callable[[dict[str, Any]], list[dict[str, Any]]]

PYTHON = "python"
BY_TEMPLATE = 2
"""The version of declarations whose sets stand in protocol templates."""


class Storage(CodeStorage):
    """The files of a database named `name/version`; its code is always Python."""

    asset_type: ClassVar[str] = "database"
    asset_folder: ClassVar[str] = "databases"

    def __init__(self, prefix: str, name: str) -> None:
        self.name, self.version = split_name("database", name, 2)
        self.fullname = name
        self.prefix = prefix
        super().__init__(Path(prefix, self.asset_folder, name), PYTHON)


class Database(CodeAsset):
    """A database: a name in `prefix`, a declaration, that with code, or a prototype.

    `dataformat_cache` holds data formats that are loaded, by name.
    """

    kind: ClassVar[str] = "database"
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
        self.templates: dict[str, ProtocolTemplate] = {}
        cache = {} if dataformat_cache is None else dataformat_cache
        if self._declare_with_code(data):
            self._load_templates(cache)
            self._load_dataformats(cache)
            if checked:
                protocols = self.data["protocols"]
                self.errors += _misnamed(protocols, self._sets)
                if self.schema_version == BY_TEMPLATE and not compat:
                    self.errors += _misplaced_views(protocols, self._sets)

    @property
    def language(self) -> str:
        """The language of the code: Python."""
        return PYTHON

    @language.setter
    def language(self, value: str) -> None:
        if value != PYTHON:
            raise InvalidAssetError(f"the code of a database is in {PYTHON}, not in {value}")

    @property
    def environment(self) -> dict[str, str] | None:
        """The environment that the views need, by name and version, or None."""
        return self.data.get("environment")

    @property
    def is_database_rawdata_access_enabled(self) -> bool:
        """Whether algorithms may read the files of this database themselves."""
        return bool(self.data.get("direct_rawdata_access", False))

    @property
    def protocols(self) -> dict[str, Any]:
        """All protocols by name, as they are declared."""
        return {one["name"]: one for one in self.data.get("protocols", ())}

    @property
    def protocol_names(self) -> list[str]:
        """The names of all protocols."""
        return list(self.protocols)

    def protocol(self, name: str) -> dict[str, Any]:
        """Return the protocol of that name; raise `KeyError` if there is none."""
        found: dict[str, Any] = self.protocols[name]
        return found

    def sets(self, protocol: str) -> dict[str, Any]:
        """Return the sets of a protocol by name; raise `KeyError` if there is no such protocol."""
        return {one["name"]: one for one in self._sets(self.protocol(protocol))}

    def set(self, protocol: str, name: str) -> dict[str, Any]:
        """Return one set of a protocol; raise `KeyError` if there is none."""
        found: dict[str, Any] = self.sets(protocol)[name]
        return found

    def set_names(self, protocol: str) -> list[str]:
        """Return the names of the sets of a protocol; raise `KeyError` if there is none."""
        return list(self.sets(protocol))

    def view_definition(self, protocol_name: str, set_name: str) -> dict[str, Any]:
        """Return a set with what makes its data: the class `view` and its `parameters`."""
        definition = dict(self.set(protocol_name, set_name))
        definition |= self.protocol(protocol_name).get("views", {}).get(set_name, {})
        return definition

    def view(
        self,
        protocol: str,
        name: str,
        exc: type[Exception] | None = None,
        root_folder: str | None = None,
    ) -> Runner:
        """Return what runs the view of a set; its folder may be another than the declared one.

        Loads the code. Errors of that are raised as an `exc`, or as they are; `InvalidAssetError`
        if the database is not valid, `KeyError` if there is no such set.
        """
        if not self.valid or self.storage is None:
            reasons = "\n".join(self.errors) or "it has no files"
            raise InvalidAssetError(f"database {self.name} cannot be run:\n{reasons}")
        definition = self.view_definition(protocol, name)
        module = str(self.name).replace("/", "_")
        try:
            code = loader.load_module(module, self.storage.code.path, {})
            return Runner(
                code, definition, self.prefix, root_folder or self.data["root_folder"], exc
            )
        except Exception as error:
            if exc is None:
                raise
            raise exc(error).with_traceback(error.__traceback__) from error

    def export(self, prefix: str) -> None:
        """Write it, its formats and protocol templates into another prefix.

        Raises `InvalidAssetError` if it is not valid, has no name, or that prefix is its own.
        """
        self._check_export(prefix)
        for dataformat in self.dataformats.values():
            dataformat.export(prefix)
        for template in self.templates.values():
            template.write(TemplateStorage(prefix, template.name))
        self.write(Storage(prefix, self.name))

    def __str__(self) -> str:
        return self.json_dumps()

    # --- loading ------------------------------------------------------------------------------

    def _prototype(self) -> dict[str, Any]:
        made = prototype(self.kind)
        try:
            name = get_first_procotol_template(self.prefix)
        except InvalidAssetError as error:
            raise DeclarationError(str(error)) from None
        protocol = made["protocols"][0]
        protocol["template"] = name
        sets = ProtocolTemplate(self.prefix, name).sets()
        protocol["views"] = {one["name"]: {"view": "View"} for one in sets}
        return made

    def _declare_with_code(self, given: object) -> bool:
        declaration, code = given, None
        if isinstance(given, tuple | list) and len(given) == 2:  # noqa: PLR2004
            declaration, code = given
        if not self._declare(declaration):
            return False
        if code is None:
            return self._find_code()
        self.code = code
        return True

    def _load_templates(self, cache: dict[str, Any]) -> None:
        if self.schema_version != BY_TEMPLATE:
            return
        for index, protocol in enumerate(self.data["protocols"]):
            name = protocol["template"]
            if name in self.templates:
                continue
            template = ProtocolTemplate(
                self.prefix, name, cache, checked=self.checked, compat=self.compat
            )
            self.templates[name] = template
            if not template.valid:
                reasons = "\n".join(template.errors)
                self.errors.append(
                    f"/protocols/{index}/template: protocol template `{name}' is not valid:\n"
                    f"{reasons}"
                )

    def _load_dataformats(self, cache: dict[str, Any]) -> None:
        for protocol in self.data["protocols"]:
            for one in self._sets(protocol):
                for output, name in one["outputs"].items():
                    found = load_dataformat(
                        self.prefix, name, cache, checked=self.checked, compat=self.compat
                    )
                    self.dataformats[name] = found
                    if not found.valid:
                        reasons = "\n".join(found.errors)
                        self.errors.append(
                            f"found error validating data format `{name}' for output `{output}' "
                            f"on set `{one['name']}' of protocol `{protocol['name']}': {reasons}"
                        )

    def _sets(self, protocol: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the sets of a protocol: its own, or those of its template if that is valid."""
        if self.schema_version != BY_TEMPLATE:
            return list(protocol["sets"])
        template = self.templates.get(protocol["template"])
        return template.sets() if template is not None and template.valid else []


def get_first_procotol_template(prefix: str) -> str:
    """Return the name of the first valid protocol template, in its newest version.

    Raises `InvalidAssetError` if there is none.
    """
    root = Path(prefix, TemplateStorage.asset_folder)
    versions: dict[str, str] = {}
    for file in sorted(root.glob("*/*.json"), key=lambda file: (len(file.stem), file.stem)):
        versions[file.parent.name] = file.stem
    for folder, version in sorted(versions.items()):
        name = f"{folder}/{version}"
        if ProtocolTemplate(prefix, name).valid:
            return name
    raise InvalidAssetError(f"{root}: there is no valid protocol template")


def _misnamed(protocols: list[dict[str, Any]], sets_of: SetsOf) -> Iterator[str]:
    """Yield protocols and sets whose names come twice."""
    names = [protocol["name"] for protocol in protocols]
    if max(Counter(names).values()) > 1:
        yield f"found different protocols with the same name: {names}"
    for protocol in protocols:
        sets = [one["name"] for one in sets_of(protocol)]
        if len(set(sets)) != len(sets):
            yield (
                f"found different sets with the same name at protocol `{protocol['name']}': {sets}"
            )


def _misplaced_views(protocols: list[dict[str, Any]], sets_of: SetsOf) -> Iterator[str]:
    """Yield what the existing packages let pass: sets without a view, views of no set."""
    for index, protocol in enumerate(protocols):
        sets = [one["name"] for one in sets_of(protocol)]
        views = protocol["views"]
        for name in sets:
            if not isinstance(views.get(name), dict) or "view" not in views[name]:
                yield f"/protocols/{index}/views: there is no view for the set `{name}'"
        for name in views:
            if sets and name not in sets:
                yield (
                    f"/protocols/{index}/views/{name}: protocol template "
                    f"`{protocol['template']}' has no such set: it has {', '.join(sets)}"
                )
