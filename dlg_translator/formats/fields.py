"""From the parameters and ports of a file, in whatever form, to `Field`s.

Three forms: entries of `fields` (all generations), ports in lists of their own (until 2022), and
plain keys of a node (the very first models).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlg.graph.problems import pointer as pointer_of
from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import names
from dlg_translator.model.ids import derived_id
from dlg_translator.model.logical import Field

PARAMETER_TYPES: Mapping[str, str] = {
    "Application": "ApplicationArgument",
    "Component": "ComponentParameter",
    "Constraint": "ConstraintParameter",
    "Construct": "ConstructParameter",
}
"""The words of the newest generation, as today's files have them."""

USAGES = frozenset({"NoPort", "InputPort", "OutputPort", "InputOutput"})

_OF_CONSTRAINTS = frozenset((*names.EXECUTION_TIME, *names.DATA_VOLUME, *names.CPUS))
_OF_CONSTRUCTS = frozenset(
    (*names.COPIES, *names.ITERATIONS, *names.GATHER_WIDTH, *names.GROUP_KEY)
) | {"scatter_axis", "gather_axis", "group_axis", "m", "k", "n"}
_ARGUMENT = re.compile(r"[Aa]rg ?\d+")


def guessed_parameter_type(name: str) -> str:
    """Return the kind of parameter for a field of a file that does not say it."""
    if name in _OF_CONSTRAINTS:
        return "ConstraintParameter"
    if name in _OF_CONSTRUCTS:
        return "ConstructParameter"
    return "ApplicationArgument" if _ARGUMENT.fullmatch(name) else "ComponentParameter"


def read_fields(
    found: object, pointer: str, owner: Place, report: Report, parameter_type: str = ""
) -> list[Field]:
    """Return the fields of a list, or of an object whose keys are field ids.

    What is not a field is reported; `parameter_type` is for those that state none.
    """
    if found is None:
        return []
    if not isinstance(found, list | dict):
        report.add("wrong-structure", "the fields must be a list", at(owner, pointer))
        return []
    fields = []
    for key, raw in _entries(found):
        where = pointer + (f"/{key}" if isinstance(key, int) else pointer_of(key))
        if isinstance(raw, dict):
            own = {"id": key, **raw} if isinstance(key, str) else raw
            fields.append(make_field(own, where, owner.id, parameter_type))
        else:
            report.add("wrong-structure", "a field must be an object", at(owner, where))
    return fields


def make_field(raw: dict[str, Any], pointer: str, owner: str, parameter_type: str = "") -> Field:
    """Return the field that `raw` describes; what it lacks is filled in."""
    name = _text(raw, "name") or _text(raw, "IdText") or _text(raw, "text")
    stated = _text(raw, "parameterType")
    usage = _text(raw, "usage")
    return Field(
        id=_text(raw, "id") or _text(raw, "Id") or derived_id(owner, pointer),
        name=name,
        value=raw.get("value", ""),
        default=raw.get("defaultValue", ""),
        type=_text(raw, "type") or "Unknown",
        parameter_type=PARAMETER_TYPES.get(stated, stated)
        or parameter_type
        or guessed_parameter_type(name),
        usage=usage if usage in USAGES else "NoPort",
        encoding=_text(raw, "encoding"),
        raw=raw,
        pointer=pointer,
    )


def read_ports(
    found: object, pointer: str, owner: Place, report: Report, usage: str
) -> list[Field]:
    """Return as fields the ports of one of the lists that nodes had until 2022."""
    ports = read_fields(found, pointer, owner, report, "ApplicationArgument")
    for port in ports:
        port.usage = usage
        if port.raw.get("event") is True:
            port.type = "Event"
        raw = {k: v for k, v in port.raw.items() if k not in {"Id", "IdText"}}
        port.raw = {**raw, "id": port.id, "name": port.name, "usage": usage}
    return ports


def plain_field(key: str, value: object, node: Place) -> Field:
    """Return as a field what the first models wrote as a plain key of a node."""
    return Field(
        id=derived_id(node.id, key),
        name=key,
        value=value,
        type="Unknown",
        parameter_type=guessed_parameter_type(key),
        raw={"name": key, "value": value},
        pointer=node.pointer + pointer_of(key),
    )


def at(owner: Place, pointer: str) -> Place:
    """Return the place of a part of `owner`."""
    return Place(pointer, owner.name, owner.id)


def _entries(found: list[Any] | dict[str, Any]) -> Iterator[tuple[int | str, Any]]:
    return iter(found.items()) if isinstance(found, dict) else iter(enumerate(found))


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
