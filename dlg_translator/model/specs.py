"""Dropspecs of entities: what all instances share, made once, and the lean form of parameters.

Nothing is stored twice. Component and constraint parameters stand flat beside the drop's own
keys, under `componentParams` only where their name is one of those; arguments of the application
stand under `applicationArgs`, with what is needed to use them and no more. `compat_part` adds
every key that the files of the existing engine carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlg_translator.model.logical import Field
from dlg_translator.model.names import DROP_CLASS
from dlg_translator.model.plan import Entity
from dlg_translator.model.values import IllTypedError, cast

OWN_KEYS = frozenset([
    "oid", "uid", "name", "humanReadableKey", "lg_key", "node", "island", "categoryType",
    "category", "dropclass", "storage", "ports", "port_map", "parent", "iid", "rank",
    "loop_ctx", "weight", "num_cpus", "consumers", "streamingConsumers", "producers", "inputs",
    "streamingInputs", "outputs", "children", "reprodata", "applicationArgs",
    "componentParams", "constraintParams", "fields", "type", "app",
])  # fmt: skip
"""Keys of a dropspec that no parameter of a user may take the place of."""
_SKIPPED = frozenset(DROP_CLASS) | {"name"}
_FLAT = frozenset({"ComponentParameter", "ConstraintParameter", "ConstructParameter"})
_FLAT |= {"Component", "Constraint", "Construct"}


def shared_part(entity: Entity) -> dict[str, Any]:
    """Return what the dropspecs of all instances have in common, lean."""
    spec: dict[str, Any] = {
        "name": entity.name,
        "categoryType": entity.category_type,
        "category": entity.category,
        "dropclass": entity.dropclass or None,
        "lg_key": str(entity.extra.get("oid_of", (entity.id,))[0]),
    }
    if entity.weight != 1:
        spec["weight"] = entity.weight
    if entity.is_app and entity.num_cpus != 1:
        spec["num_cpus"] = entity.num_cpus
    arguments: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    for field in entity.fields:
        _place(field, spec, arguments, hidden)
    if arguments:
        spec["applicationArgs"] = arguments
    if hidden:
        spec["componentParams"] = hidden
    return spec


def _place(
    field: Field, spec: dict[str, Any], arguments: dict[str, Any], hidden: dict[str, Any]
) -> None:
    """Put a field where it belongs in a lean dropspec."""
    if field.name in _SKIPPED or not field.name:
        return
    value = typed_value(field)
    is_port = field.usage != "NoPort"
    if field.parameter_type in _FLAT and not is_port:
        if field.name in OWN_KEYS:
            hidden[field.name] = {"value": value}
        elif value not in ("", None):
            spec[field.name] = value
        return
    if is_port or value not in ("", None) or field.parameter_type not in _FLAT:
        group = hidden if field.parameter_type in _FLAT else arguments
        group[field.name] = lean_argument(field, value)


def lean_argument(field: Field, value: Any) -> dict[str, Any]:
    """Return an argument object with what is needed to use it."""
    argument: dict[str, Any] = {}
    if value not in ("", None):
        argument["value"] = value
    if field.type and field.type != "String":
        argument["type"] = field.type
    if field.usage != "NoPort":
        argument["usage"] = field.usage
        if field.encoding:
            argument["encoding"] = field.encoding
    if field.raw.get("positional") in (True, "true", "True", "1"):
        argument["positional"] = True
    return argument


def typed_value(field: Field) -> Any:
    """Return the effective value as the field's type, or as it is where it does not fit."""
    value = field.effective
    if value in ("", None):
        return value
    try:
        return cast(value, field.type)
    except IllTypedError:
        return value


def compat_part(entity: Entity) -> dict[str, Any]:
    """Return the keys that files of the existing engine have besides those of the lean form."""
    groups: Mapping[str, dict[str, Any]] = {
        "applicationArgs": {}, "componentParams": {}, "constraintParams": {},
    }  # fmt: skip
    flat: dict[str, Any] = {}
    for field in entity.fields:
        whole = {**field.raw, "value": typed_value(field)}
        groups[_group(field)][field.name] = whole
        if field.name not in OWN_KEYS:
            flat[field.name] = typed_value(field)
    spec = {
        "storage": entity.category,
        "weight": entity.weight,
        "fields": [dict(field.raw) for field in entity.fields],
        **groups,
        **flat,
    }
    if entity.is_app:
        spec["num_cpus"] = entity.num_cpus
    return spec


def _group(field: Field) -> str:
    if field.parameter_type.startswith("Constraint"):
        return "constraintParams"
    return (
        "applicationArgs" if field.parameter_type.startswith("Application") else "componentParams"
    )


def names_of(entities: Iterable[Entity]) -> list[str]:
    """Return the class names of entities, each once, in order."""
    return list(dict.fromkeys(entity.dropclass for entity in entities))
