"""Resampling that conserves flux: points are pixels, from midpoint to midpoint of their times.

The flux of a new pixel is the mean of what lies in it. One that is not wholly inside the old ones,
or touches one without data (NaN), has no data either. Uncertainties are added in quadrature, each
with its share; flags of all pixels that are touched are joined.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.lightcurves.errors import LightcurveError

Floats = npt.NDArray[np.float64]

FEWEST = 2
EDGE = 1e-9
"""How much of a pixel may stick out, as numbers are not exact."""


def pixel_edges(times: Floats) -> Floats:
    """Return the edges of pixels: midpoints, and half a pixel more at both ends.

    Raises `LightcurveError` unless there are two or more times that go up.
    """
    if len(times) < FEWEST:
        raise LightcurveError(f"a raster needs at least {FEWEST} times, not {len(times)}")
    steps = np.diff(times)
    if not np.all(steps > 0):
        raise LightcurveError("the times of a raster must go up")
    middle = times[:-1] + steps / 2
    ends = (times[0] - steps[0] / 2, times[-1] + steps[-1] / 2)
    return np.concatenate([ends[:1], middle, ends[1:]])


def resample(
    new: Floats, old: Floats, columns: tuple[Floats, Floats, npt.NDArray[Any]], no_data: int
) -> tuple[Floats, Floats, npt.NDArray[Any]]:
    """Return fluxes, uncertainties and flags at the times `new` from those at `old`."""
    fluxes, uncertainties, flags = columns
    edges, wanted = pixel_edges(old), pixel_edges(new)
    widths, known = np.diff(edges), np.isfinite(fluxes)
    inside = np.diff(np.interp(wanted, edges, _running(known * widths)))
    full = inside >= np.diff(wanted) * (1 - EDGE)
    total = np.diff(np.interp(wanted, edges, _running(np.where(known, fluxes, 0.0) * widths)))
    spread = _squares(wanted, edges, np.where(known, uncertainties, 0.0))
    width = np.diff(wanted)
    return (
        np.where(full, total / width, np.nan),
        np.where(full, np.sqrt(spread) / width, np.nan),
        np.where(full, _flags(wanted, edges, flags), no_data),
    )


def _running(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _touched(wanted: Floats, edges: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the first and the last old pixel that each new one touches."""
    last_pixel = len(edges) - 2
    tiny = EDGE * np.diff(wanted)
    first = np.searchsorted(edges, wanted[:-1] + tiny, "right") - 1
    last = np.searchsorted(edges, wanted[1:] - tiny, "left") - 1
    return np.clip(first, 0, last_pixel), np.clip(last, 0, last_pixel)


def _squares(wanted: Floats, edges: Floats, uncertainties: Floats) -> Floats:
    """Return, for each new pixel, the sum of the squares of (uncertainty times shared width)."""
    first, last = _touched(wanted, edges)
    whole = _running((uncertainties * np.diff(edges)) ** 2)
    begin = np.clip(wanted[:-1], edges[0], edges[-1])
    end = np.clip(wanted[1:], edges[0], edges[-1])
    one = ((end - begin) * uncertainties[first]) ** 2
    head = ((edges[first + 1] - begin) * uncertainties[first]) ** 2
    tail = ((end - edges[last]) * uncertainties[last]) ** 2
    several = head + tail + whole[last] - whole[np.minimum(first + 1, last)]
    return np.where(first == last, one, np.maximum(several, 0.0))


def _flags(wanted: Floats, edges: Floats, flags: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the flags of all old pixels that each new one touches, joined."""
    first, last = _touched(wanted, edges)
    join = np.bitwise_or if np.issubdtype(flags.dtype, np.integer) else np.maximum
    bounds = np.stack([first, np.maximum(last, first) + 1], axis=1).ravel()
    padded = np.concatenate([flags, flags[:1] * 0])  # a bound may be the end
    return np.asarray(join.reduceat(padded, bounds)[::2])
