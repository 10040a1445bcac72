"""Light curves with transits, made and found."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest

from dlg.exceptions import MissingExtraError
from dlg.lightcurves import LightcurveArbitraryRaster, LightcurveError, plots
from dlg.lightcurves.search import SearchOptions, fold, search_transits
from dlg.lightcurves.transits import (
    Planet,
    Star,
    axis_in_radii,
    synthesise,
    transit_duration,
    transit_fluxes,
)

pytest.importorskip("batman", reason="batman-package is not installed")
pytest.importorskip("astropy", reason="astropy is not installed")

DAYS = np.arange(0, 60, 1 / 48)
EARTH = Planet(radius_earth=1.0, orbital_period=365.25)


def test_the_earth_is_215_radii_of_the_sun_away_and_passes_in_13_hours() -> None:
    assert axis_in_radii(EARTH, Star()) == pytest.approx(215, rel=0.003)
    assert transit_duration(EARTH, Star()) * 24 == pytest.approx(13.1, abs=0.1)


def test_a_transit_is_as_deep_as_the_disc_of_the_planet_is_big() -> None:
    uniform = Star(limb_darkening=(0.0, 0.0))
    planet = Planet(radius_earth=10.9, orbital_period=10.0, first_transit=5.0)
    fluxes = transit_fluxes(DAYS, planet, uniform)
    assert 1 - fluxes.min() == pytest.approx(0.01, rel=0.01)
    assert np.median(fluxes) == 1


def test_transits_come_when_they_should_and_last_as_long() -> None:
    planet = Planet(radius_earth=8.0, orbital_period=7.0, first_transit=2.0)
    times = np.arange(0, 21, 1 / 480)
    phase = fold(times, 7.0, 2.0)
    dark = transit_fluxes(times, planet) < 1
    half = transit_duration(planet, Star()) / 2
    assert np.all(np.abs(phase[dark]) < half + 0.01)
    assert np.all(dark[np.abs(phase) < half - 0.01])


def test_a_planet_that_misses_its_star_makes_no_transit() -> None:
    planet = Planet(radius_earth=1.0, orbital_period=10.0, impact=1.5)
    assert np.all(transit_fluxes(DAYS, planet) == 1)
    assert transit_duration(planet, Star()) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"radius_earth": 0.0}, {"orbital_period": -1.0}, {"orbital_period": math.inf},
        {"orbital_period": 0.05}, {"impact": -0.1}, {"impact": 1e6},
    ],
)  # fmt: skip
def test_a_planet_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(LightcurveError):
        transit_fluxes(DAYS, Planet(**values))


def test_noise_is_that_of_its_seed_and_size() -> None:
    planet = Planet(radius_earth=0.1)
    lc = synthesise(DAYS, planet, noise=1e-3, seed=3)
    assert np.std(lc.get_fluxes()) == pytest.approx(1e-3, rel=0.1)
    assert np.array_equal(lc.fluxes, synthesise(DAYS, planet, noise=1e-3, seed=3).fluxes)
    assert not np.array_equal(lc.fluxes, synthesise(DAYS, planet, noise=1e-3, seed=4).fluxes)
    assert np.all(lc.get_uncertainties() == 1e-3)


def test_the_planet_is_in_the_metadata() -> None:
    lc = synthesise(DAYS, Planet.of({"radius_earth": 2.0, "colour": "blue"}))
    assert lc.metadata == {"radius_earth": 2.0, "orbital_period": 10.0, "impact": 0.0}


def test_a_planet_is_found_with_its_period_depth_and_time() -> None:
    planet = Planet(radius_earth=8.0, orbital_period=6.3, first_transit=1.0)
    found = search_transits(synthesise(DAYS, planet, noise=3e-4, seed=1)).metadata
    assert found["period"] == pytest.approx(6.3, rel=1e-3)
    assert 0.004 < found["depth"] < 0.0065
    assert abs(float(fold(np.array([found["transit_time"]]), 6.3, 1.0)[0])) < 0.1
    assert found["mes"] > 50


def test_a_search_leaves_out_points_without_data() -> None:
    lc = synthesise(DAYS, Planet(radius_earth=8.0, orbital_period=6.3), noise=3e-4)
    lc.fluxes[::7] = np.nan
    assert search_transits(lc).metadata["period"] == pytest.approx(6.3, rel=1e-3)


def test_a_search_needs_no_uncertainties() -> None:
    lc = synthesise(DAYS, Planet(radius_earth=8.0, orbital_period=6.3), noise=3e-4)
    bare = LightcurveArbitraryRaster(lc.times, lc.fluxes)
    found = search_transits(bare).metadata
    assert found["period"] == pytest.approx(6.3, rel=1e-3)
    assert found["mes"] == pytest.approx(search_transits(lc).metadata["mes"], rel=0.2)


def test_nothing_is_significant_where_there_is_nothing() -> None:
    noise = np.random.default_rng(2).normal(1, 3e-4, len(DAYS))
    found = search_transits(LightcurveArbitraryRaster(DAYS, noise, np.full(len(DAYS), 3e-4)))
    assert found.metadata["mes"] < 7.1


def test_periods_are_searched_between_bounds_in_order() -> None:
    lc = synthesise(DAYS, Planet(radius_earth=8.0, orbital_period=6.3), noise=3e-4)
    found = search_transits(lc, SearchOptions(minimum_period=2.0, maximum_period=5.0))
    assert np.all(np.diff(found.periods) > 0)
    assert 2.0 <= found.periods[0] < found.periods[-1] <= 5.01
    assert 2.0 <= found.metadata["period"] <= 5.0


@pytest.mark.parametrize(
    "options",
    [
        SearchOptions(minimum_period=40.0), SearchOptions(durations_h=()),
        SearchOptions(durations_h=(0.0,)), SearchOptions(minimum_period=5.0, maximum_period=4.0),
    ],
)  # fmt: skip
def test_a_search_for_nothing_is_refused(options: SearchOptions) -> None:
    with pytest.raises(LightcurveError):
        search_transits(LightcurveArbitraryRaster(DAYS, np.ones(len(DAYS))), options)


def test_a_light_curve_that_is_too_short_is_refused() -> None:
    with pytest.raises(LightcurveError, match="3 points are too few"):
        search_transits(LightcurveArbitraryRaster([0, 1, 2], [1, 1, 1]))


def test_pictures_are_png() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    lc = synthesise(DAYS, Planet(radius_earth=8.0, orbital_period=6.3), noise=3e-4)
    found = search_transits(lc)
    share = np.array([[0.0, 1.0], [np.nan, 0.5]])
    for picture in (
        plots.draw_lightcurve(lc, "a star"), plots.draw_periodogram(found),
        plots.draw_folded(lc, found), plots.draw_map([1, 2], [1, 2], share, ("a", "b", "c")),
    ):  # fmt: skip
        assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("library", ["batman", "astropy", "matplotlib"])
def test_a_library_that_is_not_there_is_told_with_the_cure(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lc = synthesise(DAYS, Planet())
    for name in [n for n in sys.modules if n.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    acts: dict[str, Callable[[], object]] = {
        "batman": lambda: transit_fluxes(DAYS, Planet()),
        "astropy": lambda: search_transits(lc),
        "matplotlib": lambda: plots.draw_lightcurve(lc),
    }
    with pytest.raises(MissingExtraError, match=r"dlg\[transits\]"):
        acts[library]()
