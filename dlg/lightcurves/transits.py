"""Light curves of stars before which a planet passes, made by the batman package."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.exceptions import MissingExtraError
from dlg.lightcurves.errors import LightcurveError
from dlg.lightcurves.lightcurve import LightcurveArbitraryRaster

Floats = npt.NDArray[np.float64]

SUN_RADIUS_M = 6.957e8
"""IAU 2015 nominal radius."""
SUN_GM = 1.3271244e20
"""IAU 2015 nominal mass parameter, in m3 s-2."""
EARTH_RADIUS_M = 6.3781e6
SECONDS = 86400.0
SHORT = 5
"""Points within an exposure at which the model is worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """A star; the defaults are the Sun."""

    radius_sun: float = 1.0
    mass_sun: float = 1.0
    limb_darkening: tuple[float, float] = (0.4, 0.25)
    """Of the quadratic law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planet:
    """A planet on a circular orbit."""

    radius_earth: float = 11.2
    orbital_period: float = 10.0
    """Days."""
    impact: float = 0.0
    """How far from the middle of the star it passes, in radii of the star."""
    first_transit: float | None = None
    """Days; by default a third of the period."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Planet:
        """Return the planet that a mapping describes; others of its items are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


def axis_in_radii(planet: Planet, star: Star) -> float:
    """Return how far the planet is from the star, in radii of the star (Kepler's third law)."""
    period_s = planet.orbital_period * SECONDS
    cube = SUN_GM * star.mass_sun * period_s**2 / (4 * math.pi**2)
    return float(np.cbrt(cube)) / (SUN_RADIUS_M * star.radius_sun)


def transit_duration(planet: Planet, star: Star) -> float:
    """Return how many days a transit takes, from first to last contact; 0 if there is none."""
    axis, ratio = axis_in_radii(planet, star), _ratio(planet, star)
    chord = (1 + ratio) ** 2 - planet.impact**2
    if chord <= 0:
        return 0.0
    inclined = math.sqrt(1 - (planet.impact / axis) ** 2)
    return (
        planet.orbital_period / math.pi * math.asin(min(1.0, math.sqrt(chord) / axis / inclined))
    )


def transit_fluxes(times: Floats, planet: Planet, star: Star | None = None) -> Floats:
    """Return the flux of the star at `times` (days), which is 1 where the planet is elsewhere.

    Each is the mean over the time from point to point. Raises `LightcurveError` for a planet that
    cannot be, and `MissingExtraError` without batman.
    """
    star = star or Star()
    _check(planet, star)
    try:
        import batman  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtraError("batman-package", "transits") from error
    axis = axis_in_radii(planet, star)
    params = batman.TransitParams()
    first = planet.first_transit
    params.t0 = planet.orbital_period / 3 if first is None else first
    params.per, params.rp, params.a = planet.orbital_period, _ratio(planet, star), axis
    params.inc = math.degrees(math.acos(planet.impact / axis))
    params.ecc, params.w = 0.0, 90.0
    params.u, params.limb_dark = list(star.limb_darkening), "quadratic"
    exposure = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    model = batman.TransitModel(
        params, np.ascontiguousarray(times), supersample_factor=SHORT, exp_time=exposure
    )
    return np.asarray(model.light_curve(params), np.float64)


def synthesise(
    times: npt.ArrayLike, planet: Planet, *, star: Star | None = None, noise: float = 0.0,
    seed: int = 0,
) -> LightcurveArbitraryRaster:  # fmt: skip
    """Return the light curve of a star with a planet, with noise of that standard deviation.

    The planet is in its metadata. The same `seed` makes the same noise.
    """
    raster = np.asarray(times, np.float64)
    fluxes = transit_fluxes(raster, planet, star)
    if noise:
        fluxes = fluxes + np.random.default_rng(seed).normal(0.0, noise, len(fluxes))
    errors = np.full(len(fluxes), noise)
    metadata = {name: value for name, value in asdict(planet).items() if value is not None}
    return LightcurveArbitraryRaster(raster, fluxes, errors, None, metadata)


def _ratio(planet: Planet, star: Star) -> float:
    return planet.radius_earth * EARTH_RADIUS_M / (star.radius_sun * SUN_RADIUS_M)


def _check(planet: Planet, star: Star) -> None:
    for name, value in (
        ("radius_earth", planet.radius_earth), ("orbital_period", planet.orbital_period),
        ("radius_sun", star.radius_sun), ("mass_sun", star.mass_sun),
    ):  # fmt: skip
        if not (value > 0 and math.isfinite(value)):
            raise LightcurveError(f"{name}: a number above 0 is expected, not {value}")
    axis = axis_in_radii(planet, star)
    if axis <= 1 + _ratio(planet, star) or not 0 <= planet.impact < axis:
        raise LightcurveError(
            f"a planet {axis:.2f} radii from the middle of its star, which passes it at "
            f"{planet.impact} radii, has no orbit outside of it"
        )
