"""Runs a block by the three programs, which report by messages, as environments always did.

An environment has `execute`, `databases_provider` and `loop_execute`, ours (`dlg.beat.scripts`) or
those of another version. Here the executor's side of it: a folder with what they need, a handler
that hears from them, and what is made of their end.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dlg.beat.declarations import dumps
from dlg.beat.execution.base import BaseExecutor
from dlg.beat.execution.results import ended_by_itself
from dlg.beat.message_handler import MessageHandler
from dlg.beat.processes.calls import Outcome
from dlg.beat.processes.limits import Limits

EXECUTE, PROVIDER, EVALUATOR = NAMES = ("execute", "databases_provider", "loop_execute")
LOOP = "loop"
USAGE = "usage"
"""In the statistics that our own programs tell: what the process has used."""
FAILED = 1


@dataclass
class Folders:
    """Folders with what the programs need; `algorithms` for two of them."""

    root: Path

    @property
    def algorithms(self) -> Path:
        """The folder for algorithms."""
        return self.root / "algorithms"

    @property
    def databases(self) -> Path:
        """The folder for databases."""
        return self.root / "databases"

    @classmethod
    def made_for(cls, executor: BaseExecutor, limits: Limits) -> Folders:
        """Return new folders, filled with what a block needs."""
        folders = cls(Path(tempfile.mkdtemp(prefix="dlg-beat-")))
        executor.dump_runner_configuration(str(folders.algorithms))
        file = folders.algorithms / "configuration.json"
        # The time is seen to from outside, where it can neither stand still nor be held up.
        exact = {"memory_b": limits.memory_b, "processes": limits.processes}
        more = {"mark": executor.mark, "limits": exact, USAGE: True}
        file.write_text(dumps({**json.loads(file.read_text()), **more}, 2))
        if executor.databases:
            executor.dump_databases_provider_configuration(str(folders.databases))
        return folders

    def remove(self) -> None:
        """Remove them."""
        shutil.rmtree(self.root, ignore_errors=True)


@dataclass(frozen=True)
class Program:
    """One program to be run: its name, what it is called with, and where it listens, if it does.

    `part` is `loop` for what belongs to the evaluator.
    """

    name: str
    arguments: tuple[str, ...]
    address: str = ""
    part: str = ""


class Place(Protocol):
    """Where programs run."""

    def listen(self, program: str) -> str:
        """Return an address, `host:port`, at which a program there may listen."""

    def start(self, program: Program) -> str:
        """See to it that a program is run there; return where others reach it."""


def main_program(
    executor: BaseExecutor, folders: Folders, cache: str, told_at: str, place: Place
) -> Program:
    """Start what the program of a block's algorithm needs beside it; return that program itself.

    It tells how it goes at `told_at`; `folders` and `cache` are as they are seen in that place.
    """
    where: dict[str, str] = {}
    for part in ("", LOOP):
        block = executor.data.get(LOOP) if part else executor.data
        if block is None or not any("database" in one for one in block["inputs"].values()):
            continue
        at = place.listen(PROVIDER)
        arguments = [at, str(folders.databases), cache, *([part] if part else [])]
        where[part] = place.start(Program(PROVIDER, tuple(arguments), at, part))
    options = [f"--cache={cache}", told_at, str(folders.algorithms)]
    if "" in where:
        options.append(f"tcp://{where['']}")
    if LOOP in executor.data:
        at = place.listen(EVALUATOR)
        arguments = [at, str(folders.algorithms), cache]
        if LOOP in where:
            arguments.append(f"tcp://{where[LOOP]}")
        reached = place.start(Program(EVALUATOR, tuple(arguments), at, LOOP))
        options.append(f"--loop=tcp://{reached}")
    return Program(EXECUTE, tuple(options))


def judged(outcome: Outcome, handler: MessageHandler) -> Outcome:
    """Return an outcome with the report that follows from what the programs have told."""
    if outcome.answer is not None:  # how it was run has failed
        return outcome
    said = handler.user_error or handler.system_error
    if outcome.limit or (outcome.cancelled and not said):
        return outcome
    told = handler.statistics.get(USAGE, {})
    usage = {**outcome.usage, **told, "wall_s": outcome.usage["wall_s"]}
    usage["memory_b"] = max(told.get("memory_b", 0), outcome.usage["memory_b"])
    report = _report(outcome, handler)
    return dataclasses.replace(outcome, answer=report, usage=usage, cancelled=False)


def _report(outcome: Outcome, handler: MessageHandler) -> dict[str, Any]:
    status, user_error, system_error = outcome.code or 0, handler.user_error, handler.system_error
    if user_error or system_error:
        status = status if status > 0 else FAILED
    elif outcome.code is None or status:
        failed = [helper for helper in outcome.helpers if helper.code]
        if failed and (failed[0].code or 0) < 0:
            status, user_error, system_error = ended_by_itself(failed[0].code, of_view=True)
        elif failed:
            status, system_error = FAILED, f"a program beside it failed: {failed[0].stderr}"
        else:
            status, user_error, system_error = ended_by_itself(outcome.code)
    elif not handler.statistics:
        status, system_error = FAILED, "the program ended without telling that it was done"
    return {
        "status": status,
        "user_error": user_error,
        "system_error": system_error,
        "statistics": {k: v for k, v in handler.statistics.items() if k != USAGE},
    }
