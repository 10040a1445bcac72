"""Finding transits that come again and again: box least squares, by astropy.

Kovacs, Zucker, Mazeh (2002); the grid of periods is that of astropy, coarse where a transit is
long compared with the steps. What is best there is looked at again on a finer grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.exceptions import MissingExtraError
from dlg.lightcurves.errors import LightcurveError
from dlg.lightcurves.lightcurve import Lightcurve

Floats = npt.NDArray[np.float64]

FEWEST = 10
FINE = 200
"""Periods on the finer grid."""
HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Which transits are looked for."""

    minimum_period: float = 0.5
    """Days."""
    maximum_period: float | None = None
    """Days; by default half of the light curve, so that two transits are seen."""
    durations_h: tuple[float, ...] = (2.0, 4.0, 8.0)
    frequency_factor: float = 5.0
    """How much coarser the grid of frequencies is than the finest that makes sense."""


@dataclass(frozen=True, slots=True)
class Periodogram:
    """What a search saw, and the best of it."""

    periods: Floats = field(repr=False)
    """Days."""
    power: Floats = field(repr=False)
    """The logarithm of the likelihood of a transit with that period, compared with none."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """`period`, `duration` and `transit_time` in days, `depth`, and its significance `mes`."""


def search_transits(lc: Lightcurve, options: SearchOptions | None = None) -> Periodogram:
    """Return what transits there are in a light curve; points without data are left out.

    Raises `LightcurveError` if it is too short, and `MissingExtraError` without astropy.
    """
    options = options or SearchOptions()
    times, fluxes, errors = _known(lc)
    durations = _durations(options)
    longest = options.maximum_period or (times[-1] - times[0]) / 2
    shortest = max(options.minimum_period, 1.01 * float(durations[-1]))
    if not longest > shortest:
        raise LightcurveError(
            f"there are no periods to search from {shortest:g} to {longest:g} days"
        )
    box = _box(times, fluxes, errors)
    grid = box.autoperiod(
        durations, minimum_period=shortest, maximum_period=longest,
        frequency_factor=options.frequency_factor,
    )  # fmt: skip
    if len(grid) < 2:  # noqa: PLR2004  a grid of one has no steps
        raise LightcurveError(f"only {len(grid)} periods to search: options too coarse")
    found = box.power(grid, durations, objective="likelihood")
    periods, power = np.asarray(found.period, float), np.asarray(found.power, float)
    index = int(np.argmax(power))
    near, width = periods[index], 2 * abs(float(np.gradient(periods)[index]))
    around = np.linspace(max(shortest, near - width), min(longest, near + width), FINE)
    best = box.power(around, durations, objective="likelihood")
    order = np.argsort(periods)
    return Periodogram(periods[order], power[order], _metadata(best))


def _metadata(best: Any) -> dict[str, Any]:
    index = int(np.argmax(best.power))
    return {
        "period": float(best.period[index]),
        "duration": float(best.duration[index]),
        "transit_time": float(best.transit_time[index]),
        "depth": float(best.depth[index]),
        "mes": float(best.depth_snr[index]),
    }


def fold(times: Floats, period: float, transit_time: float) -> Floats:
    """Return times since the nearest transit, in days."""
    return np.asarray((times - transit_time + period / 2) % period - period / 2, np.float64)


def _known(lc: Lightcurve) -> tuple[Floats, Floats, Floats]:
    """Return the columns of the points that have data."""
    good = np.isfinite(lc.get_fluxes())
    times, fluxes = lc.get_times()[good], lc.get_fluxes()[good]
    if len(times) < FEWEST:
        raise LightcurveError(f"{len(times)} points are too few to search")
    errors = lc.get_uncertainties()[good]
    if not np.all(errors > 0):  # not told: what neighbours differ by
        spread = float(np.median(np.abs(np.diff(fluxes)))) / (0.6745 * math.sqrt(2))
        errors = np.full(len(times), spread or 1.0)
    return times, fluxes, errors


def _durations(options: SearchOptions) -> Floats:
    durations: Sequence[float] = sorted(options.durations_h)
    if not durations or not durations[0] > 0:
        raise LightcurveError("durations_h: hours above 0 are expected")
    return np.asarray(durations) / HOURS


def _box(times: Floats, fluxes: Floats, errors: Floats) -> Any:
    try:
        from astropy.timeseries import BoxLeastSquares  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtraError("astropy", "transits") from error
    return BoxLeastSquares(times, fluxes, errors)
