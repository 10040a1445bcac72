"""Tasks of type `newton`: a better guess of a square root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.apps.job_types import JobTask


def run(task: JobTask) -> Mapping[str, Any]:
    """Read a guess and write a better one of the root of `square`; tell how much it changed."""
    guess = float(task.inputs["guess"].read_text())
    better = (guess + task.settings["square"] / guess) / 2
    task.outputs["guess"].write_text(f"{better!r}\n")
    return {"change": better - guess}
