"""Apps that read light curves, look at them, and bring them to other times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dlg.apps.lightcurve_data import deliver, inputs_of, lightcurve_of
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_bool_param, dlg_float_param
from dlg.exceptions import InvalidDropException
from dlg.lightcurves import Lightcurve, LightcurveResampler, files
from dlg.lightcurves.lc_reader_lcsg import parse
from dlg.support import clock

SECONDS = 86400.0


class LightcurveIngestApp(BarrierAppDROP):
    """Reads a file of the light curve stitching group, compressed or not, into a light curve."""

    __slots__ = ()

    cut_off_time = dlg_float_param("days after which points are left out; none: all are read")

    def run(self) -> None:
        """Read the input and store the light curve in every output."""
        (source,) = inputs_of(self, 1, "a file")
        lines = files.lines_in(source.contents(), source.uid)
        deliver(self, parse(lines, source.uid, {"filename": source.uid}, self.cut_off_time))


class LightcurveVerifyApp(BarrierAppDROP):
    """Says what is in a light curve, and whether it can be used: `verification`.

    That is so if it has points on a fixed step, of which no more than `max_missing` are missing.
    """

    __slots__ = ()

    cacheable = False  # it says when

    max_missing = dlg_float_param("which part of the points may be missing", 0.01)

    def run(self) -> None:
        """Store what is known in every output."""
        (source,) = inputs_of(self, 1, "a light curve")
        deliver(self, self.verify(lightcurve_of(self, source)))

    def verify(self, lc: Lightcurve) -> dict[str, Any]:
        """Return what is known of a light curve."""
        fluxes = lc.get_fluxes()
        good = fluxes[np.isfinite(fluxes)]
        found: dict[str, Any] = {
            "verification_time": clock.now(),
            "points": len(lc),
            "duration": lc.duration(),
            "flux_min": float(good.min()) if len(good) else math.nan,
            "flux_max": float(good.max()) if len(good) else math.nan,
            "verification": False,
        }
        if len(good) > 1:
            missing = lc.check_fixed_step(verbose=False) + len(lc) - len(good)
            found["time_step"] = lc.estimate_sampling_interval()
            found["missing"] = missing
            found["verification"] = missing <= self.max_missing * (len(lc) + missing)
        return found


class LightcurveBinApp(BarrierAppDROP):
    """Brings a light curve to pixels of a longer step, with the same flux in them."""

    __slots__ = ()

    cadence_s = dlg_float_param("seconds from point to point", 600.0)

    def run(self) -> None:
        """Store the light curve in bins in every output."""
        (source,) = inputs_of(self, 1, "a light curve")
        lc, step = lightcurve_of(self, source), self.cadence_s / SECONDS
        if not step > 0:
            raise InvalidDropException(self, f"cadence_s must be above 0, not {self.cadence_s}")
        times = lc.get_times()
        half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.0
        count = math.floor((lc.duration() + 2 * half) / step + 1e-9)
        raster = (times[:1] - half if len(times) else 0.0) + (np.arange(count) + 0.5) * step
        deliver(self, LightcurveResampler(lc).onto_raster(raster))


class LightcurveMultiplyApp(BarrierAppDROP):
    """Multiplies the first input, a light curve, with all others, at the times of the first."""

    __slots__ = ()

    def run(self) -> None:
        """Store the product in every output."""
        if not self.inputs:
            raise InvalidDropException(self, "needs at least one light curve")
        first, *others = (lightcurve_of(self, drop) for drop in self.inputs)
        for other in others:
            first = first * other
        deliver(self, first)


class LightcurveResampleApp(BarrierAppDROP):
    """Brings the first input, a light curve, to the times of the second."""

    __slots__ = ()

    resample_flags = dlg_bool_param("whether flags are resampled, too, or become 0", True)

    def run(self) -> None:
        """Store the light curve at the other times in every output."""
        source, other = inputs_of(self, 2, "a light curve, and one with the times wanted")
        found = LightcurveResampler(lightcurve_of(self, source)).match_to_other_lightcurve(
            lightcurve_of(self, other), self.resample_flags
        )
        deliver(self, found)
