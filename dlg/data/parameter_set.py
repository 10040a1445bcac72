"""Parameters of the graph as data: written out for programs that read them from a file."""

from __future__ import annotations

import configparser
import enum
import io
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

from dlg.data.file import FileDROP
from dlg.drops.parameters import argument_value, dlg_enum_param
from dlg.drops.ports import arguments


class Mode(enum.Enum):
    """How a parameter set is written."""

    YANDA = "YANDA"
    INI = "ini"
    YAML = "yaml"
    JSON = "json"
    TOML = "toml"
    PICKLE = "pickle"


class ParameterSetDROP(FileDROP):
    """A file with the drop's application arguments, written in `mode` when it completes.

    An argument named `section.key` goes into that section where the format has them.
    `$name.key` in a parameter of a neighbour looks a value up.
    """

    __slots__ = ()

    mode = dlg_enum_param(Mode, "how the parameters are written", Mode.YAML)

    def initialize(self, **kwargs: Any) -> None:
        """Take any keyword: what is not declared is written, in the order in which it is given."""
        given = self.parameters
        for name in kwargs:
            given[name] = given.pop(name)

    def values(self) -> dict[str, Any]:
        """Return the parameters by name."""
        given = {
            name: argument_value(argument)
            for name, argument in arguments(self.spec).items()
            if name not in self._declared
            and argument.get("parameterType", "ApplicationArgument") == "ApplicationArgument"
            and argument.get("usage") not in {"InputPort", "OutputPort"}
        }
        if not self.spec:
            given = {k: v for k, v in self.parameters.items() if k not in self._declared}
        return given

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        return self.values().get(key, default)

    def __getitem__(self, key: str) -> Any:
        """Return the value of `key`; raise `KeyError` if there is none."""
        return self.values()[key]

    def seal(self) -> None:
        """Write the parameters, unless an app has written the file."""
        if self._size is None:
            self.write(WRITERS[self.mode](self.values()))
            self._close_writer()
        super().seal()


def _sections(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, dot, key = name.partition(".")
        found.setdefault(section if dot else "", {})[key if dot else name] = value
    return found


def _yanda(values: Mapping[str, Any]) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode()


def _ini(values: Mapping[str, Any]) -> bytes:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep case
    for section, keys in _sections(values).items():
        parser[section or "DEFAULT"] = {key: str(value) for key, value in keys.items()}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue().encode()


def _yaml(values: Mapping[str, Any]) -> bytes:
    import yaml  # noqa: PLC0415  not for every graph

    return bytes(
        yaml.safe_dump(dict(values), encoding="utf-8", sort_keys=False, allow_unicode=True)
    )


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(values), indent=2).encode()


def _toml(values: Mapping[str, Any]) -> bytes:
    import tomli_w  # noqa: PLC0415  not for every graph

    tables = _sections(values)
    return tomli_w.dumps(tables.pop("", {}) | tables).encode()


WRITERS: Mapping[Mode, Callable[[Mapping[str, Any]], bytes]] = {
    Mode.YANDA: _yanda,
    Mode.INI: _ini,
    Mode.YAML: _yaml,
    Mode.JSON: _json,
    Mode.TOML: _toml,
    Mode.PICKLE: lambda values: pickle.dumps(dict(values)),
}
