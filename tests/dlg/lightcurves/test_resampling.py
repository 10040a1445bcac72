"""Resampling: flux, uncertainties, flags, and what happens at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.lightcurves import (
    NO_DATA,
    LightcurveArbitraryRaster,
    LightcurveError,
    LightcurveResampler,
)
from dlg.lightcurves.resampling import pixel_edges


def curve(count: int = 12, step: float = 1.0) -> LightcurveArbitraryRaster:
    times = np.arange(count) * step
    return LightcurveArbitraryRaster(
        times, np.arange(count, dtype=float), np.full(count, 0.2), np.zeros(count, int),
        {"star": "Vega"},
    )  # fmt: skip


def test_the_same_times_give_the_same_light_curve() -> None:
    found = LightcurveResampler(curve()).match_to_other_lightcurve(curve())
    assert found.get_fluxes() == pytest.approx(curve().get_fluxes())
    assert found.get_uncertainties() == pytest.approx(curve().get_uncertainties())
    assert found.metadata == {"star": "Vega"}


def test_pixels_are_the_mean_of_what_lies_in_them() -> None:
    found = LightcurveResampler(curve()).onto_raster([1.5, 3.5, 5.5])
    assert found.get_fluxes() == pytest.approx([1.5, 3.5, 5.5])


def test_uncertainties_of_means_are_smaller() -> None:
    found = LightcurveResampler(curve()).onto_raster([1.5, 5.5])
    assert found.get_uncertainties() == pytest.approx([0.2 / 2, 0.2 / 2])


def test_parts_of_a_pixel_are_no_more_certain_than_it() -> None:
    found = LightcurveResampler(curve()).onto_raster(np.arange(2, 5, 0.125))
    assert np.all(found.get_uncertainties() <= 0.2 + 1e-12)
    assert np.count_nonzero(np.isclose(found.get_uncertainties(), 0.2)) > 10


def test_a_pixel_that_sticks_out_has_no_data() -> None:
    found = LightcurveResampler(curve(4)).onto_raster([-3, -1, 1, 3, 5])
    assert np.isnan(found.get_fluxes()).tolist() == [True, True, False, True, True]
    assert found.get_flags().tolist() == [NO_DATA, NO_DATA, 0, NO_DATA, NO_DATA]
    assert np.isnan(found.get_uncertainties()[0])


def test_missing_data_is_missing_only_where_it_is() -> None:
    lc = curve()
    lc.fluxes[6] = np.nan
    found = LightcurveResampler(lc).onto_raster(np.arange(1, 11))
    assert np.flatnonzero(np.isnan(found.get_fluxes())).tolist() == [5]
    assert found.get_fluxes()[6] == pytest.approx(7)


def test_flags_of_all_that_is_touched_are_joined() -> None:
    lc = curve()
    lc.flags[2], lc.flags[3], lc.flags[8] = 1, 4, 2
    found = LightcurveResampler(lc).onto_raster([2.5, 4.5, 6.5, 8.5])
    assert found.get_flags().tolist() == [5, 0, 0, 2]


def test_flags_may_be_left_out_but_not_what_has_no_data() -> None:
    lc = curve(4)
    lc.flags[:] = 7
    found = LightcurveResampler(lc).onto_raster([0, 1, 2, 3, 4], resample_flags=False)
    assert found.get_flags().tolist() == [0, 0, 0, 0, NO_DATA]


@pytest.mark.parametrize("raster", [[], [1.0], [1.0, 1.0], [2.0, 1.0]])
def test_a_raster_has_two_or_more_times_that_go_up(raster: list[float]) -> None:
    with pytest.raises(LightcurveError, match="raster"):
        LightcurveResampler(curve()).onto_raster(raster)


def test_two_points_can_be_resampled_and_one_cannot() -> None:
    found = LightcurveResampler(curve(2)).onto_raster([0.0, 1.0])
    assert found.get_fluxes() == pytest.approx([0, 1])
    with pytest.raises(LightcurveError, match="at least 2"):
        LightcurveResampler(curve(1)).onto_raster([0.0, 1.0])


steps = st.lists(st.floats(0.05, 5), min_size=4, max_size=30)


@given(steps, st.integers(0, 2**32), steps)
def test_flux_is_conserved_whatever_the_times(
    old: list[float], seed: int, new: list[float]
) -> None:
    times = np.cumsum(old)
    fluxes = np.random.default_rng(seed).normal(1, 1, len(times))
    edges = pixel_edges(times)
    # New times whose pixels lie between the first and the last edge of the old ones.
    raster = np.cumsum(new)
    wanted = pixel_edges(raster)
    scale = 0.999 * (edges[-1] - edges[0]) / (wanted[-1] - wanted[0])
    raster = edges[0] + (raster - wanted[0]) * scale + 0.0005 * (edges[-1] - edges[0])
    lc = LightcurveArbitraryRaster(times, fluxes)
    found = LightcurveResampler(lc).onto_raster(raster)
    wanted = pixel_edges(raster)
    running = np.concatenate([[0], np.cumsum(fluxes * np.diff(edges))])
    total = np.interp(wanted[-1], edges, running) - np.interp(wanted[0], edges, running)
    assert np.sum(found.get_fluxes() * np.diff(wanted)) == pytest.approx(total, abs=1e-6)


@given(steps, st.integers(1, 5))
def test_uncertainties_are_those_of_a_sum_over_pixels(old: list[float], group: int) -> None:
    times = np.cumsum(old)
    count = len(times) // group * group
    if count // group < 2:
        return
    errors = np.linspace(0.1, 1, len(times))
    lc = LightcurveArbitraryRaster(times, np.ones(len(times)), errors)
    edges = pixel_edges(times)
    raster = np.linspace(times[0], times[-1], max(2, count // group))
    found = LightcurveResampler(lc).onto_raster(raster)
    wanted = pixel_edges(raster)
    for pixel in np.flatnonzero(np.isfinite(found.get_fluxes())):
        shared = np.minimum(edges[1:], wanted[pixel + 1]) - np.maximum(edges[:-1], wanted[pixel])
        shared = np.clip(shared, 0, None)
        width = wanted[pixel + 1] - wanted[pixel]
        expected = np.sqrt(np.sum((shared * errors) ** 2)) / width
        assert found.get_uncertainties()[pixel] == pytest.approx(expected, rel=1e-6)
