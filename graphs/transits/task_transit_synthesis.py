"""Tasks of type `transit_synthesis`: the light curve of a star before which a planet passes."""

from __future__ import annotations

import numpy as np

from dlg.apps.job_types import JobTask
from dlg.lightcurves import files
from dlg.lightcurves.transits import Planet, synthesise

SECONDS = 86400.0


def run(task: JobTask) -> None:
    """Write the light curve of the planet in the settings into the output `lightcurve`."""
    given = task.settings
    times = np.arange(0.0, given["lightcurve_days"], given["cadence_s"] / SECONDS)
    curve = synthesise(times, Planet.of(given), noise=given["noise"], seed=given["seed"])
    columns = files.Columns(
        curve.get_times(), curve.get_fluxes(), curve.get_flags(), curve.get_uncertainties()
    )
    task.outputs["lightcurve"].write_bytes(files.to_bytes(columns, curve.metadata))
