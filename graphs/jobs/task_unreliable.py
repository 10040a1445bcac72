"""Tasks of type `unreliable`: fail some times before they succeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.apps.job_types import JobTask


def run(task: JobTask) -> Mapping[str, Any]:
    """Succeed at the try of the number `succeeds_at`."""
    task.outputs["tries"].write_text("tried\n" * task.attempt)
    if task.attempt < task.settings["succeeds_at"]:
        raise OSError(f"try {task.attempt} did not work")
    task.outputs["number"].write_text(f"{task.attempt}\n")
    return {"tries": task.attempt}
