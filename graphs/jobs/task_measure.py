"""Tasks of type `measure`: write a number, with those in the input before it, and tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.apps.job_types import JobTask


def run(task: JobTask) -> Mapping[str, Any]:
    """Write the setting `value` into the output `number`."""
    value = task.settings["value"]
    before = task.inputs["number"].read_text() if "number" in task.inputs else ""
    task.outputs["number"].write_text(f"{before}{value}\n")
    return {"value": value}
