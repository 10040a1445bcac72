"""What a construct has to say about itself, and what it may ask.

A construct is *lowered*: it adds its group, if it repeats what is in it, and the entities of its
applications, and says which entity a link to or from it means. It sees the drawing through
`Lowering`, which the unroller supplies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from dlg_translator.model.categories import default_class
from dlg_translator.model.logical import EmbeddedApp, Field, Link, LogicalGraph, Node
from dlg_translator.model.names import CPUS, DROP_CLASS, EXECUTION_TIME, GROUP_END, GROUP_START
from dlg_translator.model.plan import Entity, GroupKind, Plan, Wire
from dlg_translator.model.values import IllTypedError, integer, real, truth


@dataclass(slots=True)
class Lowering:
    """The state of turning one drawing into a plan."""

    graph: LogicalGraph
    plan: Plan = field(default_factory=Plan)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The path of groups around each node."""
    senders: dict[str, str] = field(default_factory=dict)
    """The entity that a link *from* a construct means."""
    receivers: dict[str, str] = field(default_factory=dict)
    """The entity that a link *to* a construct means."""
    starters: dict[str, list[str]] = field(default_factory=dict)
    """The entities inside that a link to a construct without an application means."""
    late: list[Entity] = field(default_factory=list)
    """Entities of embedded applications, which come after all nodes in the written graph."""

    def add_app(
        self, node: Node, app: EmbeddedApp, path: tuple[str, ...], entity_id: str
    ) -> Entity:
        """Add the entity of an application of construct `node`; it also gets the node's fields."""
        own = {f.name for f in app.fields}
        fields = [*app.fields, *(f for f in node.fields if f.name not in own)]
        entity = app_entity(entity_id, node.name, app.category, fields, path)
        entity.pointer = node.pointer
        self.late.append(entity)
        return entity

    def starts_inside(self, node: Node) -> list[Entity]:
        """Return the applications inside that start: marked so, or fed by nothing else.

        What is inside an inner construct that collects is fed by that.
        """
        fed = {link.dst for link in self.graph.links}
        groups = self.plan.groups
        found = []
        for entity in self.plan.entities.values():
            if not entity.is_app or entity.id == node.id or node.id not in entity.path:
                continue
            within = entity.path[entity.path.index(node.id) + 1 :]
            if not any(g in fed and groups[g].kind is GroupKind.GATHERS for g in within):
                found.append(entity)
        return [e for e in found if e.group_start] or [e for e in found if e.id not in fed]

    def links_into(self, node: Node) -> list[Link]:
        """Return the links from outside that end at `node`."""
        inside = self.paths
        return [
            link for link in self.graph.links
            if link.dst == node.id and node.id not in inside.get(link.src, ())
        ]  # fmt: skip


def app_entity(
    entity_id: str, name: str, category: str, fields: list[Field], path: tuple[str, ...]
) -> Entity:
    """Return an entity for an application with `fields`."""
    given = value_of(fields, DROP_CLASS)
    return Entity(
        id=entity_id,
        name=name,
        category=category,
        category_type="Application",
        dropclass=str(given or default_class(category, "Application")),
        path=path,
        fields=fields,
        is_app=True,
        group_start=truth(value_of(fields, GROUP_START)),
        group_end=truth(value_of(fields, GROUP_END)),
        weight=weight_of(value_of(fields, EXECUTION_TIME)),
        num_cpus=weight_of(value_of(fields, CPUS)),
    )


def value_of(fields: Sequence[Field], names: Sequence[str]) -> object:
    """Return the effective value of the field with the first of `names` that there is, or None."""
    for name in names:
        for candidate in fields:
            if candidate.name == name:
                return candidate.effective
    return None


def weight_of(value: object) -> int:
    """Return a weight: a whole number, at least 0; 1 where none is given or it is no number."""
    try:
        return max(0, int(real(value)))
    except IllTypedError:
        return 1


def width_of(node: Node, names: Sequence[str]) -> int:
    """Return the width a construct states; the checks have refused what is no whole number."""
    return integer(value_of(node.fields, names))


class Construct(ABC):
    """What a construct means."""

    category: ClassVar[str]

    @abstractmethod
    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the construct's group, if it has one, and return the path of what is inside."""

    def lower(  # noqa: B027  most constructs have no applications
        self, node: Node, path: tuple[str, ...], state: Lowering
    ) -> None:
        """Add the entities of the construct's applications; `path` is that of the construct."""

    def width(self, node: Node, state: Lowering) -> int:
        """Return the width that only follows from other groups; -1 while those are unknown."""
        return -1

    def wires(self, node: Node, state: Lowering) -> list[Wire]:
        """Return wires that nobody has drawn."""
        return []


def outside_apps(node: Node, path: tuple[str, ...], state: Lowering) -> None:
    """Add a construct's applications around it: the first before, the second after what is inside.

    Links to the construct mean its input application, links from it the output application if it
    has one; `dlg_translator.unroll.lowering` sorts links out further by their ports.
    """
    first, last = node.input_app, node.output_app
    if first is not None and not first.is_placeholder:
        state.add_app(node, first, path, node.id)
        state.receivers[node.id] = state.senders[node.id] = node.id
    if last is not None and not last.is_placeholder:
        own = node.id if node.id not in state.receivers else f"{node.id}-out"
        state.add_app(node, last, path, own)
        state.receivers.setdefault(node.id, own)
        state.senders[node.id] = own
