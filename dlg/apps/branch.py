"""Apps that let a graph go one way or the other."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.apps.python_function import PyFuncApp
from dlg.ddap_protocol import DROPStates
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_bool_param
from dlg.exceptions import InvalidDropException

_TWO = 2


class BranchAppDrop(BarrierAppDROP):
    """Asks `condition` and skips one of two outputs: the second if it holds, else the first."""

    __slots__ = ()

    runs_here: ClassVar[bool] = True

    def condition(self) -> bool:
        """Return whether to go on by the first output; subclasses say."""
        raise InvalidDropException(self, f"{type(self).__name__} has no condition")

    def run(self) -> None:
        """Skip the output that is not taken."""
        if len(self.outputs) != _TWO:
            found = len(self.outputs)
            raise InvalidDropException(self, f"a branch has 2 outputs, this one has {found}")
        taken = bool(self.condition())
        self.outputs[1 if taken else 0].skip()


class SimpleBranch(BranchAppDrop):
    """A branch whose `result` is a parameter."""

    __slots__ = ()

    result = dlg_bool_param("whether to go on by the first output", True)

    def condition(self) -> bool:
        """Return `result`."""
        return bool(self.result)


class Branch(PyFuncApp):
    """Calls a function that returns true or false and goes on by the port of that name.

    The value of the input `x` (or of the only input) is handed on to the outputs that are taken;
    those behind the other port are skipped. Outputs whose ports have other names get the truth
    itself.
    """

    __slots__ = ()

    def store_result(self, result: Any) -> None:
        """Hand the input on through one port and skip what is behind the other."""
        outputs = ports.outputs(self)
        word = "true" if _truth(result) else "false"
        named = {port.name.lower() for port in outputs}
        if not named & {"true", "false"}:
            self._by_position(outputs, word)
            return
        value = self._passed_on()
        for port in outputs:
            name = port.name.lower()
            if name not in {"true", "false"}:
                port.drop.store(result, self._encoding(port, self.output_parser))
            elif name != word:
                port.drop.skip()
            elif value is not None:
                port.drop.store(value[0], self._encoding(port, self.output_parser))

    def _by_position(self, outputs: list[ports.Port], word: str) -> None:
        if len(outputs) != _TWO:
            raise InvalidDropException(self, "a branch needs ports named 'true' and 'false'")
        taken, other = outputs if word == "true" else reversed(outputs)
        value = self._passed_on()
        if value is not None:
            taken.drop.store(value[0], self._encoding(taken, self.output_parser))
        other.drop.skip()

    def _passed_on(self) -> tuple[Any] | None:
        """Return the value to hand on; None when there is no such input."""
        there = [p for p in ports.inputs(self) if p.drop.status is DROPStates.COMPLETED]
        named = [port for port in there if port.name == "x"]
        chosen = named or (there if len(there) == 1 else [])
        return (self._load(chosen[0]),) if chosen else None


def _truth(result: Any) -> bool:
    """Return whether a result means yes; the text "False" does not."""
    if isinstance(result, str):
        return result.strip().lower() not in {"", "false", "0", "no"}
    return bool(result)
