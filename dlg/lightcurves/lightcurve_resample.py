"""Light curves on other times."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dlg.lightcurves.lightcurve import NO_DATA, Lightcurve, LightcurveArbitraryRaster
from dlg.lightcurves.resampling import resample


class LightcurveResampler:
    """Resamples a light curve so that flux is conserved; `dlg.lightcurves.resampling` says how."""

    def __init__(self, input_lc: Lightcurve) -> None:
        self.input_lc = input_lc

    def match_to_other_lightcurve(
        self, other: Lightcurve, resample_flags: bool = True
    ) -> LightcurveArbitraryRaster:
        """Return the light curve at the times of another one."""
        return self.onto_raster(other.get_times(), resample_flags)

    def onto_raster(
        self, output_raster: Iterable[float], resample_flags: bool = True
    ) -> LightcurveArbitraryRaster:
        """Return the light curve at other times, in days, of which there are two or more.

        Pixels that are not wholly inside the input have NaN and the flag `NO_DATA`. Without
        `resample_flags` all others have the flag 0.
        """
        old = self.input_lc
        raster = np.array([*output_raster], np.float64)
        flags = old.flags if resample_flags else np.zeros(len(old), np.int64)
        found = resample(raster, old.get_times(), (old.fluxes, old.uncertainties, flags), NO_DATA)
        return LightcurveArbitraryRaster(raster, *found, old.metadata)
