"""Light curves: points, steps, parts and arithmetic."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest

from dlg.lightcurves import (
    NO_DATA,
    LightcurveArbitraryRaster,
    LightcurveError,
    LightcurveFixedStep,
)

STEP = 600 / 86400


class Item:
    """An item of metadata as the task database has it."""

    def __init__(self, value: Any) -> None:
        self.value = value


def arbitrary(count: int = 10, **options: Any) -> LightcurveArbitraryRaster:
    columns = {
        "fluxes": np.arange(count, dtype=float) + 1, "uncertainties": np.full(count, 0.1),
        "flags": np.arange(count), "metadata": {"star": "Vega"}, **options,
    }  # fmt: skip
    return LightcurveArbitraryRaster(np.arange(count) * STEP, **columns)


def fixed(count: int = 5, start: float = 0.0, step: float = 1.0) -> LightcurveFixedStep:
    ones = np.ones(count)
    return LightcurveFixedStep(start, step, ones, 0.1 * ones, np.arange(count), {"star": "Vega"})


def test_flags_are_flags_and_not_fluxes() -> None:
    assert arbitrary().get_flags().tolist() == list(range(10))
    assert fixed().get_flags().tolist() == list(range(5))


def test_lists_do_as_well_as_arrays() -> None:
    lc = LightcurveArbitraryRaster([0, 1, 2], [1, 1, 1])
    assert lc.get_uncertainties().tolist() == [0, 0, 0]
    assert lc.get_flags().tolist() == [0, 0, 0]


def test_a_light_curve_has_its_own_columns() -> None:
    fluxes = np.ones(3)
    lc = LightcurveArbitraryRaster(np.arange(3), fluxes)
    fluxes[0] = 7
    assert lc.get_fluxes()[0] == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"fluxes": [1, 2]}, {"fluxes": [1, 2, 3], "flags": [1]}, {"fluxes": [[1, 2, 3]]},
        {"fluxes": [1, 2, 3], "uncertainties": [1, 2, 3, 4]},
    ],
)  # fmt: skip
def test_columns_of_other_lengths_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(LightcurveError):
        LightcurveArbitraryRaster([0, 1, 2], **columns)


@pytest.mark.parametrize("times", [[0, 2, 1], [0, math.nan, 1]])
def test_times_that_do_not_go_up_are_refused(times: list[float]) -> None:
    with pytest.raises(LightcurveError, match="go up"):
        LightcurveArbitraryRaster(times, [1, 1, 1])


def test_the_duration_is_from_first_to_last() -> None:
    assert LightcurveArbitraryRaster([1, 2, 5], [1, 1, 1]).duration() == 4
    assert fixed(5).duration() == 4
    assert LightcurveArbitraryRaster([], []).duration() == 0


def test_times_of_a_fixed_step_are_that_step_apart() -> None:
    assert fixed(5).get_times().tolist() == [0, 1, 2, 3, 4]
    assert fixed(3, start=2, step=0.5).get_times().tolist() == [2, 2.5, 3]


@pytest.mark.parametrize("lc", [arbitrary(5), fixed(5)])
def test_a_point_that_is_not_there_has_no_time(lc: Any) -> None:
    assert lc.get_time_of_point(2) == lc.get_times()[2]
    assert math.isnan(lc.get_time_of_point(5))
    assert math.isnan(lc.get_time_of_point(-1))


def test_a_step_must_be_more_than_nothing() -> None:
    with pytest.raises(LightcurveError):
        fixed(step=0)


# -- parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lc", [arbitrary(), fixed(10, step=STEP)])
def test_a_part_has_all_columns_of_its_points(lc: Any) -> None:
    part = lc.truncate_to_length(maximum_time=5.5 * STEP, minimum_time=2 * STEP)
    assert part.get_times() == pytest.approx(np.arange(2, 6) * STEP)
    assert part.get_flags().tolist() == [2, 3, 4, 5]
    assert part.get_uncertainties().tolist() == [0.1] * 4
    assert part.metadata == {"star": "Vega"}


def test_a_part_ends_before_its_maximum_and_begins_at_its_minimum() -> None:
    assert fixed(5).truncate_to_length(3, 1).get_times().tolist() == [1, 2]


def test_times_before_zero_are_only_there_if_they_are_asked_for() -> None:
    lc = LightcurveArbitraryRaster([-1, 0, 1], [1, 2, 3])
    assert lc.truncate_to_length(9).get_fluxes().tolist() == [2, 3]
    assert lc.truncate_to_length(9, -5).get_fluxes().tolist() == [1, 2, 3]


@pytest.mark.parametrize("lc", [arbitrary(), fixed()])
def test_a_part_may_be_empty(lc: Any) -> None:
    part = lc.truncate_to_length(200, 100)
    assert len(part) == 0
    assert part.duration() == 0


# -- steps ----------------------------------------------------------------------------------


def test_the_interval_is_found_in_spite_of_gaps() -> None:
    times = np.delete(np.arange(100), [10, 11, 12, 50]) * STEP
    lc = LightcurveArbitraryRaster(times, np.ones(len(times)))
    assert lc.estimate_sampling_interval() == STEP


def test_the_interval_is_told_in_whole_seconds_unless_it_is_too_short() -> None:
    lc = LightcurveArbitraryRaster(np.arange(10) * 600.3 / 86400, np.ones(10))
    assert lc.estimate_sampling_interval() == 600 / 86400
    short = LightcurveArbitraryRaster(np.arange(10) * 0.1 / 86400, np.ones(10))
    assert short.estimate_sampling_interval() == pytest.approx(0.1 / 86400)


def test_two_points_have_an_interval_and_one_has_none() -> None:
    assert arbitrary(2).estimate_sampling_interval() == STEP
    with pytest.raises(LightcurveError, match="1 points"):
        arbitrary(1).estimate_sampling_interval()


def test_missing_points_are_counted_and_some_logged(caplog: pytest.LogCaptureFixture) -> None:
    times = np.delete(np.arange(200), range(50, 150)) * STEP
    lc = LightcurveArbitraryRaster(times, np.ones(100))
    with caplog.at_level(logging.WARNING):
        assert lc.check_fixed_step(max_errors=6) == 100
    assert len(caplog.records) == 6
    assert "0.34722 days is missing" in caplog.text


def test_it_is_counted_quietly_if_asked(caplog: pytest.LogCaptureFixture) -> None:
    lc = LightcurveArbitraryRaster(np.delete(np.arange(20), 7) * STEP, np.ones(19))
    assert lc.check_fixed_step(verbose=False) == 1
    assert not caplog.records


@pytest.mark.parametrize(("late_s", "missing"), [(8, 0), (-8, 0), (9, 1), (-9, 1)])
def test_a_sample_may_be_a_little_early_or_late(late_s: float, missing: int) -> None:
    times = np.arange(20) * STEP
    times[7] += late_s / 86400
    lc = LightcurveArbitraryRaster(times, np.ones(20))
    assert lc.check_fixed_step(verbose=False) == missing


def test_a_fixed_step_misses_nothing() -> None:
    assert fixed().check_fixed_step() == 0
    assert fixed(step=STEP).estimate_sampling_interval() == STEP


def test_a_whole_light_curve_keeps_all_points_on_a_fixed_step() -> None:
    found = arbitrary(10).to_fixed_step()
    assert len(found) == 10
    assert found.get_times() == pytest.approx(arbitrary(10).get_times())
    assert found.get_flags().tolist() == list(range(10))
    assert found.get_uncertainties().tolist() == [0.1] * 10
    assert found.metadata == {"star": "Vega"}


def test_points_that_are_missing_on_a_fixed_step_have_no_data() -> None:
    times = np.delete(np.arange(8), [3, 4]) * STEP
    lc = LightcurveArbitraryRaster(times, np.arange(6.0), np.ones(6))
    found = lc.to_fixed_step(verbose=False)
    assert np.flatnonzero(np.isnan(found.get_fluxes())).tolist() == [3, 4]
    assert found.get_flags().tolist() == [0, 0, 0, NO_DATA, NO_DATA, 0, 0, 0]
    assert np.isnan(found.get_uncertainties()[3])


# -- arithmetic -----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [arbitrary, lambda n: fixed(n, step=STEP)])
def test_arithmetic_on_the_same_times_is_exact_and_keeps_all_points(make: Any) -> None:
    a, b = make(6), make(6)
    assert (a + b).get_fluxes().tolist() == (a.fluxes + b.fluxes).tolist()
    assert (a - b).get_fluxes().tolist() == [0] * 6
    product = a * b
    assert type(product) is type(a)
    assert product.get_fluxes().tolist() == (a.fluxes * b.fluxes).tolist()
    assert product.get_flags().tolist() == list(range(6))


def test_uncertainties_of_sums_and_products() -> None:
    a = LightcurveArbitraryRaster([0, 1], [2, 2], [0.3, 0.0])
    b = LightcurveArbitraryRaster([0, 1], [5, 5], [0.4, 0.1])
    assert (a + b).get_uncertainties() == pytest.approx([0.5, 0.1])
    assert (a - b).get_uncertainties() == pytest.approx([0.5, 0.1])
    assert (a * b).get_uncertainties() == pytest.approx([math.hypot(1.5, 0.8), 0.2])


def test_flags_of_both_are_joined() -> None:
    a = LightcurveArbitraryRaster([0, 1], [1, 1], flags=[1, 0])
    b = LightcurveArbitraryRaster([0, 1], [1, 1], flags=[2, 0])
    assert (a * b).get_flags().tolist() == [3, 0]


def test_the_other_is_resampled_and_has_no_data_outside() -> None:
    a = LightcurveArbitraryRaster([0.0, 1, 2, 3, 4, 5], np.ones(6))
    b = LightcurveArbitraryRaster(np.arange(0.75, 4.3, 0.5), np.full(8, 2.0))
    total = a + b
    assert np.isnan(total.get_fluxes()).tolist() == [True, False, False, False, False, True]
    assert total.get_fluxes()[1:5] == pytest.approx([3, 3, 3, 3])
    assert total.get_flags().tolist() == [NO_DATA, 0, 0, 0, 0, NO_DATA]


@pytest.mark.parametrize("wrap", [float, Item])
def test_metadata_of_the_better_detection_counts(wrap: Any) -> None:
    def with_mes(mes: float, name: str) -> LightcurveArbitraryRaster:
        return LightcurveArbitraryRaster([0, 1], [1, 1], metadata={"mes": wrap(mes), "name": name})

    assert (with_mes(1, "a") + with_mes(2, "b")).metadata["name"] == "b"
    assert (with_mes(3, "a") + with_mes(2, "b")).metadata["name"] == "a"


def test_metadata_of_both_is_kept() -> None:
    a = LightcurveArbitraryRaster([0, 1], [1, 1], metadata={"a": 1, "x": 1})
    b = LightcurveArbitraryRaster([0, 1], [1, 1], metadata={"b": 2, "x": 2})
    assert (a * b).metadata == {"a": 1, "b": 2, "x": 1}


def test_numbers_are_no_light_curves() -> None:
    with pytest.raises(TypeError):
        arbitrary() + 1  # type: ignore[operator]
