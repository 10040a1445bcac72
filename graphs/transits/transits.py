"""The functions of the transits graph: which planets there are, and how many were found.

The light curves themselves are made and searched by apps of dlg (`dlg.apps.lightcurve_transits`).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.lightcurves.plots import draw_map

RADII_EARTH = (1.0, 2.0, 4.0, 8.0)
PERIODS_DAYS = (1.7, 4.3, 10.6, 26.5, 66.0)
MES = 7.1
"""A signal that is so many times its uncertainty is no accident: the threshold of Kepler."""
COLUMNS = (
    "radius_earth", "orbital_period", "impact", "period", "depth", "duration", "mes", "outcome",
    "recovered",
)  # fmt: skip

Verdict = Mapping[str, Any]


def invent_planets(number: int = 50, seed: int = 1) -> list[dict[str, float]]:
    """Make up planets: all sizes and periods in turn, with other orbits and another noise each."""
    rng = np.random.default_rng(seed)
    cells = [(radius, period) for period in PERIODS_DAYS for radius in RADII_EARTH]
    planets = []
    for place in range(number):
        radius, period = cells[place % len(cells)]
        period *= rng.uniform(0.9, 1.1)
        planets.append({
            "radius_earth": radius,
            "orbital_period": float(period),
            "impact": float(rng.uniform(0.0, 0.6)),
            "first_transit": float(rng.uniform(0.0, min(period, 30.0))),
            "seed": float(place),
        })  # fmt: skip
    return planets


def recovered(verdict: Verdict) -> bool:
    """Return whether a planet was found: with the right period, and not by accident."""
    return bool(verdict["outcome"] == "PASS" and verdict["mes"] >= MES)


def write_table(verdicts: Sequence[Verdict]) -> str:
    """Return all planets and what was found, comma-separated, short periods first."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for verdict in sorted(verdicts, key=lambda one: (one["orbital_period"], one["radius_earth"])):
        values = {**verdict, "recovered": int(recovered(verdict))}
        row = [values[name] for name in COLUMNS]
        table.writerow(f"{v:.6g}" if isinstance(v, float) else v for v in row)
    return text.getvalue()


def shares(verdicts: Sequence[Verdict]) -> npt.NDArray[np.float64]:
    """Return which part of the planets of each size (rows) and period (columns) was found."""
    found = np.zeros((len(RADII_EARTH), len(PERIODS_DAYS)))
    made = np.zeros_like(found)
    for verdict in verdicts:
        row = int(np.argmin(np.abs(np.subtract(RADII_EARTH, verdict["radius_earth"]))))
        ratios = np.abs(np.log(np.divide(PERIODS_DAYS, verdict["orbital_period"])))
        cell = row, int(np.argmin(ratios))
        made[cell] += 1
        found[cell] += recovered(verdict)
    return np.divide(found, made, out=np.full_like(found, np.nan), where=made > 0)


def draw_recovery(verdicts: Sequence[Verdict]) -> bytes:
    """Return a map of what was found, as a PNG file."""
    count = f"{sum(map(recovered, verdicts))} of {len(verdicts)} planets recovered"
    words = "period (days)", "radius (Earth = 1)", count
    return draw_map(PERIODS_DAYS, RADII_EARTH, shares(verdicts), words)


def summarise(verdicts: Sequence[Verdict]) -> str:
    """Say how many planets were found, and which."""
    lines = [f"{sum(map(recovered, verdicts))} of {len(verdicts)} planets recovered", ""]
    across = "".join(f"{period:>8g}" for period in PERIODS_DAYS)
    lines += ["   radius  | period (days)", f"  (Earth)  |{across}"]
    table = shares(verdicts)
    for radius, row in reversed(list(zip(RADII_EARTH, table.tolist(), strict=True))):
        cells = "".join(
            f"{share:>8.0%}" if not math.isnan(share) else f"{'-':>8}" for share in row
        )
        lines.append(f"{radius:>9g}  |{cells}")
    return "\n".join(lines)
