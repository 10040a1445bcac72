"""An algorithm of a user at work: set up, prepared, and asked to process.

What the class of the user defines depends on its kind, and so do the arguments of its methods:

    setup(parameters) -> True                       if defined; all parameters, defaults filled in
    prepare(data_loaders) -> True                   if defined, not for the first API
    process(inputs, outputs) -> True                legacy
    process(inputs, data_loaders, outputs) -> True  sequential
    process(data_loaders, outputs) -> True          autonomous
    validate(request) -> (bool, answer)             evaluators of loops
    write(outputs, processor_output, end) and read(inputs), the latter if sequential

Analyzers have `output` where others have `outputs`; processors of loops also get `loop_channel`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from dlg.beat.loader import run
from dlg.exceptions import DaliugeException

__all__ = ["AlgorithmError", "Runner"]

FIRST_API = 1
LEGACY, SEQUENTIAL, AUTONOMOUS = "legacy", "sequential", "autonomous"
LOOP_CHANNEL = "loop_channel"
_ALL_BUT_MAIN = (AUTONOMOUS, "autonomous_loop_processor")


class AlgorithmError(DaliugeException, RuntimeError):
    """The class of a user is not what its declaration says, or was used in the wrong order."""


class Runner:
    """One object of the user's class.

    What fails in it is raised as an `exc` with the same text, if that is given, else as it is.
    """

    def __init__(
        self,
        module: ModuleType,
        obj_name: str,
        algorithm: Any,
        exc: type[Exception] | None = None,
    ) -> None:
        self.algorithm, self.exc = algorithm, exc
        self.name = module.__name__
        made = getattr(module, obj_name, None)
        if not isinstance(made, type):
            raise (exc or AlgorithmError)(f"{self.name} defines no class `{obj_name}'")
        self.obj = run(made, "__new__", exc)
        self.ready = not hasattr(self.obj, "setup")
        self.prepared = algorithm.api_version == FIRST_API or not hasattr(self.obj, "prepare")
        self._process: Callable[..., Any] | None = None
        self._given: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """Return what the user's object has under this name."""
        if name == "obj":  # not made yet
            raise AttributeError(name)
        return getattr(self.obj, name)

    def setup(self, parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> bool:
        """Hand the parameters over; tell whether the user's code agrees.

        Raises `KeyError` for a parameter that is not declared, `ValueError` for a value that it
        may not have.
        """
        if not hasattr(self.obj, "setup"):
            self.ready = True
            return True
        complete = self._completed(parameters)
        self.ready = bool(run(self.obj, "setup", self.exc, complete, *args, **kwargs))
        return self.ready

    def _completed(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        declared = self.algorithm.parameters or {}
        for name in parameters:
            if name not in declared:
                raise (self.exc or KeyError)(
                    f"the parameter `{name}' is not declared by algorithm `{self.algorithm.name}'"
                )
        complete = {}
        for name, parameter in declared.items():
            if name in parameters:
                complete[name] = self.algorithm.clean_parameter(name, parameters[name])
            elif "default" in parameter:
                complete[name] = parameter["default"]
            else:
                complete[name] = parameter["type"].type()
        return complete

    def prepare(self, data_loaders: Any) -> bool:
        """Let the user's code look at data before it begins; tell whether it agrees."""
        if self.prepared:
            return True
        if not self.ready:
            raise (self.exc or AlgorithmError)(f"algorithm `{self.name}' is not yet set up")
        if self.algorithm.type in _ALL_BUT_MAIN:
            data_loaders = data_loaders.secondaries()
        self.prepared = bool(run(self.obj, "prepare", self.exc, data_loaders))
        return self.prepared

    def process(
        self,
        inputs: Any = None,
        data_loaders: Any = None,
        outputs: Any = None,
        output: Any = None,
        loop_channel: Any = None,
    ) -> Any:
        """Let the user's code process what is there; return what it returns."""
        given = (inputs, data_loaders, outputs, output, loop_channel)
        if self._process is None or any(
            a is not b for a, b in zip(given, self._given, strict=True)
        ):
            self._process, self._given = self.bound(*given), given
        return self._process()

    def bound(
        self,
        inputs: Any = None,
        data_loaders: Any = None,
        outputs: Any = None,
        output: Any = None,
        loop_channel: Any = None,
    ) -> Callable[[], Any]:
        """Return a call of the user's `process` with what its kind gets, to be made many times."""
        exc = self.exc or AlgorithmError
        if not self.ready:
            raise exc(f"algorithm `{self.name}' is not yet set up")
        if not self.prepared:
            raise exc(f"algorithm `{self.name}' is not yet prepared")
        method = getattr(self.obj, "process", None)
        if method is None:
            raise exc(f"the class of `{self.name}' has no method `process'")
        given: dict[str, Any] = {}
        if not self.algorithm.type.startswith(AUTONOMOUS):
            given["inputs"] = inputs
        if self.algorithm.type != LEGACY:
            given["data_loaders"] = data_loaders
        given["output" if outputs is None else "outputs"] = output if outputs is None else outputs
        return self._call(method, given, loop_channel)

    def _call(
        self, method: Callable[..., Any], given: dict[str, Any], loop_channel: Any
    ) -> Callable[[], Any]:
        names = _argument_names(method)
        wants = names is not None and LOOP_CHANNEL in names
        if wants != (loop_channel is not None):
            state = "wants a loop channel, but is in no loop" if wants else "knows no loop channel"
            raise (self.exc or AlgorithmError)(f"`process' of `{self.name}' {state}")
        if wants:
            given[LOOP_CHANNEL] = loop_channel
        if names is not None and set(names) == set(given):
            given = {name: given[name] for name in names}  # in the order of the user
        if self.exc is not None:
            return functools.partial(run, self.obj, "process", self.exc, *given.values())
        return functools.partial(method, *given.values())

    # --- evaluators of loops ------------------------------------------------------------------

    def validate(self, request: Any) -> tuple[bool, Any]:
        """Let an evaluator judge a request: whether it is valid, and the answer."""
        verdict, answer = run(self.obj, "validate", self.exc, request)
        return bool(verdict), answer

    def write(self, outputs: Any, processor_output_name: str, end_data_index: int | None) -> Any:
        """Let an evaluator write after the processor has."""
        return run(self.obj, "write", self.exc, outputs, processor_output_name, end_data_index)

    def read(self, inputs: Any) -> Any:
        """Let a sequential evaluator read its inputs, before each step of the processor."""
        return run(self.obj, "read", self.exc, inputs)


def _argument_names(method: Callable[..., Any]) -> list[str] | None:
    """Return the names of the arguments of `method`, in order; None if they are unknown."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
