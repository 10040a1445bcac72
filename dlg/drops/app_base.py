"""App drops: programs that run when their inputs are there and complete their outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops import linking
from dlg.drops.base import AbstractDROP
from dlg.drops.execution import run_app
from dlg.drops.parameters import dlg_int_param
from dlg.exceptions import InvalidDropException
from dlg.states.steps import APP, MANUAL
from dlg.support import context


class AppDROP(AbstractDROP):
    """A program in the graph that decides by itself when it works.

    The base of apps that listen to their inputs: `dataWritten` is called with each piece of data
    written to a streaming input, `dropCompleted` when an input, streaming or not, has ended. Such
    an app calls `_notifyAppIsFinished` when its work is done. Apps that simply run once their
    inputs are there derive from `BarrierAppDROP`.
    """

    __slots__ = ("_outcome", "stopper")

    traits: ClassVar[int] = APP | MANUAL
    runs_here: ClassVar[bool] = False
    """Whether the app is always run in the process of its graph, as it does little but wait."""
    calls_away: ClassVar[bool] = False
    """Whether the app runs in the process of its graph and asks for calls in others: it has an
    attribute `caller` then, which a runner with processes sets (`dlg.drops.away`)."""
    transient: ClassVar[bool] = False
    """Whether the object may be forgotten once the app has run: it keeps nothing worth having."""
    cacheable: ClassVar[bool] = True
    """Whether the app makes the same of the same inputs, parameters and code. One that reads a
    clock, the network, random numbers or a file that is no input says False here."""
    results: ClassVar[tuple[str, ...]] = ()
    """Attributes that come back when the app was run in another process."""

    n_tries = dlg_int_param("how often the app is tried before it has failed", 1)
    input_error_threshold = dlg_int_param("per cent of the inputs that may fail", 0)

    _outcome: AppDROPStates
    stopper: Callable[[], None]
    """What ends the app where it is being run, if that is not here."""

    def interrupt(self) -> None:
        """The app was cancelled while it was running: end it, where that can be done."""
        stopper = getattr(self, "stopper", None)
        if stopper is not None:
            stopper()

    def run(self) -> None:
        """Do the app's work; the default has none. An exception is the app's failure."""

    def execute(self) -> None:
        """Run the app now, in this thread, whatever its inputs do; return when it has ended.

        Nothing happens if it is running or over.
        """
        graph = self._graph
        graph.step_in()
        try:
            if graph.apply(graph.flow.claim, self._row):
                with context.working_for(drop=self.uid):
                    failure = run_app(graph, self._row)
                if failure is None:
                    graph.apply(graph.flow.finish, self._row)
                else:
                    graph.apply(graph.flow.fail, self._row, failure)
        finally:
            graph.step_back()

    def async_execute(self) -> None:
        """Let the app be run by the graph's runner soon, whatever its inputs do."""
        self._graph.start([self._row])

    @property
    def execStatus(self) -> AppDROPStates:
        """How far the execution has come."""
        return AppDROPStates(self._graph.flow.exec_status[self._row])

    @execStatus.setter
    def execStatus(self, status: AppDROPStates) -> None:
        """Say RUNNING, or what `_notifyAppIsFinished` is to report; for listening apps."""
        if status == AppDROPStates.RUNNING:
            self._graph.apply(self._graph.flow.claim, self._row)
        else:
            self._outcome = AppDROPStates(status)

    # -- links ----------------------------------------------------------------------------

    def addInput(self, inputDrop: Any, back: bool = True) -> None:
        """Let this app consume `inputDrop`."""
        linking.consume(inputDrop, self)

    def addStreamingInput(self, streamingInputDrop: Any, back: bool = True) -> None:
        """Let this app consume `streamingInputDrop` while it is being written."""
        linking.consume(streamingInputDrop, self, streaming=True)

    def addOutput(self, outputDrop: Any, back: bool = True) -> None:
        """Let this app produce `outputDrop`."""
        linking.produce(self, outputDrop)

    @property
    def inputs(self) -> list[Any]:
        """The data this app reads once it is complete, in the order of the graph."""
        streams, row = self._graph.streams, self._row
        before = self._graph.flow.before[row]
        return self._drops(r for r in before if row not in streams.get(r, ()))

    @property
    def streamingInputs(self) -> list[Any]:
        """The data this app reads while it is being written."""
        streams, row = self._graph.streams, self._row
        before = self._graph.flow.before[row]
        return self._drops(r for r in before if row in streams.get(r, ()))

    @property
    def outputs(self) -> list[Any]:
        """The data this app writes, in the order of the graph."""
        return self._drops(self._graph.flow.after[self._row])

    # -- events ---------------------------------------------------------------------------

    def dataWritten(self, uid: str, data: bytes) -> None:
        """Take `data`, just written to the streaming input `uid`; the default ignores it."""

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Take note that input `uid` has ended in `drop_state`; the default ignores it."""

    def _notifyAppIsFinished(self) -> None:
        """Say that the work of a listening app is done: its outputs complete, or fail with it."""
        graph = self._graph
        outcome = getattr(self, "_outcome", AppDROPStates.FINISHED)
        if outcome is AppDROPStates.ERROR:
            failure = InvalidDropException(self, "reported its own failure")
            graph.apply(graph.flow.fail, self._row, failure)
        elif outcome is AppDROPStates.SKIPPED:
            graph.apply(graph.flow.skip, self._row)
        else:
            graph.apply(graph.flow.finish, self._row)

    def _tell_end(self, status: DROPStates, about: dict[str, str]) -> None:
        self._fireEvent("execStatus", execStatus=self.execStatus, **about)
        self._fireEvent("producerFinished", status=status, execStatus=self.execStatus, **about)
        super()._tell_end(status, about)

    def wait(self, seconds: float) -> bool:
        """Wait for `seconds`, or until the app is cancelled; return whether it still runs.

        Apps that have to wait use this instead of `time.sleep`, so that cancelling ends them.
        """
        graph = self._graph
        with graph.changed:
            graph.changed.wait_for(lambda: not self.is_running, timeout=max(0.0, seconds))
        return self.is_running

    @property
    def is_running(self) -> bool:
        """Whether the app is RUNNING: false as soon as it has been cancelled."""
        return self._graph.flow.exec_status[self._row] == AppDROPStates.RUNNING


class InputFiredAppDROP(AppDROP):
    """An app that runs once a number of its inputs have ended.

    `n_effective_inputs` says how many, -1 means all. Inputs that end later are ignored.
    """

    __slots__ = ()

    traits: ClassVar[int] = APP

    n_effective_inputs = dlg_int_param("how many inputs must end before the app runs; -1: all", -1)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.dropCompleted is not InputFiredAppDROP.dropCompleted:
            cls.traits |= MANUAL  # it wants to hear of its inputs itself

    def _check_given(self) -> None:
        super()._check_given()
        if isinstance(self, BarrierAppDROP):
            return
        needed = self.n_effective_inputs
        if needed == 0 or needed < -1:
            raise InvalidDropException(
                self, f"n_effective_inputs must be -1 or at least 1, not {needed}"
            )
        if needed > 0 and not self._graph.specs:  # a session has told its graph before
            self._graph.flow.expect(self._row, needed)

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Take note that an input that is not in this graph has ended."""
        self._graph.apply(self._graph.flow.report, self._row, DROPStates(drop_state))


class BarrierAppDROP(InputFiredAppDROP):
    """An app that runs once all its inputs have ended."""

    __slots__ = ()
