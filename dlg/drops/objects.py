"""The drop objects of a live graph: made only when somebody needs one, and only once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from dlg.drops.parameters import to_bool, to_int, values_of
from dlg.exceptions import NoDropException
from dlg.states.firing import FiringOptions

DEFAULT_OPTIONS = FiringOptions()
PATIENCE_S = 10.0


class LiveObjects:
    """Rows with their names, dropspecs and, where somebody asked for one, objects."""

    __slots__ = (
        "_awaiting", "_building", "_index", "changed", "class_ids", "classes", "lock", "objects",
        "oids", "port_names", "specs", "uids",
    )  # fmt: skip

    def __init__(self, oids: list[str], uids: list[str]) -> None:
        self.oids, self.uids = oids, uids
        self.objects: list[Any] = [None] * len(oids)
        self.classes: Sequence[type[Any]] = ()
        self.class_ids: Sequence[int] = ()
        self.specs: Sequence[Mapping[str, Any]] = ()
        """The dropspecs from which objects are made; empty when all objects exist already."""
        self.lock = threading.Lock()
        """The one lock of the graph."""
        self.changed = threading.Condition(self.lock)
        """Told when the graph falls idle, an app is cancelled, or an object has been made."""
        self.port_names: dict[tuple[int, str], dict[str, list[str]]] = {}
        """What `dlg.drops.ports` has read of the long lists of links."""
        self._awaiting = 0
        self._building: dict[int, tuple[int, Any]] = {}
        self._index: dict[str, int] | None = None

    def row_of(self, uid: str) -> int:
        """Return the row of the drop with `uid`; raise `NoDropException` if there is none."""
        if self._index is None or len(self._index) != len(self.uids):
            self._index = {known: row for row, known in enumerate(self.uids)}
        try:
            return self._index[uid]
        except KeyError:
            raise NoDropException(uid) from None

    def drop(self, row: int) -> Any:
        """Return the object that stands for `row`; it is made when first asked for."""
        found = self.objects[row]
        return found if found is not None else self._make(row)

    def borrow(self, row: int) -> Any:
        """Return an object for `row` that is needed only now.

        The object of an app that keeps nothing (`transient`) is not kept either: whoever else
        asks for it gets another one, which says the same, as all that there is to say of the app
        stands in the columns of the graph and in its dropspec.
        """
        cls: Any = self.classes[self.class_ids[row]] if self.specs else None
        if cls is None or not cls.transient:
            return self.drop(row)
        made = cls.__new__(cls)
        made._attach(self, row)
        return made

    def _make(self, row: int) -> Any:
        """Make the object of `row`; a thread that comes second waits for the first.

        Who comes first is settled by the dictionary, without the lock. The thread that is making
        the object may ask for it again, from `initialize` by way of neighbours, and gets it
        unfinished. So does one that has waited long: two threads whose drops look at each other
        while they are made must not wait for ever.
        """
        me = threading.get_ident()
        cls: Any = self.classes[self.class_ids[row]]
        mine = (me, cls.__new__(cls))
        maker, made = winner = self._building.setdefault(row, mine)
        if winner is not mine:
            return made if maker == me else self._await_object(row, made)
        try:
            if self.objects[row] is None:
                made._attach(self, row)
                self.objects[row] = made
        finally:
            del self._building[row]
            if self._awaiting:
                with self.lock:
                    self.changed.notify_all()
        return self.objects[row]

    def _await_object(self, row: int, unfinished: Any) -> Any:
        """Return the object of `row` once the thread that is making it has done so."""
        with self.lock:
            self._awaiting += 1
            self.changed.wait_for(lambda: row not in self._building, timeout=PATIENCE_S)
            self._awaiting -= 1
        if row in self._building:
            return unfinished
        return self.drop(row)

    def spec(self, row: int) -> Mapping[str, Any]:
        """Return the dropspec of `row`; empty for a drop made by its constructor.

        Those may have been linked to drops from a file: they come after all that have a dropspec.
        """
        return self.specs[row] if row < len(self.specs) else {}

    def options(self, row: int) -> FiringOptions:
        """Return how tolerant `row` is of what comes before it."""
        given = self.spec(row) or getattr(self.objects[row], "_given", None) or {}
        if "applicationArgs" in given or "fields" in given:
            given = values_of(given)
        threshold, block = given.get("input_error_threshold"), given.get("block_skip")
        if threshold is None and block is None:
            return DEFAULT_OPTIONS
        return FiringOptions(to_int(threshold or 0), to_bool(block or False))
