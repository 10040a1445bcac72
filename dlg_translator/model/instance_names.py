"""What the instances of entities are called: instance ids and oids."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from dlg_translator.model.plan import Entity, Plan

Path = tuple[str, ...]


class InstanceNames:
    """The names of all rows of a template, made an entity at a time."""

    def __init__(
        self, plan: Plan, entities: Sequence[Entity], starts: Sequence[int], prefix: str
    ) -> None:
        self._plan, self._entities, self._starts, self._prefix = plan, entities, starts, prefix
        self._texts: dict[Path, list[str]] = {}
        self._oids: dict[int, list[str]] = {}

    def iids(self, path: Path) -> list[str]:
        """Return the instance ids of what has `path`: "0-2-1" is copy 2, and in it copy 1."""
        known = self._texts
        if path not in known:
            texts = ["0"]
            if path:
                endings = [f"-{i}" for i in range(self._plan.groups[path[-1]].width)]
                texts = [text + ending for text in self.iids(path[:-1]) for ending in endings]
            known[path] = texts
        return known[path]

    def around(self, entity: Entity) -> tuple[str, str]:
        """Return what stands before and after the instance id in the oids of an entity."""
        own, ending = entity.extra.get("oid_of", (entity.id, ""))
        return f"{self._prefix}_{own}_", ending

    def oids_of(self, number: int) -> list[str]:
        """Return the oids of all instances of an entity."""
        if number not in self._oids:
            entity = self._entities[number]
            before, after = self.around(entity)
            self._oids[number] = [f"{before}{iid}{after}" for iid in self.iids(entity.path)]
        return self._oids[number]

    def all_oids(self) -> list[str]:
        """Return all oids, by row."""
        return [oid for number in range(len(self._entities)) for oid in self.oids_of(number)]

    def number_of(self, row: int) -> int:
        """Return the number of the entity that a row belongs to."""
        return bisect_right(self._starts, row) - 1
