"""Tasks of jobs as apps, and what stands between them: decisions, and groups that are over.

Ports tell inputs apart: `input:NAME` and `all:NAME` are files, `metadata:NAME` is what a task has
told, `gate` and `wait` only have to be there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from dlg.apps.job_types import Handler, JobTask, handler_of
from dlg.apps.job_work import (
    TaskResultError,
    decided,
    need_outputs,
    plain_results,
    refusal,
    refused,
    settled,
)
from dlg.apps.python_function import from_code
from dlg.ddap_protocol import DROPStates
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.contents import pieces_of
from dlg.drops.parameters import (
    dlg_any_param,
    dlg_bool_param,
    dlg_dict_param,
    dlg_int_param,
    dlg_list_param,
    dlg_string_param,
)
from dlg.exceptions import UsageError
from dlg.graph.class_checks import Mistake, Use
from dlg.jobs.errors import QualityControlError
from dlg.jobs.expressions import Surroundings
from dlg.support import context

INPUT, ALL, METADATA, OUTPUT = "input:", "all:", "metadata:", "output:"
RECORD = "record"
OVER = "over"
"""The port of the end of a loop, which is skipped if the loop was over before it."""
PIECE = 1 << 20


class JobStepApp(BarrierAppDROP):
    """What tasks and decisions have in common: metadata, and what others have told."""

    __slots__ = ()

    transient: ClassVar[bool] = True

    key = dlg_string_param("where in the job this is", "")
    seed = dlg_string_param("where random numbers start", "")
    metadata = dlg_dict_param("the metadata of this place in the job")

    def requested(self) -> dict[str, Any]:
        """Return what the tasks that were asked for have told, by their names."""
        return {
            port.name.removeprefix(METADATA): json.loads(port.drop.contents())
            for port in ports.inputs(self)
            if port.name.startswith(METADATA)
        }

    def surroundings(self, requested: Mapping[str, Any]) -> Surroundings:
        """Return what the names in expressions stand for."""
        return Surroundings(self.metadata, requested, str(self.seed))


class JobTaskApp(JobStepApp):
    """Does one task of a job: has the function of its type called, and judges what it made."""

    __slots__ = ()

    judges: ClassVar[bool] = True
    """There is a verdict on each product that it persists, if it has a `qc_criterion`."""

    task = dlg_string_param("the type of the task", "")
    task_name = dlg_string_param("its name in its list", "")
    job_name = dlg_string_param("the name of the job", "")
    settings = dlg_dict_param("its settings, as far as they are known before it runs")
    late = dlg_list_param("settings that need results: path, expression")
    qc_criterion = dlg_any_param("what must hold of the results, or what was made is not used")
    func_name = dlg_string_param(
        "import path of the function that does it; empty: one of ours", ""
    )
    func_code = dlg_string_param("the function itself, where it was sent along", "")
    last = dlg_list_param("gathered inputs of which only the last is wanted")

    @classmethod
    def alike(cls, spec: Mapping[str, Any]) -> Hashable:
        """Return the same for tasks of one type."""
        return str(spec.get("task")), bool(spec.get("func_code"))

    @classmethod
    def check_uses(cls, uses: Sequence[Use]) -> Iterable[Mistake]:
        """Return which types nobody knows."""
        for place, use in enumerate(uses):
            if use.spec.get("func_code"):
                continue  # it was found where the job was submitted
            try:
                handler_of(str(use.spec.get("task")))
            except UsageError as error:
                yield Mistake(place=place, key="task", code="task-type", message=str(error))

    def run(self) -> None:
        """Do the task, unless what it needs was skipped."""
        if self._is_closed():
            for output in self.outputs:
                output.skip()
            return
        with ExitStack() as cleaning:
            folder = Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix="dlg-job-")))
            requested = self.requested()
            outputs = self._targets(folder)
            around = self.surroundings(requested)
            settings = settled(self.settings, self.late, around, str(self.key))
            told = self.handler()(
                JobTask(
                    type=str(self.task), name=str(self.task_name), job_name=str(self.job_name),
                    settings=settings, inputs=self._files(folder),
                    outputs={name: path for name, (path, _) in outputs.items()},
                    metadata=dict(self.metadata), requested_metadata=requested,
                    attempt=context.try_number.get(),
                )
            )  # fmt: skip
            # The names in its metadata stay known.
            results = {**self.metadata, **plain_results(told, str(self.key))}
            self._deliver(outputs, results)
            self._judge(results, requested)

    def handler(self) -> Handler:
        """Return the function that does the task."""
        if self.func_code:
            found: Handler = from_code(self.func_code, str(self.func_name), self.uid)
            return found
        return handler_of(str(self.task))

    def _is_closed(self) -> bool:
        """Return whether an input was skipped that is not one of many."""
        return any(
            port.drop.status is DROPStates.SKIPPED
            for port in ports.inputs(self)
            if port.name != OVER and not port.name.startswith(ALL)
        )

    # -- files ----------------------------------------------------------------------------

    def _files(self, folder: Path) -> dict[str, Path | list[Path]]:
        found: dict[str, Path | list[Path]] = {}
        many: dict[str, list[Path]] = {
            str(name): [] for name in (self.spec.get("gathered") or ())
        }  # fmt: skip
        for number, port in enumerate(ports.inputs(self)):
            if port.name.startswith(INPUT):
                found[port.name.removeprefix(INPUT)] = _readable(port.drop, folder, number)
            elif port.name.startswith(ALL) and port.drop.status is DROPStates.COMPLETED:
                name = port.name.removeprefix(ALL)
                many.setdefault(name, []).append(_readable(port.drop, folder, number))
        for name, paths in many.items():
            found[name] = paths
            if name in (self.last or ()):
                if not paths:
                    raise TaskResultError(f"{self.key}: nothing was made of {name!r}")
                found[name] = paths[-1]
        return found

    def _targets(self, folder: Path) -> dict[str, tuple[Path, Any]]:
        """Return where outputs are to be written, with the drop if it is to be copied."""
        found: dict[str, tuple[Path, Any]] = {}
        for number, port in enumerate(ports.outputs(self)):
            if not port.name.startswith(OUTPUT):
                continue
            name, path = port.name.removeprefix(OUTPUT), getattr(port.drop, "path", None)
            if path is None:
                target = folder / f"out-{number}" / _file_name(port.drop)
                found[name] = target, port.drop
            else:
                target = Path(path)
                found[name] = target, None
            target.parent.mkdir(parents=True, exist_ok=True)
        return found

    def _deliver(
        self, outputs: Mapping[str, tuple[Path, Any]], results: Mapping[str, Any]
    ) -> None:
        need_outputs({name: path for name, (path, _) in outputs.items()}, str(self.key))
        for path, drop in outputs.values():
            if drop is not None:
                with path.open("rb") as file:
                    while piece := file.read(PIECE):
                        drop.write(piece)
        for port in ports.outputs(self):
            if port.name == RECORD:
                port.drop.write(json.dumps(results).encode())

    # -- results --------------------------------------------------------------------------

    def _judge(self, results: Mapping[str, Any], requested: Mapping[str, Any]) -> None:
        """Raise QualityControlError unless all passes; what does pass can be used all the same."""
        outputs = {
            port.name.removeprefix(OUTPUT): port.drop
            for port in ports.outputs(self)
            if port.name.startswith(OUTPUT)
        }
        around = Surroundings(results, requested, str(self.seed))
        bad = refused(self.qc_criterion, outputs, around, str(self.key))
        if not bad:
            return
        if context.try_number.get() >= self.n_tries:  # else all of it is made once more
            for name, drop in outputs.items():
                if name not in bad:
                    drop.setCompleted()
        raise QualityControlError(refusal(bad, outputs, str(self.key)))


class JobDecisionApp(JobStepApp):
    """Evaluates a criterion, and skips what is not to be done.

    Outputs on the ports `then` and `else` are those of the two ways to go on. With a `limit` it
    ends the last iteration that is possible, and fails if there should be another.
    """

    __slots__ = ()

    runs_here: ClassVar[bool] = True

    criterion = dlg_any_param("an expression")
    limit = dlg_int_param("the number of the last possible iteration; 0: there is no limit", 0)

    def run(self) -> None:
        """Decide."""
        around = self.surroundings(self.requested())
        taken = decided(self.criterion, self.limit, around, str(self.key))
        grow = self._graph.surroundings.grow
        if grow is not None:
            grow(str(self.key), taken)
        for port in ports.outputs(self):
            if port.name == ("else" if taken else "then"):
                port.drop.skip()
            else:
                port.drop.write(json.dumps(taken).encode())


class JobJoinApp(BarrierAppDROP):
    """Says when a loop, chain or branch as a whole is over, and what its tasks have told.

    That is a list in the order of the job, without the tasks that were skipped.
    """

    __slots__ = ()

    runs_here: ClassVar[bool] = True
    transient: ClassVar[bool] = True

    collect = dlg_bool_param("whether what the tasks have told is wanted", False)

    def run(self) -> None:
        """Put what there is together."""
        told = ports.inputs(self) if self.collect else []
        found = [
            json.loads(port.drop.contents())
            for port in told
            if port.name == RECORD and port.drop.status is DROPStates.COMPLETED
        ]
        for output in self.outputs:
            output.write(json.dumps(found).encode())


def _readable(drop: Any, folder: Path, number: int) -> Path:
    """Return a file with the content of an input, which may be on another node."""
    path = getattr(drop, "path", None)
    if path is not None and Path(path).is_file():
        return Path(path)
    target = folder / f"in-{number}" / _file_name(drop)
    target.parent.mkdir()
    with target.open("wb") as file:
        for piece in pieces_of(drop, PIECE):
            file.write(piece)
    return target


def _file_name(drop: Any) -> str:
    return Path(str(drop.name)).name or "file"
