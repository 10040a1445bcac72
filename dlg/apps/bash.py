"""Shell commands as apps."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from dlg import settings
from dlg.apps.function_arguments import typed
from dlg.ddap_protocol import DROPStates
from dlg.drops import placeholders, ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import argument_value, dlg_any_param, dlg_string_param
from dlg.drops.ports import Port
from dlg.exceptions import InvalidDropException, RunError
from dlg.reproducibility.summaries import command_summary
from dlg.states.steps import APP, MANUAL
from dlg.support.commands import Command, Outcome

logger = logging.getLogger(__name__)

LAST_LINES = 20
MOST_LOGGED = 1 << 15
"""How many bytes that a command has printed go to the log, of each of its streams."""
GRACE_S = 3.0
"""Seconds a cancelled command gets to end by itself; less than a session waits for its apps."""
BY_VALUE = frozenset({"utf-8", "eval", "json"})
"""Encodings of a port by which a command gets the content of a file instead of its path."""


class CommandFailedError(RunError):
    """A command ended with an exit code other than 0."""

    def __init__(self, uid: str, outcome: Outcome) -> None:
        code = outcome.exit_code
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        lines = outcome.stderr.decode(errors="replace").splitlines()[-LAST_LINES:]
        said = "; it said on stderr:\n" + "\n".join(lines) if lines else ""
        super().__init__(f"drop {uid}: the command {how}{said}")
        self.outcome = outcome


class BashShellApp(BarrierAppDROP):
    """Runs a command with bash.

    In `command`, `%i0` and `%o0` (or `%i[uid]`, `%o[uid]`) stand for the paths of inputs and
    outputs, `%iDataURL0` for a URL, and `{name}` for a port or an argument of the graph: the path
    of a file, or the value. What is put in is quoted. Arguments that the command does not mention
    are added at its end, written as `argumentPrefix` and `paramValueSeparator` say. The command
    runs in the session's directory. An exit code other than 0 is a failure; what the command
    printed is in `outcome`.
    """

    __slots__ = ("_pipes", "_running", "outcome")

    runs_here: ClassVar[bool] = True

    command = dlg_any_param("the command", "")
    input_redirection = dlg_string_param("put before the command", "")
    output_redirection = dlg_string_param("put after the command", "")
    command_line_arguments = dlg_any_param("put after the command's own arguments", "")
    argumentPrefix = dlg_string_param("before the name of an added argument", "--")
    paramValueSeparator = dlg_string_param("between its name and its value", " ")

    _pipes: tuple[_Pipe, ...]
    _running: Command | None
    outcome: Outcome | None

    def run(self) -> None:
        """Run the command and wait for its end; raise `CommandFailedError` if it fails."""
        self._run(self.command_line())

    def generate_recompute_data(self) -> Mapping[str, Any]:
        """Return the command and what it printed, once it has run."""
        outcome = getattr(self, "outcome", None)
        if outcome is None:
            return super().generate_recompute_data()
        printed = outcome.stdout, outcome.stderr
        return command_summary(str(self.command), *printed, outcome.exit_code)

    def command_line(self) -> str:
        """Return the command with everything filled in."""
        template = str(self.command or "").strip()
        if not template:
            raise InvalidDropException(self, "the parameter 'command' is empty")
        parts = (self.input_redirection, template, self.command_line_arguments)
        template = " ".join(str(part).strip() for part in parts if part)
        named = self._named()
        used = placeholders.names_in(template)
        line = placeholders.fill_command(template, self.inputs, self.outputs, named)
        line += self._added(used)
        return f"{line} {self.output_redirection or ''}".strip()

    def _named(self) -> dict[str, Callable[[], Any]]:
        """Return what each name in braces stands for: arguments, then ports, then drops."""
        named: dict[str, Callable[[], Any]] = {}
        for name, value in self._arguments().items():
            named[name] = functools.partial(_same, value)
        both = [(port, True) for port in ports.inputs(self)]
        both += [(port, False) for port in ports.outputs(self)]
        for port, is_input in both:
            value_of = functools.partial(_value, port, is_input)
            for name in (port.drop.oid, port.drop.uid, port.name):
                if name:
                    named[name] = value_of
        return named

    def _arguments(self) -> dict[str, Any]:
        found = {}
        for name, argument in ports.arguments(self.spec).items():
            kind = argument.get("parameterType", "ApplicationArgument")
            if name in self._declared or kind not in {"ApplicationArgument", "Application"}:
                continue
            value = self.parameters.get(name)
            value = argument_value(argument) if value in (None, "") else value
            if value not in (None, ""):
                kind = str(argument.get("type") or "")
                found[name] = self._placed(typed(value, kind, name, self.uid))
        return found

    def _placed(self, value: Any) -> Any:
        """Return the value of an argument, in which `%i0` and the like may stand for a drop."""
        if not isinstance(value, str):
            return value
        value = placeholders.replace_dataurl_placeholders(value, self.inputs, self.outputs)
        return placeholders.replace_path_placeholders(value, self.inputs, self.outputs)

    def _added(self, used: set[str]) -> str:
        """Return the arguments that the command does not mention, written out."""
        known = ports.arguments(self.spec)
        words = ""
        for name, value in self._arguments().items():
            argument = known[name]
            if name in used or argument.get("usage", "NoPort") != "NoPort" or name in _NEVER_ADDED:
                continue
            text = placeholders.quote(value)
            if argument.get("positional") not in (True, "true", "True"):
                text = f"{self.argumentPrefix.strip()}{name}{self.paramValueSeparator}{text}"
            words += f" {text}"
        return words

    def environment(self) -> Mapping[str, str]:
        """Return the environment of the command: that of the process, and who it works for."""
        around = self._graph.surroundings
        own = {"DLG_UID": self.uid, "DLG_SESSION_ID": around.session_id}
        if around.directory is not None:
            own["DLG_SESSION_DIR"] = str(around.directory)
        return {**settings.environment(), **around.variables, **own}

    def _run(self, line: str, stdin: IO[bytes] | int = -3, stdout: IO[bytes] | int = -1) -> None:
        logger.info("runs %s", line, extra={"action": "command_started"})
        self._make_directories()
        around = self._graph.surroundings
        command = Command(
            line, directory=around.directory, environment=self.environment(), stdin=stdin,
            stdout=stdout, held=around.held,
        )  # fmt: skip
        self._running = command
        if not self.is_running:  # cancelled between the start of the app and that of the command
            command.stop()
        self.outcome = command.wait()
        self._running = None
        _log_outcome(self.outcome)
        if self.outcome.exit_code:
            raise CommandFailedError(self.uid, self.outcome)

    def _make_directories(self) -> None:
        """Make the directories of the files that the command is to write."""
        for drop in self.outputs:
            path = getattr(drop, "path", None)
            if path is not None:
                Path(path).parent.mkdir(parents=True, exist_ok=True)

    def interrupt(self) -> None:
        """End the whole group of processes that the command started; the second time, at once."""
        for pipe in getattr(self, "_pipes", ()):
            pipe.release()
        command = getattr(self, "_running", None)
        if command is None:
            return
        if command.stopping:
            command.kill()
        else:
            command.stopping = True
            # Who cancels a graph must not wait for one stubborn command after the other.
            threading.Thread(
                target=command.stop, args=(GRACE_S,), name=f"dlg-stop-{self.uid}", daemon=True
            ).start()


_NEVER_ADDED = frozenset({"execution_time", "num_cpus", "group_start", "group_end"})


def _log_outcome(outcome: Outcome) -> None:
    """Leave what a command has printed, or its end, where users look for it."""
    for name, printed in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        if printed:
            text = printed[-MOST_LOGGED:].decode(errors="replace")
            which = "" if len(printed) <= MOST_LOGGED else f" (the end of {len(printed)} bytes)"
            logger.info("the command printed on %s%s:\n%s", name, which, text)


def _same(value: Any) -> Any:
    return value


def _value(port: Port, is_input: bool) -> Any:
    """Return what a command gets for a port: the path of its drop, or its content."""
    drop, path = port.drop, getattr(port.drop, "path", None)
    if port.encoding == "dataurl":
        return drop.dataURL
    if path is not None and not (is_input and port.encoding in BY_VALUE):
        if is_input:
            drop.look_for_data()
        return path
    if not is_input:
        text = f"output port {port.name!r}: drop {drop.uid} has no path to write to"
        raise InvalidDropException(drop, f"{text}; use a file drop")
    if drop.status is not DROPStates.COMPLETED:
        return ""
    return drop.load(port.encoding) if port.encoding else drop.value()


class _Pipe:
    """A named pipe in the session's directory that carries data from one command to another."""

    SCHEME: ClassVar[str] = "pipe://"

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, directory: Path | None) -> _Pipe:
        """Return a new pipe in `directory`."""
        base = directory if directory is not None else Path(tempfile.gettempdir())
        base.mkdir(parents=True, exist_ok=True)
        pipe = cls(base / f".pipe-{secrets.token_hex(8)}")
        os.mkfifo(pipe.path, mode=0o600)
        return pipe

    @classmethod
    def at(cls, address: str) -> _Pipe:
        """Return the pipe that somebody else has made."""
        return cls(Path(address.removeprefix(cls.SCHEME)))

    @property
    def address(self) -> str:
        return f"{self.SCHEME}{self.path}"

    def release(self) -> None:
        """Let those go on who wait for the other end to be opened: nobody will open it."""
        with contextlib.suppress(FileNotFoundError):
            os.close(os.open(self.path, os.O_RDWR | os.O_NONBLOCK))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


class StreamingOutputBashApp(BashShellApp):
    """Runs a command whose standard output goes to a streaming consumer while it is printed.

    What is written to the output is the address of a named pipe; the data itself goes from
    command to command and never through the graph.
    """

    __slots__ = ()

    def run(self) -> None:
        """Run the command with its output into a pipe, whose address the consumers get first."""
        self._pour()

    def _pour(self, stdin: IO[bytes] | int = -3) -> None:
        readers = sum(len(drop.streamingConsumers) for drop in self.outputs)
        if readers != 1:
            reason = f"its output goes to 1 streaming consumer, and there are {readers}"
            raise InvalidDropException(self, reason)
        pipe = _Pipe.make(self._graph.surroundings.directory)
        self._pipes = (*getattr(self, "_pipes", ()), pipe)
        try:
            for drop in self.outputs:
                drop.write(pipe.address.encode())
            with pipe.path.open("wb", buffering=0) as stdout:  # waits until the consumer is there
                if self.is_running:
                    self._run(self.command_line(), stdin, stdout)
        finally:
            pipe.remove()


class StreamingInputBashApp(BashShellApp):
    """Runs a command whose standard input is what a streaming producer prints."""

    __slots__ = ("_thread",)

    traits: ClassVar[int] = APP | MANUAL

    _thread: threading.Thread

    def dataWritten(self, uid: str, data: bytes) -> None:
        """Start the command with its input from the pipe whose address has come."""
        pipe = _Pipe.at(bytes(data).decode())
        self._pipes = (pipe,)
        self._thread = threading.Thread(
            target=self._drink, args=(pipe,), name=f"dlg-stream-{self.uid}", daemon=True
        )
        self._thread.start()

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Fail if the producer ended before it said where its data is."""
        if not hasattr(self, "_thread"):
            error = RunError(
                f"drop {self.uid}: the streaming input ended ({drop_state.name}) empty"
            )
            self.setError(error)

    def _drink(self, pipe: _Pipe) -> None:
        try:
            with pipe.path.open("rb", buffering=0) as stdin:
                if self.is_running:
                    self._consume(stdin)
        except Exception as error:  # noqa: BLE001  this thread's failure is the drop's
            self.setError(error)
        else:
            self._notifyAppIsFinished()

    def _consume(self, stdin: IO[bytes]) -> None:
        self._run(self.command_line(), stdin)


class StreamingInputOutputBashApp(StreamingInputBashApp, StreamingOutputBashApp):
    """Runs a command between two streams: a link of a pipeline."""

    __slots__ = ()

    traits: ClassVar[int] = APP | MANUAL

    def _consume(self, stdin: IO[bytes]) -> None:
        self._pour(stdin)
