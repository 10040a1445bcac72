"""Apps that make light curves with transits, find transits, and judge what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from dlg.apps.lightcurve_data import deliver, inputs_of, lightcurve_of, mapping_of, pick
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_float_param, dlg_int_param, dlg_string_param
from dlg.exceptions import InvalidDropException
from dlg.lightcurves import Lightcurve, plots, transit_detection_quality_control
from dlg.lightcurves.search import Periodogram, SearchOptions, search_transits
from dlg.lightcurves.transits import Planet, synthesise

SECONDS = 86400.0
WHOLE = "periodogram"


class TransitSynthesisApp(BarrierAppDROP):
    """Makes the light curve of a star like the Sun before which a planet passes (batman).

    An input may be a mapping with `radius_earth`, `orbital_period`, `impact`, `first_transit` and
    `seed`, which count more than the parameters.
    """

    __slots__ = ()

    radius_earth = dlg_float_param("radius of the planet, in those of the Earth", 11.2)
    orbital_period = dlg_float_param("days", 10.0)
    impact = dlg_float_param("how far from the middle of the star it passes, in its radii", 0.0)
    lightcurve_days = dlg_float_param("how long the light curve is, in days", 90.0)
    cadence_s = dlg_float_param("seconds from point to point", 1800.0)
    noise = dlg_float_param("standard deviation of the noise of a point", 0.0)
    seed = dlg_int_param("where the random numbers of the noise start", 0)

    def run(self) -> None:
        """Store the light curve in every output."""
        if not (self.cadence_s > 0 and self.lightcurve_days > 0):
            raise InvalidDropException(self, "cadence_s and lightcurve_days must be above 0")
        given = mapping_of(self, self.inputs[0]) if self.inputs else {}
        own = {name: getattr(self, name) for name in ("radius_earth", "orbital_period", "impact")}
        times = np.arange(0.0, self.lightcurve_days, self.cadence_s / SECONDS)
        planet = Planet.of({**own, **given})
        seed = int(given.get("seed", self.seed))
        deliver(self, synthesise(times, planet, noise=self.noise, seed=seed))


class TransitSearchApp(BarrierAppDROP):
    """Looks for transits in a light curve (box least squares, astropy).

    Outputs get what was found (`period`, `depth`, `mes`, ...). One on a port `periodogram` gets
    the whole periodogram, and so does the second of outputs without names.
    """

    __slots__ = ()

    minimum_period = dlg_float_param("days", 0.5)
    maximum_period = dlg_float_param("days; none: half of the light curve")
    durations_h = dlg_string_param("which durations are tried, in hours", "2 4 8")
    frequency_factor = dlg_float_param("how coarse the grid of periods is; 1 is the finest", 5.0)

    def run(self) -> None:
        """Search, and store what was found."""
        (source,) = inputs_of(self, 1, "a light curve")
        if not self.outputs:
            raise InvalidDropException(self, "needs at least one output")
        found = search_transits(lightcurve_of(self, source), self.options())
        for place, port in enumerate(ports.outputs(self)):
            whole = port.name == WHOLE or (place > 0 and not port.name)
            port.drop.store(found if whole else found.metadata)

    def options(self) -> SearchOptions:
        """Return which transits are looked for."""
        try:
            durations = tuple(float(word) for word in self.durations_h.replace(",", " ").split())
        except ValueError as error:
            raise InvalidDropException(self, f"durations_h: {error}") from error
        return SearchOptions(
            minimum_period=self.minimum_period, maximum_period=self.maximum_period,
            durations_h=durations, frequency_factor=self.frequency_factor,
        )  # fmt: skip


class TransitQualityApp(BarrierAppDROP):
    """Says whether the period that was found is that of the planet (within 3 %).

    Inputs are the light curve, whose metadata has the planet, and what was found there. What is
    stored has both, and `outcome`: PASS, FAIL or UNDEFINED.
    """

    __slots__ = ()

    def run(self) -> None:
        """Judge, and store the verdict in every output."""
        lc: Lightcurve = pick(self, Lightcurve, "a light curve")  # type: ignore[type-abstract]
        found: Mapping[str, Any] = pick(self, dict, "what was found in it")
        planet = {name: value for name, value in lc.metadata.items() if name not in found}
        deliver(self, {**planet, **transit_detection_quality_control(lc, found)})


class LightcurvePlotApp(BarrierAppDROP):
    """Draws a light curve as a PNG file: the curve, its periodogram, or its transits, folded.

    Inputs are the light curve and, for the latter two, the periodogram of a search.
    """

    __slots__ = ()

    kinds: ClassVar[tuple[str, ...]] = ("lightcurve", "periodogram", "folded")

    kind = dlg_string_param("lightcurve, periodogram or folded", "lightcurve")
    title = dlg_string_param("what stands above", "")

    def run(self) -> None:
        """Draw, and store the picture in every output."""
        if self.kind not in self.kinds:
            kinds = ", ".join(self.kinds)
            raise InvalidDropException(self, f"kind must be one of {kinds}, not {self.kind!r}")
        lc: Lightcurve = pick(self, Lightcurve, "a light curve")  # type: ignore[type-abstract]
        if self.kind == "lightcurve":
            deliver(self, plots.draw_lightcurve(lc, self.title))
            return
        found = pick(self, Periodogram, "the periodogram of a search")
        if self.kind == "periodogram":
            deliver(self, plots.draw_periodogram(found, self.title))
        else:
            deliver(self, plots.draw_folded(lc, found, self.title))
