"""What an engine is: who runs a physical graph, wherever that is.

An engine is asked for by name (`dlg.plugins.engine`). Called with a graph it runs it and returns
the report; `start` returns at once, for those who want to watch, cancel and collect themselves.
Options are keywords; all engines know `workdir`, `workers` and `reproducibility`, each has some
of its own, and what it cannot do it refuses with `NotOnThisEngineError` before anything runs.
`dlg_engine.testing.engine_contract` holds the tests that every member must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import UsageError


class NotOnThisEngineError(UsageError):
    """A graph or an option asks for something that the chosen engine cannot do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an engine can do beside running graphs."""

    streaming: bool = False
    """Apps may read data while it is written."""
    reuse: bool = False
    """Results can be taken from a store (option `store`)."""
    reproducibility: bool = False
    """A run can leave evidence behind, to be compared with others."""
    resumable: bool = False
    """A run that broke off can be taken up again."""
    exceptions: bool = False
    """Errors of drops carry the exception itself, and not only its text."""
    elsewhere: bool = False
    """Apps run in other processes, perhaps on other hosts."""


class Failure(Protocol):
    """What a report says of a drop that failed by itself."""

    @property
    def uid(self) -> str:
        """The drop."""

    @property
    def exception(self) -> str:
        """The kind of exception and its text."""


class Report(Protocol):
    """What came of a run."""

    @property
    def status(self) -> str:
        """FINISHED, FAILED or CANCELLED."""

    @property
    def session_id(self) -> str:
        """The session that ran the graph."""

    @property
    def reason(self) -> str:
        """Why the run is not FINISHED, where no drop's error says it."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many drops are in each state."""

    @property
    def errors(self) -> Sequence[Failure]:
        """The drops that failed by themselves."""

    @property
    def states(self) -> Mapping[str, DROPStates]:
        """The state of each drop by its uid."""

    def result(self, uid: str) -> Any:
        """Return what data drop `uid` holds: an object where the engine keeps those, or bytes."""

    def evidence(self) -> list[Any]:
        """Return what the run left behind to be compared: drops by oid, and the whole.

        Raises `UsageError` if nobody asked for it (option `reproducibility`).
        """


class Progress(Protocol):
    """How far a run has come, in numbers of drops."""

    @property
    def total(self) -> int:
        """All of them."""

    @property
    def done(self) -> int:
        """Those that have come to an end, whichever."""

    @property
    def failed(self) -> int:
        """Those in error."""


@runtime_checkable
class Run(Protocol):
    """A graph that is being run."""

    @property
    def session_id(self) -> str:
        """The session that runs the graph."""

    def watch(
        self, timeout: float | None = None, progress: Callable[[Any], object] | None = None
    ) -> bool:
        """Wait for the end; return False if `timeout` seconds passed first.

        `progress` is called now and then with a `Progress`, and at the end.
        """

    def cancel(self, reason: str = "cancelled") -> None:
        """Give the run up; running apps are told to stop. A run that is over stays as it is."""

    def collect(self) -> Report:
        """Return what came of the run, and free what was only needed for it.

        Raises `InvalidSessionState` while the run is not over.
        """


@runtime_checkable
class Engine(Protocol):
    """Who runs physical graphs."""

    @property
    def name(self) -> str:
        """The name by which it is asked for."""

    @property
    def abilities(self) -> Abilities:
        """What it can do."""

    def start(self, graph: Any, **options: Any) -> Run:
        """Begin to run `graph`: a path, a list of dropspecs, or a `PhysicalGraph`.

        Raises `InvalidGraphException` if the graph is wrong, and `NotOnThisEngineError`.
        """

    def __call__(
        self,
        graph: Any,
        *,
        timeout: float | None = None,
        progress: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> Report:
        """Run `graph` and return what came of it; after `timeout` seconds it is cancelled."""
