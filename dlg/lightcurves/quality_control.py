"""Whether what was found is what was to be found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dlg.lightcurves.lightcurve import Lightcurve, plain

TOLERANCE = 0.03
"""By which part a period may be off."""


def transit_detection_quality_control(
    lc: Lightcurve, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `metadata` of a search with `outcome` and `target_period` added.

    The outcome is PASS if the `period` that was found is within 3 % of the `orbital_period` in the
    metadata of the light curve, otherwise FAIL, also for half and double the period; UNDEFINED if
    either is not known, and then the target is NaN.
    """
    target, period = (_number(lc.metadata.get("orbital_period")), _number(metadata.get("period")))
    if math.isnan(target) or math.isnan(period):
        return {**metadata, "outcome": "UNDEFINED", "target_period": math.nan}
    ratio = target / period if period else math.inf
    passed = 1 - TOLERANCE < ratio < 1 + TOLERANCE
    return {**metadata, "outcome": "PASS" if passed else "FAIL", "target_period": target}


def _number(item: Any) -> float:
    value = plain(item)
    return math.nan if value is None else float(value)
