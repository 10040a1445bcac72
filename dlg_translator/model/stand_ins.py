"""Templates whose apps are replaced, to try a graph out where its components are not installed."""

from __future__ import annotations

from dataclasses import replace

from dlg_translator.model.logical import Field
from dlg_translator.model.plan import Entity
from dlg_translator.model.template import PhysicalTemplate

SLEEP_TIME = "sleep_time"


def with_stand_ins(
    template: PhysicalTemplate, dropclass: str = "", *, at_once: bool = False
) -> PhysicalTemplate:
    """Return the template with `dropclass`, if one is given, in place of the class of all apps.

    An app that stands in for another sleeps as long as that was to run; with `at_once` no app
    sleeps at all. Names, links and weights stay.
    """
    entities = {
        entity.id: _stand_in(entity, dropclass, at_once) if entity.is_app else entity
        for entity in template.entities
    }
    return replace(template, plan=replace(template.plan, entities=entities))


def _stand_in(entity: Entity, dropclass: str, at_once: bool) -> Entity:
    fields = entity.fields
    if dropclass or at_once:
        fields = [field for field in fields if field.name != SLEEP_TIME]
        fields.append(_sleep(0 if at_once else entity.weight))
    return replace(entity, dropclass=dropclass or entity.dropclass, fields=fields)


def _sleep(seconds: int) -> Field:
    raw = {"name": SLEEP_TIME, "value": seconds, "type": "Float", "usage": "NoPort"}
    kind = "ComponentParameter"
    return Field(
        id=SLEEP_TIME, name=SLEEP_TIME, value=seconds, type="Float", parameter_type=kind,
        raw={**raw, "id": SLEEP_TIME, "parameterType": kind, "defaultValue": ""},
    )  # fmt: skip
