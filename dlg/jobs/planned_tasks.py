"""Tasks of a job in its plan: their settings, and the files they read and make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlg.jobs import model
from dlg.jobs.drafting import Draft, Place
from dlg.jobs.expressions import Surroundings
from dlg.jobs.finding import Named
from dlg.jobs.names import check_file, check_type
from dlg.jobs.plan import Gate, Late, PlannedTask, Product

MAX_RETRIES = 1000


def plan_task(draft: Draft, task: model.Task, place: Place, name: str) -> int:
    """Add a task at a place that is its own to a plan; return its number."""
    around, key = place.around, place.key
    kind = draft.known(task.type, around, key, f"{task.pointer}/task")
    if reason := check_type(kind):
        draft.say(f"{task.pointer}/task", reason)
    retries = draft.known(task.retries, around, key, f"{task.pointer}/retries")
    if not isinstance(retries, int) or not 0 <= retries <= MAX_RETRIES:
        reason = f"a whole number from 0 to {MAX_RETRIES} is expected"
        draft.say(f"{task.pointer}/retries", reason)
        retries = 0
    step = PlannedTask(
        key=key, pointer=task.pointer, name=name, metadata=around.metadata, gate=place.gate,
        type=str(kind), job_name=place.job_name, working_directory=place.working_directory,
        retries=retries, qc_criterion=task.qc_criterion,
    )  # fmt: skip
    number = draft.add(step)
    if task.settings:
        late: list[Late] = []
        step.settings = draft.settled(task.settings, place, task.pointer, (), late)
        step.late = tuple(late)
    for semantic, file in task.outputs.items():
        _output(draft, number, semantic, file)
    if task.inputs:
        files = {
            semantic: _input(draft, one, step, place, f"{task.pointer}/inputs/{semantic}")
            for semantic, one in task.inputs.items()
        }
        draft.named.append(Named(number, place.scope, {}, {}, range(0), files))
    return number


def _output(draft: Draft, number: int, semantic: str, file: Any) -> None:
    """Add a product of a task, which nobody else may make."""
    step = draft.plan.steps[number]
    assert isinstance(step, PlannedTask)  # noqa: S101  added just before
    where = f"{step.pointer}/outputs/{semantic}"
    around = Surroundings(step.metadata, {}, draft.plan.seed, draft.meter)
    path = _file(draft, file, step, around, where)
    if not path:
        return
    known = draft.paths.get(path)
    if known is None:
        known = draft.paths[path] = len(draft.plan.products)
        draft.plan.products.append(Product(path, [number], semantic))
    else:
        product = draft.plan.products[known]
        if not all(_exclusive(draft, step, maker) for maker in product.makers):
            other = draft.plan.steps[product.makers[0]].pointer
            draft.say(where, f"{path!r} is made already, by the task at {other}")
            return
        product.makers.append(number)
    step.outputs[semantic] = known


def _exclusive(draft: Draft, step: PlannedTask, maker: int) -> bool:
    """Return whether at most one of two steps can run, as they are in different branches."""
    mine = dict(_gates(draft, step.gate))
    return any(
        mine.get(decision, taken) is not taken
        for decision, taken in _gates(draft, draft.plan.steps[maker].gate)
    )


def _gates(draft: Draft, gate: Gate | None) -> Iterable[Gate]:
    while gate is not None:
        yield gate
        gate = draft.plan.steps[gate.decision].gate


def _input(draft: Draft, given: Any, step: PlannedTask, place: Place, where: str) -> Any:
    if isinstance(given, model.Gathering):
        source, output = (
            draft.known(text, place.around, step.key, where)
            for text in (given.source, given.output)
        )
        return where, model.Gathering(source=source, output=output, last=given.last)
    return where, _file(draft, given, step, place.around, where)


def _file(draft: Draft, given: Any, step: PlannedTask, around: Surroundings, where: str) -> str:
    """Return the path of a file of the job; an empty one if it is wrong, which is told."""
    name = draft.known(given, around, step.key, where)
    folder = step.working_directory
    path = f"{folder.strip('/')}/{name}" if folder else name
    if reason := check_file(name, folder):
        draft.say(where, reason)
        return ""
    return str(path)
