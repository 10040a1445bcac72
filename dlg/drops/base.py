"""The base class of all drops: a thin view of one row of a live graph.

What a drop *is in* (its state, its links, who waits for whom) belongs to the graph; an object
holds only what is its own: the parameters it was given, open files, listeners. A drop made by its
constructor lives in a graph of its own until it is linked; a drop of a session is made from its
dropspec when somebody first needs the object.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dlg.ddap_protocol import DROPPhases, DROPStates, ExecutionMode
from dlg.drops import environment, linking, parameters
from dlg.drops.live import LiveGraph
from dlg.drops.parameters import (
    Parameter,
    dlg_bool_param,
    dlg_enum_param,
    dlg_float_param,
    dlg_int_param,
    dlg_string_param,
)
from dlg.drops.reproducing import ReproducibleDROP
from dlg.event import EventFirer, EventHandler
from dlg.exceptions import InvalidDropException
from dlg.reproducibility.levels import Level
from dlg.states.steps import APP, EXTERNAL, SEALED, WATCHED

logger = logging.getLogger(__name__)

SPEC_KEYS = frozenset([
    "oid", "uid", "categoryType", "category", "dropclass", "storage", "type", "app", "lg_key",
    "iid", "rank", "loop_ctx", "weight", "consumers", "streamingConsumers", "producers",
    "inputs", "streamingInputs", "outputs", "children", "parent", "ports", "port_map",
    "applicationArgs", "componentParams", "constraintParams", "fields", "reprodata", "island",
    "data_volume", "num_cpus", "execution_time", "group_start", "group_end", "streaming",
    "base_name", "dt", "text", "targetPhase", "log_level", "container", "dataclass",
    "appclass", "proc_index",
])  # fmt: skip
"""Keys of a dropspec that are not parameters of the class."""
ARGUMENT_KEYS = frozenset({"applicationArgs", "componentParams", "constraintParams", "fields"})


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of all specs of a class that have the same keys."""

    plain: bool
    """Whether there is nothing in them that an object has to be told."""
    has_arguments: bool
    initializes: bool

    @classmethod
    def of(cls, drop_class: type[AbstractDROP], keys: tuple[str, ...]) -> _Shape:
        """Return the shape of specs of `drop_class` with `keys`."""
        initializes = drop_class.initialize is not AbstractDROP.initialize
        has_arguments = not ARGUMENT_KEYS.isdisjoint(keys)
        told = set(keys) - SPEC_KEYS | (drop_class.declared_parameters().keys() & set(keys))
        return cls(not (told or has_arguments or initializes), has_arguments, initializes)


class AbstractDROP(ReproducibleDROP, EventFirer, EventHandler):
    """A drop: a piece of data, or a program, in a graph that drives itself.

    Drops are created, written once, read any number of times, and may expire and be deleted in
    the end. Subclasses say how the data is stored or what the program does. Parameters are
    declared as class attributes (see `dlg.drops.parameters`); a keyword that a class does not
    declare is an error in Python code, and is kept in `parameters` when it comes from a graph
    file. A class that overrides `initialize` interprets keywords by itself.
    """

    __slots__ = ("__weakref__", "_given", "_graph", "_row")

    _graph: LiveGraph
    _row: int
    _given: dict[str, Any] | None
    _declared: ClassVar[Mapping[str, Parameter]] = {}
    _shapes: ClassVar[dict[tuple[str, ...], _Shape]] = {}
    traits: ClassVar[int] = 0

    name = dlg_string_param("the name people know the drop by")
    humanReadableKey = dlg_string_param("a short label for logs and generated file names")
    executionMode = dlg_enum_param(
        ExecutionMode, "who triggers the consumers: the drop or somebody else", ExecutionMode.DROP
    )
    expectedSize = dlg_int_param("bytes after which the drop completes by itself", -1)
    lifespan = dlg_float_param("seconds after creation when the data expires", -1.0)
    expireAfterUse = dlg_bool_param("whether the data expires once all consumers ended", False)
    persist = dlg_bool_param("whether the data is kept whatever else is said", False)
    block_skip = dlg_bool_param("skip only when everything before was skipped", False)
    node = dlg_string_param("the node manager that runs the drop", "localhost")
    dataIsland = dlg_string_param("the data island the node belongs to", "localhost")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declared = parameters.declared(cls)
        cls._shapes = {}
        if not cls.traits & APP and cls._does_work_at_completion():
            cls.traits |= SEALED

    @classmethod
    def declared_parameters(cls) -> Mapping[str, Parameter]:
        """Return the parameters the class declares, by name."""
        return cls._declared or parameters.declared(cls)

    @classmethod
    def _does_work_at_completion(cls) -> bool:
        """Return whether a data class overrides what happens when a drop completes."""
        own = cls.setCompleted.__module__ not in {__name__, "dlg.drops.data_base"}
        return own or cls.seal is not AbstractDROP.seal

    def __init__(self, oid: str, uid: str | None = None, **kwargs: Any) -> None:
        """Make a drop that belongs to no session.

        Raises `InvalidDropException` for a keyword the class does not know or an ill-typed value.
        """
        super().__init__()
        self._graph, self._row = linking.stand_alone(self, oid, uid or oid, self.traits)
        self._configure(kwargs, strict=True)

    def _attach(self, graph: LiveGraph, row: int) -> None:
        """Become the object of `row` of `graph`, with the parameters of its dropspec."""
        self._listeners = None
        self._graph, self._row = graph, row
        self._configure(graph.specs[row], strict=False)

    def _configure(self, values: Mapping[str, Any], *, strict: bool) -> None:
        """Take parameters over; specs with the same keys share what is found out about them."""
        self._given = None
        shape = tuple(values)
        plan = self._shapes.get(shape)
        if plan is None:
            plan = self._shapes[shape] = _Shape.of(type(self), shape)
        if not plan.plain:
            self._take(values, plan, strict)

    def _take(self, values: Mapping[str, Any], plan: _Shape, strict: bool) -> None:
        if "precious" in values:  # the name `persist` had before 2022
            values = {"persist": values["precious"], **values}
        if plan.has_arguments:
            values = parameters.values_of(values)
        known = self._declared.keys() & values.keys()
        if known:
            self._given = {
                key: self._declared[key].convert(values[key], self.uid) for key in known
            }
        unknown = {
            key: value
            for key, value in values.items()
            if key not in self._declared and key not in SPEC_KEYS
        }
        if unknown:
            self._take_unknown(unknown, refuse=strict and not plan.initializes)
        if known or unknown:
            self._check_given()
        if plan.initializes:
            self.initialize(**{k: v for k, v in values.items() if k not in SPEC_KEYS})

    def _take_unknown(self, values: dict[str, Any], *, refuse: bool) -> None:
        values.pop("precious", None)
        for key in values if refuse else ():
            close = parameters.nearest(key, self._declared)
            hint = f"; did you mean {close!r}?" if close else ""
            raise InvalidDropException(self, f"{type(self).__name__} knows no {key!r}{hint}")
        self._given = {**values, **(self._given or {})}

    def _check_given(self) -> None:
        """Refuse parameters that contradict each other, and note what the graph must know."""
        given = self._given or {}
        if to_number(given.get("lifespan")) > 0 and given.get("expireAfterUse"):
            reason = "lifespan and expireAfterUse exclude each other; give one of them"
            raise InvalidDropException(self, reason)
        if given.get("executionMode") is ExecutionMode.EXTERNAL:
            self._graph.flow.traits[self._row] |= EXTERNAL

    def initialize(self, **kwargs: Any) -> None:
        """Do what a subclass has to do with its keywords when a drop is made."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uid} {self.status.name}>"

    # -- who it is ------------------------------------------------------------------------

    @property
    def oid(self) -> str:
        """The object id: the same for drops that stand for the same data."""
        return self._graph.oids[self._row]

    @property
    def uid(self) -> str:
        """The unique id of this one drop."""
        return self._graph.uids[self._row]

    @property
    def parameters(self) -> dict[str, Any]:
        """All values the drop was given, declared or not, by name."""
        if self._given is None:
            self._given = {}
        return self._given

    @property
    def spec(self) -> Mapping[str, Any]:
        """The dropspec the drop was made from; empty for one made in Python."""
        return self._graph.spec(self._row)

    @property
    def session_id(self) -> str:
        """The session the drop belongs to, or an empty text."""
        return self._graph.surroundings.session_id

    # -- what state it is in --------------------------------------------------------------

    @property
    def status(self) -> DROPStates:
        """The current status."""
        return DROPStates(self._graph.flow.status[self._row])

    @property
    def failure(self) -> BaseException | None:
        """What the drop failed with, if it failed by itself."""
        return self._graph.flow.failures.get(self._row)

    @property
    def stopped_by(self) -> str:
        """The uid of the drop whose end stopped this one, or an empty text."""
        cause = self._graph.flow.stopped_by.get(self._row)
        return "" if cause is None else self._graph.uids[cause]

    def isCompleted(self) -> bool:
        """Return whether the drop is COMPLETED at this moment."""
        return self.status is DROPStates.COMPLETED

    def setCompleted(self) -> None:
        """Move the drop to COMPLETED, however much data has arrived, and trigger consumers.

        Nothing happens to a drop that is over already.
        """
        self._graph.apply(self._graph.flow.sealed, self._row)

    def seal(self) -> None:
        """Do what must be done before a data drop is complete; by default nothing."""

    def completedrop(self) -> None:
        """Complete the drop: the name under which user components call `setCompleted`."""
        self.setCompleted()

    def setError(self, failure: BaseException | None = None) -> None:
        """Move the drop to ERROR; `failure` says why."""
        if failure is None:
            failure = InvalidDropException(self, "was set to ERROR from outside")
        self._graph.apply(self._graph.flow.fail, self._row, failure)

    def skip(self) -> None:
        """Move the drop to SKIPPED, and with it what depends on it."""
        self._graph.apply(self._graph.flow.skip, self._row)

    def cancel(self) -> None:
        """Move the drop to CANCELLED, and tell those who wait for it."""
        self._graph.apply(self._graph.cancel_rows, [self._row])

    def producerFinished(self, uid: str, drop_state: DROPStates) -> None:
        """Take note that producer `uid`, which is not in this graph, ended in `drop_state`."""
        self._graph.apply(self._graph.flow.report, self._row, DROPStates(drop_state))

    @property
    def given(self) -> Mapping[str, Any] | None:
        """The values the drop was given, or None if there are none."""
        return self._given

    def pack_place(self) -> Any:
        """Return what an output needs to be told when its app runs in another process."""
        return None

    def release(self) -> None:
        """All consumers have ended: drop what is not to be kept. Apps keep nothing."""

    def interrupt(self) -> None:
        """The drop was cancelled while it was running: end what it waits for.

        Called again, it means: at once.
        """

    def _close_writer(self) -> None:
        """Close what was opened for writing."""

    @property
    def phase(self) -> DROPPhases:
        """How safe what the drop stands for is; an app can be run again, and that is all."""
        return DROPPhases.GAS

    # -- what it is linked to -------------------------------------------------------------

    def addConsumer(self, consumer: Any, back: bool = True) -> None:
        """Let `consumer` be told when this drop has ended.

        A link is one thing seen from two sides, so `back` makes no difference. An object that is
        no drop but handles events is subscribed to this drop's `dropCompleted`.
        """
        if isinstance(consumer, AbstractDROP):
            linking.consume(self, consumer)
        else:
            self.subscribe(consumer, "dropCompleted")

    def addStreamingConsumer(self, streamingConsumer: Any, back: bool = True) -> None:
        """Let `streamingConsumer` have the data while it is being written."""
        linking.consume(self, streamingConsumer, streaming=True)

    def addProducer(self, producer: Any, back: bool = True) -> None:
        """Let this drop wait for `producer`, which writes it."""
        linking.produce(producer, self)

    @property
    def consumers(self) -> list[Any]:
        """The drops that read this one once it has ended."""
        graph, streams = self._graph, self._graph.streams.get(self._row, ())
        return self._drops(
            r for r in graph.flow.after[self._row]
            if graph.flow.traits[r] & APP and r not in streams
        )  # fmt: skip

    @property
    def streamingConsumers(self) -> list[Any]:
        """The drops that read this one while it is written."""
        return self._drops(self._graph.streams.get(self._row, ()))

    @property
    def producers(self) -> list[Any]:
        """The drops that write this one."""
        traits = self._graph.flow.traits
        return self._drops(r for r in self._graph.flow.before[self._row] if traits[r] & APP)

    @property
    def parent(self) -> Any:
        """The container that holds this drop, or None."""
        row = self._graph.parents.get(self._row)
        return None if row is None else self._graph.drop(row)

    @parent.setter
    def parent(self, container: Any) -> None:
        linking.contain(container, self)

    def _drops(self, rows: Iterable[int]) -> list[Any]:
        drop = self._graph.drop
        return [drop(row) for row in rows]

    def get_consumers_nodes(self) -> list[str]:
        """Return the nodes on which consumers run, each once."""
        return sorted({consumer.node for consumer in self.consumers})

    # -- what it hears and says -----------------------------------------------------------

    def subscribe(self, listener: EventHandler, eventType: str | None = None) -> None:
        """Deliver this drop's events of `eventType`, or all, to `listener` from now on."""
        super().subscribe(listener, eventType)
        self._graph.flow.traits[self._row] |= WATCHED

    def _tell(self, status: DROPStates) -> None:
        """Tell listeners that the status is `status` now."""
        about = {"oid": self.oid, "uid": self.uid, "session_id": self.session_id}
        about["name"] = self.name or self.uid
        self._fireEvent("status", status=status, **about)
        if status not in {DROPStates.INITIALIZED, DROPStates.WRITING}:
            self._tell_end(status, about)

    def _tell_end(self, status: DROPStates, about: dict[str, str]) -> None:
        self._fireEvent("dropCompleted", status=status, **about)
        if "reprodata" in self.spec and self.reproducibility_level is not Level.NOTHING:
            try:
                self.commit()
            except Exception:  # a component's own, which the run does not hang on
                logger.exception(
                    "%s cannot say what it did", self.uid, extra={"action": "commit_failed"}
                )

    def handleInterest(self, drop: Any) -> None:
        """Take an interest in `drop`, to which this one is not linked; by default none."""

    # -- what it looks up -----------------------------------------------------------------

    def autofill_environment_variables(self) -> None:
        """Replace parameters of the form `$DLG_NAME` and `$store.name` by what they stand for.

        Raises `InvalidDropException` for a variable or store that does not exist.
        """
        if self._given:
            environment.fill(self, self._given, self._declared)

    def get_environment_variable(self, key: str) -> Any:
        """Return what `$DLG_NAME`, or `$store.name[.name]` in a producer or input, stands for."""
        return environment.look_up(self, key)

    def get_environment_variables(self, keys: list[str]) -> list[Any]:
        """Return what each of `keys` stands for."""
        return [environment.look_up(self, key) for key in keys]

    def _popArg(self, kwargs: dict[str, Any], key: str, default: Any = None) -> Any:
        """Take `key` out of the keywords given to `initialize`."""
        return kwargs.pop(key, default)


def to_number(value: Any) -> float:
    """Return `value` as a number, and nothing given as -1."""
    return -1.0 if value is None or isinstance(value, str) else float(value)
