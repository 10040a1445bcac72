"""One task by itself, as a configuration file describes it: to try what a type of tasks does.

The file is in sections: `[task]` has the type, as `task`, and settings; `[inputs]` files to be
read and `[outputs]` names of files to be made, by what they are to the task; other sections are
settings with settings in them. Beside an input may be what is known of it, in a file with
`.metadata.cfg` behind its name. The task is done as it would be in a pipeline, by a worker, with a
database of its own.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.apps.job_types import handler_of
from dlg_engine.tasks import file_store
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.job_registering import DESCRIPTION
from dlg_engine.tasks.job_working import JobWork
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.settings import value_of
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_expression_evaluation import TaskExpressionEvaluation
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.task_types import TaskTypeList
from dlg_engine.tasks.temporary_directory import TemporaryDirectory
from dlg_engine.tasks.working import TaskWorker

METADATA_SUFFIX = ".metadata.cfg"
IMPORT_TYPE = "standalone_input"
"""The type of the tasks that stand for those who made the inputs."""
_RESERVED = ("task", "inputs", "outputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneTask:
    """What a configuration file says."""

    type: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Path]
    outputs: Mapping[str, str]
    """Names of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneResult:
    """What came of a task."""

    state: AttemptState
    metadata: Mapping[str, Any]
    """What it has told."""
    outputs: Mapping[str, Path]
    error_text: str | None


def read_configuration(file: str | Path) -> StandaloneTask:
    """Return what a file says; raise TaskSystemError, with the place, if that is no task."""
    parser = _parsed(Path(file))
    if "task" not in parser or "task" not in parser["task"]:
        raise TaskSystemError(f"{file}: there is no `task` in a section [task]: its type")
    settings = _values(parser["task"])
    kind = str(settings.pop("task"))
    for name in parser.sections():
        if name not in _RESERVED:
            settings[name] = _values(parser[name])
    folder = Path(file).parent
    inputs, outputs = (_section(parser, name) for name in ("inputs", "outputs"))
    for name, text in outputs.items():
        if Path(text).name != text:
            raise TaskSystemError(f"{file}: [outputs] {name}: {text!r} is no name of a file")
    evaluated = TaskExpressionEvaluation({}, {}).evaluate_in_structure(settings)
    return StandaloneTask(
        type=kind, settings=evaluated, outputs=outputs,
        inputs={name: folder / text for name, text in inputs.items()},
    )  # fmt: skip


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, str]:
    return dict(parser[name]) if parser.has_section(name) else {}


class _Parser(configparser.ConfigParser):
    """One that leaves names their capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _parsed(file: Path) -> configparser.ConfigParser:
    parser = _Parser(interpolation=None, default_section="")
    try:
        parser.read_string(file.read_text(), str(file))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise TaskSystemError(f"{file}: {' '.join(str(error).split())}") from error
    return parser


def _values(section: Mapping[str, str]) -> dict[str, Any]:
    return {name: value_of(text) for name, text in section.items()}


def read_input_metadata(file: Path) -> dict[str, Any]:
    """Return what the file beside an input says of it; nothing if there is none."""
    beside = file.with_name(file.name + METADATA_SUFFIX)
    if not beside.exists():
        return {}
    parser = _parsed(beside)
    return {
        name: value for part in parser.sections() for name, value in _values(parser[part]).items()
    }


def launch_standalone(
    configuration: str | Path, output_folder: str | Path | None = None
) -> StandaloneResult:
    """Do the task that a file describes, and return what came of it.

    Its outputs are written to a folder, by default that of the file. Raises TaskSystemError for a
    file that describes no task, UnknownTaskTypeError if nobody knows its type; a task that fails
    is a result.
    """
    task = read_configuration(configuration)
    handler_of(task.type)
    for name, path in task.inputs.items():
        if not path.is_file():
            raise TaskSystemError(f"{configuration}: [inputs] {name}: there is no file {path}")
    folder = Path(configuration).parent if output_folder is None else Path(output_folder)
    with TemporaryDirectory() as work:
        place = Path(work.tmp_dir)
        with TaskDatabaseConnection(place / "files", place / "tasks.db") as tasks:
            number = _register(tasks, task)
            return _result(tasks, task, _run(tasks, task, number), folder)


def _register(tasks: TaskDatabaseConnection, task: StandaloneTask) -> int:
    types = TaskTypeList()
    types.task_list = {IMPORT_TYPE: [], task.type: []}
    tasks.task_type_list_to_db(types)
    imports = [
        NewTask(task_type=IMPORT_TYPE, outputs={name: path.name}, working_directory=f"in-{place}")
        for place, (name, path) in enumerate(task.inputs.items())
    ]
    description = {"task": task.type, "key": task.type, "settings": dict(task.settings)}
    inputs = {name: (Ref(place), name) for place, name in enumerate(task.inputs)}
    own = NewTask(
        task_type=task.type, task_name=task.type, inputs=inputs, outputs=task.outputs,
        working_directory="out", metadata={DESCRIPTION: json.dumps(description)},
    )  # fmt: skip
    *makers, number = tasks.tasks_register([*imports, own])
    for maker, path in zip(makers, task.inputs.values(), strict=True):
        _bring_in(tasks, maker, path)
    return number


def _bring_in(tasks: TaskDatabaseConnection, maker: int, path: Path) -> None:
    """Register a file as what its maker has made, and quality control has passed."""
    (product,) = tasks.task_fetch_file_products(maker).values()
    attempt = tasks.execution_attempt_register(maker)
    tasks.execution_attempt_update(attempt, is_running=True)
    tasks.file_version_register(
        int(product.product_id or 0), attempt, path, preserve=True, passed_qc=True,
        metadata=read_input_metadata(path),
    )  # fmt: skip
    tasks.execution_attempt_update(attempt, is_finished=True, all_products_passed_qc=True)


def _run(tasks: TaskDatabaseConnection, task: StandaloneTask, number: int) -> TaskExecutionAttempt:
    work = JobWork(tasks)
    with (
        TaskQueueSQL(tasks.database) as queue,
        TaskScheduler(tasks=tasks, queue=queue) as scheduler,
    ):
        scheduler.turn()
        worker = TaskWorker(tasks, queue, {task.type: work.run})
        try:
            worker.run_until_empty()
        finally:
            worker.close()
    (attempt,) = tasks.task_fetch_execution_attempts(number).values()
    return attempt


def _result(
    tasks: TaskDatabaseConnection,
    task: StandaloneTask,
    attempt: TaskExecutionAttempt,
    folder: Path,
) -> StandaloneResult:
    written: dict[str, Path] = {}
    for name, version in attempt.output_files.items():
        source = tasks.file_version_path_for_id(int(version.product_version_id or 0))
        written[name] = folder / task.outputs[name]
        file_store.copy(Path(str(source)), written[name], durable=False)
    return StandaloneResult(
        state=AttemptState(str(attempt.state)),
        metadata={name: item.value for name, item in attempt.metadata.items()},
        outputs=written, error_text=attempt.error_text,
    )  # fmt: skip
