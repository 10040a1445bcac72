"""Tasks of type `transit_recovery`: which planets were found, as a table and a map."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import transits

from dlg.apps.job_types import JobTask


def run(task: JobTask) -> Mapping[str, Any]:
    """Bring the verdicts together; tell how many planets were found."""
    verdicts = [json.loads(path.read_text()) for path in task.inputs["verdicts"]]
    task.outputs["table"].write_text(transits.write_table(verdicts))
    task.outputs["map"].write_bytes(transits.draw_recovery(verdicts))
    task.outputs["summary"].write_text(transits.summarise(verdicts))
    return {"recovered": sum(map(transits.recovered, verdicts)), "planets": len(verdicts)}
