"""Plotters: code that makes pictures of what analyzers found."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.beat import runner
from dlg.beat.dataformat import DataFormat, DataFormatCache
from dlg.beat.library import LibraryCache, UsesLibraries
from dlg.beat.loader import run
from dlg.beat.parameters import clean, convert
from dlg.beat.storage import UserCodeStorage

__all__ = ["Plotter", "Runner", "Storage"]


class Storage(UserCodeStorage):
    """The files of a plotter."""

    asset_type: ClassVar[str] = "plotter"
    asset_folder: ClassVar[str] = "plotters"


class Runner(runner.Runner):
    """One object of the user's class, which draws."""

    def process(self, inputs: Any = None) -> Any:  # type: ignore[override]  # the interface
        """Return the picture, as bytes, that the user's code makes of `inputs`.

        These are pairs of a label and data.
        """
        exc = self.exc or runner.AlgorithmError
        if not self.ready:
            raise exc(f"plotter `{self.name}' is not yet set up")
        if inputs is None:
            raise exc(f"plotter `{self.name}' has nothing to draw: inputs are missing")
        return run(self.obj, "process", self.exc, inputs)


class Plotter(UsesLibraries):
    """A plotter in a prefix, from its name, a declaration, or a pair of that and code.

    `dataformat` is the format of what it can draw; the two caches have what was loaded so far.
    After loading the types of `parameters` are those of numpy.
    """

    kind = "plotter"
    storage_class = Storage

    def __init__(
        self,
        prefix: str,
        data: object,
        dataformat_cache: DataFormatCache | None = None,
        library_cache: LibraryCache | None = None,
        *,
        checked: bool = True,
        compat: bool = False,
    ) -> None:
        super().__init__(prefix, checked=checked, compat=compat)
        self.dataformat: DataFormat | None = None
        self.dataformats: DataFormatCache = {} if dataformat_cache is None else dataformat_cache
        if not self._declare_with_code(data):
            return
        self._load_dataformat(self.data["dataformat"])
        self.errors += convert(self.parameters, self.compat)
        self._load_libraries({} if library_cache is None else library_cache)
        self._check_languages()

    @property
    def api_version(self) -> int:
        """The version of the calls that the code expects."""
        version: int = self.data.get("api_version", 1)
        return version

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters, each a dictionary."""
        parameters: dict[str, Any] = self.data.get("parameters", {})
        return parameters

    @parameters.setter
    def parameters(self, value: dict[str, Any]) -> None:
        self.data["parameters"] = value

    def clean_parameter(self, parameter: str, value: object) -> Any:
        """Return a value as a scalar of numpy, as the parameter wants it.

        Raises `KeyError` for an unknown parameter, `ValueError` for a value it may not have.
        """
        return clean(parameter, self.parameters[parameter], value, self.compat)

    def runner(self, klass: str = "Plotter", exc: type[Exception] | None = None) -> Runner:
        """Return an object of the class `klass` of the code, to be set up and called.

        What fails in the user's code is raised as an `exc`, if that is given.
        """
        return Runner(run(self, "load", exc), klass, self, exc)

    def export(self, prefix: str) -> None:
        """Write this, its libraries and its format, into another prefix."""
        self._check_export(prefix)
        if self.dataformat is not None:
            self.dataformat.export(prefix)
        self._export_libraries(prefix)
        self.write(Storage(prefix, self.name, self.language))

    def _load_dataformat(self, name: str) -> None:
        if (found := self.dataformats.get(name)) is None:
            found = self.dataformats[name] = DataFormat(
                self.prefix,
                name,
                dataformat_cache=self.dataformats,
                checked=self.checked,
                compat=self.compat,
            )
        self.dataformat = found
        if not found.valid:
            self.errors.append(
                f"found error validating base data format `{name}' for plotter `{self.name}': "
                f"{', '.join(found.errors)}"
            )
