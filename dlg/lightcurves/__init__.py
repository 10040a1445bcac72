"""Light curves of stars: how bright they were when, and what is done with that.

Times are in days, and in seconds in files; fluxes are relative. Nothing here knows drops or a
database; the apps that do these things in a graph are in `dlg.apps.lightcurves` and beside it.
"""

from __future__ import annotations

from dlg.lightcurves.errors import LightcurveError
from dlg.lightcurves.lc_reader_lcsg import read_lcsg_lightcurve
from dlg.lightcurves.lightcurve import (
    NO_DATA,
    Lightcurve,
    LightcurveArbitraryRaster,
    LightcurveFixedStep,
)
from dlg.lightcurves.lightcurve_resample import LightcurveResampler
from dlg.lightcurves.quality_control import transit_detection_quality_control

__all__ = [
    "NO_DATA", "Lightcurve", "LightcurveArbitraryRaster", "LightcurveError",
    "LightcurveFixedStep", "LightcurveResampler", "read_lcsg_lightcurve",
    "transit_detection_quality_control",
]  # fmt: skip
