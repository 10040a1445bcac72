"""Tasks of type `unreliable`: fail some times before they succeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.apps.job_types import JobTask


def run(task: JobTask) -> Mapping[str, Any]:
    """Succeed at the try of the number `succeeds_at`, counted in the output `tries`."""
    counter = task.outputs["tries"]
    tries = len(counter.read_text().splitlines()) + 1 if counter.exists() else 1
    counter.write_text("tried\n" * tries)
    if tries < task.settings["succeeds_at"]:
        raise OSError(f"try {tries} did not work")
    task.outputs["number"].write_text(f"{tries}\n")
    return {"tries": tries}
