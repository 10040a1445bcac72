"""Whether a period that was found is that of the planet."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from dlg.lightcurves import LightcurveArbitraryRaster, transit_detection_quality_control


def judged(target: Any, period: Any) -> dict[str, Any]:
    metadata = {} if target is None else {"orbital_period": target}
    lc = LightcurveArbitraryRaster([0, 1], [1, 1], metadata=metadata)
    return transit_detection_quality_control(lc, {} if period is None else {"period": period})


@pytest.mark.parametrize(
    ("target", "period", "outcome"),
    [
        (10.0, 10.0, "PASS"), (10.0, 10.2, "PASS"), (10.0, 9.8, "PASS"), (10.0, 10.4, "FAIL"),
        (9.7, 10.0, "FAIL"), (10.3, 10.0, "FAIL"), (10.0, 5.0, "FAIL"), (10.0, 20.0, "FAIL"),
        (10.0, 0.0, "FAIL"), (0.0, 0.0, "FAIL"),
    ],
)  # fmt: skip
def test_a_period_within_three_per_cent_passes(target: float, period: float, outcome: str) -> None:
    assert judged(target, period) == {
        "period": period, "outcome": outcome, "target_period": target,
    }  # fmt: skip


@pytest.mark.parametrize(("target", "period"), [(None, 1.0), (1.0, None), (None, None)])
def test_without_both_periods_nothing_is_said(target: Any, period: Any) -> None:
    found = judged(target, period)
    assert found["outcome"] == "UNDEFINED"
    assert math.isnan(found["target_period"])


def test_items_of_metadata_do_as_well() -> None:
    assert judged(SimpleNamespace(value=3.0), SimpleNamespace(value=3.0))["outcome"] == "PASS"


def test_what_the_search_said_is_kept() -> None:
    lc = LightcurveArbitraryRaster([0, 1], [1, 1], metadata={"orbital_period": 2.0})
    found = transit_detection_quality_control(lc, {"period": 2.0, "depth": 0.01})
    assert found["depth"] == 0.01
