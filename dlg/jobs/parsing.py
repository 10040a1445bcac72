"""A document becomes a job, or a list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlg.jobs import model, older
from dlg.jobs.checking import Checker, escaped, kind_of
from dlg.jobs.errors import InvalidJobError, JobError
from dlg.jobs.language import is_expression
from dlg.jobs.reading import read_document

COMMON = ("task", "name", "requires_metadata_from", "wait_for", "job_name", "working_directory")
OF_TASKS = (*COMMON, "inputs", "outputs", "retries", "qc_criterion")
OF_JOBS = (
    "job_name", "working_directory", "task_list", "metadata", "seed", "in_order", "clean_up",
)  # fmt: skip
RANGES = ("values", "linear_range", "log_range")
_MOST_NAMED = 100_000
Document = Mapping[str, Any]


def read_job(path: str | Path) -> model.Job:
    """Return the job in a file, JSON or YAML; raise `JobError` for what is none."""
    return parse_job(read_document(path), str(path))


def parse_job(document: Any, source: str = "job") -> model.Job:
    """Return the job that a document describes; raise `InvalidJobError` with all problems."""
    parser = _Parser()
    job = parser.job(document, source)
    if parser.check.problems or job is None:
        raise InvalidJobError(parser.check.problems, source)
    return job


def is_job(document: Any) -> bool:
    """Return whether a document is meant as a job, as far as its keys tell."""
    return isinstance(document, Mapping) and "task_list" in document


class _Parser:
    def __init__(self) -> None:
        self.check = Checker()
        self._kinds: Mapping[str, Callable[[Document, str], model.Entry]] = {
            "execution_chain": self._chain,
            "execution_for_loop": self._for_loop,
            "execution_conditional": self._conditional,
            "execution_do_while_loop": self._repeat,
        }

    def job(self, document: Any, source: str) -> model.Job | None:
        """Return the job; None if it is far from one."""
        if not isinstance(document, Mapping):
            self.check.say("", f"a job is an object with a task_list, not {kind_of(document)}")
            return None
        if "iterations" in document:
            try:
                document = older.unfolded(document)
            except JobError as error:
                self.check.say("/iterations", str(error))
                return None
        self.check.only(document, "", OF_JOBS)
        seed = document.get("seed", "")
        if not isinstance(seed, str | int):
            self.check.say("/seed", f"a number or a text is expected, not {kind_of(seed)}")
        body = model.Chain(
            pointer="", entries=self._entries(document, "", "task_list"),
            in_order=self.check.flag(document, "", "in_order"),
            metadata=self.check.mapping(document, "", "metadata"),
        )  # fmt: skip
        self.check.expressions(body.metadata, "/metadata")
        return model.Job(
            body=body, seed=str(seed), source=source,
            job_name=self.check.text(document, "", "job_name"),
            working_directory=self.check.text(document, "", "working_directory"),
        )  # fmt: skip

    # -- entries --------------------------------------------------------------------------

    def _entries(self, document: Document, pointer: str, key: str) -> tuple[model.Entry, ...]:
        found = document.get(key)
        where = f"{pointer}/{key}"
        if not isinstance(found, list):
            what = "is missing" if found is None else f"is no list but {kind_of(found)}"
            self.check.say(where, f"the list of tasks {what}")
            return ()
        entries = (self._entry(item, f"{where}/{place}") for place, item in enumerate(found))
        return tuple(entry for entry in entries if entry is not None)

    def _entry(self, document: Any, pointer: str) -> model.Entry | None:
        if not isinstance(document, Mapping):
            self.check.say(pointer, f"a task is an object, not {kind_of(document)}")
            return None
        kind = document.get("task")
        if not isinstance(kind, str) or not kind.strip():
            self.check.say(pointer, "`task` must say which type of task this is")
            return None
        return self._kinds.get(kind.strip(), self._task)(document, pointer)

    def _common(self, document: Document, pointer: str) -> dict[str, Any]:
        for key in ("name", "job_name", "working_directory"):
            self.check.text(document, pointer, key)
            self.check.expressions(document.get(key), f"{pointer}/{key}")
        return {
            "pointer": pointer,
            "name": document.get("name"),
            "requires": self.check.names(document, pointer, "requires_metadata_from"),
            "wait_for": self.check.names(document, pointer, "wait_for"),
            "job_name": document.get("job_name"),
            "working_directory": document.get("working_directory"),
        }

    def _task(self, document: Document, pointer: str) -> model.Task:
        kind = document["task"]
        if kind.startswith("execution_"):
            known = ", ".join(self._kinds)
            self.check.say(f"{pointer}/task", f"there is no {kind!r}; there are {known}")
        settings = {key: value for key, value in document.items() if key not in OF_TASKS}
        for key, value in document.items():
            if key not in ("wait_for", "requires_metadata_from"):
                self.check.expressions(value, f"{pointer}/{escaped(key)}")
        inputs = self.check.mapping(document, pointer, "inputs")
        outputs = self.check.mapping(document, pointer, "outputs")
        for name, file in outputs.items():
            if not isinstance(file, str):
                self.check.say(f"{pointer}/outputs/{escaped(name)}", "a file name is expected")
        self._quality(document, pointer, outputs)
        return model.Task(
            **self._common(document, pointer), type=kind, settings=settings, outputs=outputs,
            inputs={name: self._input(one, pointer, name) for name, one in inputs.items()},
            retries=document.get("retries", 0), qc_criterion=document.get("qc_criterion"),
        )  # fmt: skip

    def _quality(self, document: Document, pointer: str, outputs: Document) -> None:
        """Check what must hold of the results: of all that a task makes, or of each output."""
        found = document.get("qc_criterion")
        if not isinstance(found, Mapping):
            if "qc_criterion" in document:
                self.check.criterion(document, pointer, "qc_criterion")
            return
        self.check.only(found, f"{pointer}/qc_criterion", tuple(outputs))
        for name in found:
            self.check.criterion(found, f"{pointer}/qc_criterion", name)

    def _input(self, given: Any, pointer: str, name: str) -> Any:
        where = f"{pointer}/inputs/{escaped(name)}"
        if isinstance(given, str):
            return given
        if not isinstance(given, Mapping):
            self.check.say(where, 'a file name is expected, or {"gather": name, "output": name}')
            return ""
        self.check.only(given, where, ("gather", "output", "last"))
        for key in ("gather", "output"):
            if not isinstance(given.get(key), str):
                self.check.say(f"{where}/{key}", "a name is expected")
        return model.Gathering(
            source=given.get("gather"), output=given.get("output"),
            last=self.check.flag(given, where, "last"),
        )  # fmt: skip

    def _chain(self, document: Document, pointer: str) -> model.Chain:
        self.check.only(document, pointer, (*COMMON, "task_list", "in_order", "metadata"))
        metadata = self.check.mapping(document, pointer, "metadata")
        self.check.expressions(metadata, f"{pointer}/metadata")
        return model.Chain(
            **self._common(document, pointer), metadata=metadata,
            entries=self._entries(document, pointer, "task_list"),
            in_order=self.check.flag(document, pointer, "in_order"),
        )  # fmt: skip

    def _for_loop(self, document: Document, pointer: str) -> model.ForLoop:
        self.check.only(
            document, pointer, (*COMMON, "parameter", *RANGES, "task_list", "in_order")
        )
        given = [key for key in RANGES if key in document]
        if len(given) != 1:
            self.check.say(pointer, "a loop has one of values, linear_range and log_range")
        kind = given[0] if given else "values"
        values = document.get(kind, [])
        if not isinstance(values, list) and not is_expression(values):
            self.check.say(f"{pointer}/{kind}", f"a list is expected, not {kind_of(values)}")
            values = []
        self.check.expressions(values, f"{pointer}/{kind}")
        return model.ForLoop(
            **self._common(document, pointer), kind=kind, values=values,
            parameter=self.check.identifier(document, pointer, "parameter"),
            body=self._body(document, pointer),
        )  # fmt: skip

    def _conditional(self, document: Document, pointer: str) -> model.Conditional:
        self.check.only(document, pointer, (*COMMON, "criterion", "task_list", "else_task_list"))
        for key in ("task_list", "else_task_list"):
            if key not in document and not {"task_list", "else_task_list"} & document.keys():
                self.check.say(pointer, "a branch has a task_list, an else_task_list, or both")
                break
        return model.Conditional(
            **self._common(document, pointer),
            criterion=self.check.criterion(document, pointer, "criterion"),
            then=self._body(document, pointer, optional=True),
            otherwise=self._body(document, pointer, "else_task_list", optional=True),
        )  # fmt: skip

    def _repeat(self, document: Document, pointer: str) -> model.Repeat:
        own = ("iteration_name", "requires_metadata_from_child", "repeat_criterion")
        self.check.only(
            document, pointer, (*COMMON, *own, "task_list", "max_iterations", "in_order")
        )
        most = document.get("max_iterations", model.MAX_ITERATIONS)
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= _MOST_NAMED:
            self.check.say(f"{pointer}/max_iterations", "a whole number of at least 1 is expected")
            most = 1
        return model.Repeat(
            **self._common(document, pointer), max_iterations=most,
            iteration_name=self.check.identifier(document, pointer, "iteration_name"),
            from_child=self.check.names(document, pointer, "requires_metadata_from_child"),
            criterion=self.check.criterion(document, pointer, "repeat_criterion"),
            body=self._body(document, pointer),
        )  # fmt: skip

    def _body(
        self, document: Document, pointer: str, key: str = "task_list", *, optional: bool = False
    ) -> model.Chain:
        if optional and key not in document:
            return model.Chain(pointer=pointer)
        return model.Chain(
            pointer=f"{pointer}/{key}", entries=self._entries(document, pointer, key),
            in_order=self.check.flag(document, pointer, "in_order"),
        )  # fmt: skip
