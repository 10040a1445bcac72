"""Does a block from its loading to its last unit, and tells what came of it.

`work` is what a warden calls in a process of the block's own. Errors are those of the user if his
code had a part in them, else the system's.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.blocks.assembly import Assembler, Assembly, Databases
from dlg.beat.blocks.databases import ViewsHere
from dlg.beat.blocks.loops import Direct, Evaluator, LoopChannel, RemoteError, ask
from dlg.beat.blocks.serving import LostProviderError, ServedDatabases
from dlg.beat.cache_files import HIDDEN_MARK
from dlg.beat.formats import Formats
from dlg.beat.inputs import InputGroup
from dlg.beat.outputs import Socket
from dlg.beat.runner import AlgorithmError, Runner
from dlg.beat.stats import io_statistics
from dlg.beat.tracebacks import is_of_user, of_user
from dlg.exceptions import DaliugeException

FAILED = 1


class RefusedError(DaliugeException, RuntimeError):
    """The user's code said no: `stage` is `setup`, `prepare` or `process`."""

    def __init__(self, stage: str) -> None:
        super().__init__(
            "Algorithm `process` method returned False"
            if stage == "process"
            else f"Could not {stage} algorithm (returned False)"
        )
        self.stage = stage


class MissingDataError(DaliugeException, RuntimeError):
    """An algorithm has not written all that it has to."""


@dataclass
class Report:
    """What came of a block; `stage` is where it failed, `refused` that the user's code said no.

    `lost` is that the process that served databases has ended.
    """

    status: int = 0
    user_error: str = ""
    system_error: str = ""
    stage: str = ""
    refused: bool = False
    lost: bool = False
    statistics: dict[str, Any] = field(default_factory=dict)

    def as_message(self) -> dict[str, Any]:
        """Return it for JSON."""
        return dict(vars(self))


class Part:
    """One algorithm of a block: the block itself, or the evaluator of its loop."""

    def __init__(
        self, configuration: Mapping[str, Any], prefix: str, cache: str, formats: Formats
    ) -> None:
        self.configuration = configuration
        self.prefix, self.cache, self.formats = prefix, cache, formats
        self.made: Assembly | None = None
        self.algorithm = Algorithm(prefix, configuration["algorithm"], formats, checked=False)

    def assemble(self, databases: Databases, loop: Socket | None = None) -> Assembly:
        """Build inputs and outputs; each unit that is written is told to `loop`."""
        assembler = Assembler(
            self.configuration, self.algorithm, self.cache, self.formats, databases
        )
        self.made = assembler.build(loop)
        return self.made

    def start(self, made: Assembly) -> Runner:
        """Return the user's object, set up and prepared; raise `RefusedError` if it refuses."""
        runner = self.algorithm.runner()
        if not runner.setup(self.configuration.get("parameters") or {}):
            raise RefusedError("setup")
        if not runner.prepare(made.data_loaders):
            raise RefusedError("prepare")
        return runner

    def let_go(self) -> None:
        """Close everything that is still open."""
        for read in self.made.reads if self.made else ():
            read.data_source.close()
        self.made = None

    def statistics(self) -> dict[str, Any]:
        """Return what was read and written so far."""
        made = self.made or Assembly()
        found: dict[str, Any] = io_statistics(self.configuration, made.reads, made.outputs)
        return found


def process(part: Part, made: Assembly, runner: Runner, loop: Socket | None) -> None:
    """Let the user's code process all data.

    Raises `RefusedError` if it returns something false, `MissingDataError` if it has not written
    everything that its inputs ask for.
    """
    algorithm = part.algorithm
    outputs: dict[str, Any] = {"outputs": made.outputs}
    if algorithm.isAnalyzer:
        outputs = {"output": made.outputs[0]}
    channel = None if loop is None else LoopChannel(loop, algorithm)
    call = runner.bound(made.inputs, made.data_loaders, loop_channel=channel, **outputs)
    group = made.inputs.main_group
    if algorithm.is_autonomous or group is None:
        if not call():
            raise RefusedError("process")
    else:
        _step_through(group, call, loop)
        check_complete(made)


def _step_through(group: InputGroup, call: Callable[[], Any], loop: Socket | None) -> None:
    """Let the user's code process one unit after the other."""
    advance, inputs = group.advance, list(group)
    only, last = inputs[0], len(inputs[0].data_source)
    while only.next_data_index < last or any(one.hasMoreData() for one in inputs[1:]):
        advance()
        if loop is not None:
            ask(loop, b"rdi")
        if not call():
            raise RefusedError("process")


def check_complete(made: Assembly) -> None:
    """Raise `MissingDataError` if an output does not reach as far as the inputs do."""
    missing = [output.name for output in made.outputs if output.isDataMissing()]
    if missing:
        names = ", ".join(missing)
        raise MissingDataError(f"Missing data on the following output(s): {names}")


def work(payload: dict[str, Any], links: list[socket.socket]) -> dict[str, Any]:
    """Do the block that `payload` tells of; return a report.

    Views of databases run here too, unless there is a link to a process that serves them.
    """
    formats: Formats = {}
    prefix, cache = payload["prefix"], payload["cache"]
    HIDDEN_MARK.set(payload["mark"])
    known = set(sys.modules)
    report = Report()
    parts: list[Part] = []
    with judged(report, parts, prefix):
        databases: Databases
        if links:
            databases = ServedDatabases(links[0], prefix, formats)
        else:
            databases = ViewsHere(prefix, cache, payload["roots"], formats)
        do_block(payload["configuration"], databases, (prefix, cache, formats), (report, parts))
    for part in parts:
        part.let_go()
    for name in [name for name in sys.modules if name not in known]:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(prefix):
            del sys.modules[name]  # the user's: another block may have one of the same name
    again = not report.status
    return {**report.as_message(), "again": again}


def do_block(
    configuration: Mapping[str, Any],
    databases: Databases,
    where: tuple[str, str, Formats],
    told: tuple[Report, list[Part]],
    loop: Socket | None = None,
) -> None:
    """Do a block; its evaluator, if it has one, is here or at the other end of `loop`.

    `where` are prefix, cache, and formats known so far; `told` are the report to be filled in and
    the parts, which whoever calls clears up if this raises.
    """
    report, parts = told
    report.stage = "load"
    main = Part(configuration, *where)
    parts.append(main)
    if loop is None and "loop" in configuration:
        loop = Direct(evaluator(configuration["loop"], databases, where, told))
    made = main.assemble(databases, loop)
    report.stage = "setup"
    runner = main.start(made)
    report.stage = "process"
    process(main, made, runner, loop)
    report.stage = "write"
    made.close()
    if loop is not None:
        ask(loop, b"don")
    report.stage = ""
    report.statistics = main.statistics()


def evaluator(
    configuration: Mapping[str, Any],
    databases: Databases,
    where: tuple[str, str, Formats],
    told: tuple[Report, list[Part]],
) -> Evaluator:
    """Return the evaluator of a loop, ready to answer; the arguments are those of `do_block`."""
    part = Part(configuration, *where)
    told[1].append(part)
    made = part.assemble(databases)
    told[0].stage = "setup"
    runner = part.start(made)
    told[0].stage = "load"
    return Evaluator(part.algorithm, runner, made)


@contextlib.contextmanager
def judged(report: Report, parts: list[Part], prefix: str) -> Iterator[None]:
    """Say in `report` what goes wrong inside, and whose fault it is; leave nothing half done."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001  whatever the user's code raises
        for part in parts:
            if part.made is not None:
                part.made.abort()
        _judge(error, report, prefix)
        with contextlib.suppress(Exception):
            report.statistics = parts[0].statistics()


def _judge(error: BaseException, report: Report, prefix: str) -> None:
    report.status = FAILED
    report.lost = isinstance(error, LostProviderError)
    if isinstance(error, RemoteError):
        report.user_error, report.system_error = error.user_error, error.system_error
    elif isinstance(error, SystemExit):
        code = error.code
        report.status = code if isinstance(code, int) and code else FAILED
        report.user_error = f"the user's code ended its process: sys.exit({code!r})\n" + of_user(
            error, prefix
        )
    elif isinstance(error, RefusedError | MissingDataError | AlgorithmError):
        report.user_error = str(error)
    elif isinstance(error, MemoryError):
        report.user_error = "there is not enough memory under the limit of the block\n" + of_user(
            error, prefix
        )
    elif isinstance(error, BlockingIOError) and error.errno == errno.EAGAIN:
        report.user_error = "no more processes may be started\n" + of_user(error, prefix)
    elif isinstance(error, SyntaxError) or is_of_user(error):
        report.user_error = of_user(error, prefix)
    else:
        report.system_error = of_user(error, prefix)
    report.refused = isinstance(error, RefusedError)
