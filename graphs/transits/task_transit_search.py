"""Tasks of type `transit_search`: look for a planet, and judge whether it is the right one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlg.apps.job_types import JobTask
from dlg.lightcurves import (
    LightcurveArbitraryRaster,
    files,
    transit_detection_quality_control,
)
from dlg.lightcurves.search import SearchOptions, search_transits


def run(task: JobTask) -> Mapping[str, Any]:
    """Search the input `lightcurve`; write and return what was found, and whether it is right."""
    path = task.inputs["lightcurve"]
    columns, metadata = files.from_bytes(path.read_bytes(), path.name)
    curve = LightcurveArbitraryRaster(
        columns.times, columns.fluxes, columns.uncertainties, columns.flags, metadata
    )
    names = ("minimum_period", "maximum_period", "frequency_factor")
    options = {name: task.settings[name] for name in names if name in task.settings}
    found = search_transits(curve, SearchOptions(**options)).metadata
    planet = {name: value for name, value in metadata.items() if name not in found}
    verdict = {**planet, **found, **transit_detection_quality_control(curve, found)}
    task.outputs["verdict"].write_text(json.dumps(verdict, indent=1, default=float))
    told = ("outcome", "period", "radius_earth", "orbital_period")
    return {name: verdict[name] for name in told if name in verdict}
