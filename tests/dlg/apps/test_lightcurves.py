"""Apps that work on light curves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.apps.lightcurve_transits import (
    LightcurvePlotApp,
    TransitQualityApp,
    TransitSearchApp,
    TransitSynthesisApp,
)
from dlg.apps.lightcurves import (
    LightcurveBinApp,
    LightcurveIngestApp,
    LightcurveMultiplyApp,
    LightcurveResampleApp,
    LightcurveVerifyApp,
)
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.lightcurves import LightcurveArbitraryRaster, LightcurveFixedStep
from dlg.lightcurves.search import Periodogram
from dlg.testing.app_contract import AppContract, filled, run
from dlg.testing.expectations import ending

CSV = b"# #star=Vega\n0.0,1.0,0\n0.5,0.9,4\n1.0,0.8,0\n"
STEP = 600 / 86400


def curve(count: int = 12, step: float = STEP, flux: float = 1.0) -> LightcurveFixedStep:
    return LightcurveFixedStep(0.0, step, np.full(count, flux), metadata={"star": "Vega"})


def done(app: BarrierAppDROP, *values: Any, outputs: int = 1) -> list[InMemoryDROP]:
    """Run an app with inputs that hold `values`; return its outputs."""
    for number, value in enumerate(values):
        app.addInput(filled(f"in{number}", value))
    found = [InMemoryDROP(f"out{number}") for number in range(outputs)]
    for drop in found:
        app.addOutput(drop)
    run(app)
    return found


def result(app: BarrierAppDROP, *values: Any) -> Any:
    (out,) = done(app, *values)
    assert app.failure is None
    return out.value()


class TestMultiply(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = LightcurveMultiplyApp("multiply", **parameters)
        app.addInput(filled("in", curve()))
        app.addOutput(InMemoryDROP("out"))
        return app


class TestSearch(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = TransitQualityApp("judge", **parameters)
        app.addInput(filled("in", curve()))
        app.addInput(filled("found", {"period": 1.0}))
        app.addOutput(InMemoryDROP("out"))
        return app


@pytest.mark.parametrize("content", [CSV, gzip.compress(CSV, mtime=0)], ids=["text", "gzip"])
def test_files_of_the_stitching_group_are_ingested(content: bytes) -> None:
    lc = result(LightcurveIngestApp("ingest", cut_off_time=0.5), content)
    assert lc.get_flags().tolist() == [0, 4]
    assert lc.metadata == {"star": "Vega", "filename": "in0"}


def test_a_file_that_is_wrong_fails_its_app_with_the_line() -> None:
    app = LightcurveIngestApp("ingest")
    done(app, b"0,1,0\nnonsense\n")
    assert "in0: line 2: time,flux,flag is expected" in str(app.failure)


def test_a_light_curve_is_verified() -> None:
    found = result(LightcurveVerifyApp("verify"), curve(100))
    assert found["verification"] is True
    assert found["verification_time"] > 0
    assert (found["points"], found["missing"]) == (100, 0)
    assert (found["flux_min"], found["flux_max"]) == (1, 1)


def test_too_many_missing_points_are_found_out() -> None:
    times = np.delete(np.arange(100), range(20, 40)) * STEP
    lc = LightcurveArbitraryRaster(times, np.ones(80))
    found = result(LightcurveVerifyApp("verify"), lc)
    assert (found["missing"], found["verification"]) == (20, False)
    assert result(LightcurveVerifyApp("verify", max_missing=0.3), lc)["verification"] is True


def test_an_empty_light_curve_is_no_good() -> None:
    empty = LightcurveArbitraryRaster([], [])
    assert result(LightcurveVerifyApp("verify"), empty)["verification"] is False


def test_a_light_curve_is_put_into_bins() -> None:
    lc = LightcurveFixedStep(0.0, STEP, np.arange(12.0))
    found = result(LightcurveBinApp("bin", cadence_s=1800.0), lc)
    assert found.get_fluxes() == pytest.approx([1, 4, 7, 10])
    assert found.get_times() == pytest.approx(np.array([1, 4, 7, 10]) * STEP)


def test_bins_must_have_a_width() -> None:
    app = LightcurveBinApp("bin", cadence_s=0.0)
    done(app, curve())
    assert "cadence_s must be above 0" in str(app.failure)


def test_light_curves_are_multiplied() -> None:
    found = result(LightcurveMultiplyApp("multiply"), curve(flux=2), curve(flux=3), curve(flux=5))
    assert found.get_fluxes().tolist() == [30] * 12


def test_a_light_curve_is_brought_to_the_times_of_another() -> None:
    other = LightcurveArbitraryRaster(np.array([2, 4, 6]) * STEP, np.ones(3))
    found = result(LightcurveResampleApp("resample"), curve(flux=2), other)
    assert found.get_fluxes() == pytest.approx([2, 2, 2])


def test_what_is_no_light_curve_is_refused() -> None:
    app = LightcurveMultiplyApp("multiply")
    done(app, {"not": "a light curve"})
    assert "input in0 holds no light curve but dict" in str(app.failure)


@pytest.mark.parametrize("app", [LightcurveIngestApp("a"), LightcurveResampleApp("b")])
def test_apps_say_how_many_inputs_they_need(app: BarrierAppDROP) -> None:
    done(app)
    assert "inputs (" in str(app.failure)


def test_light_curves_and_verdicts_are_files_where_data_are_files(tmp_path: Path) -> None:
    stored = FileDROP("curve", filepath=str(tmp_path / "curve.txt.gz"))
    told = FileDROP("told", filepath=str(tmp_path / "told.json"))
    multiply, verify = LightcurveMultiplyApp("multiply"), LightcurveVerifyApp("verify")
    multiply.addInput(filled("in", curve()))
    multiply.addOutput(stored)
    verify.addInput(stored)
    verify.addOutput(told)
    with ending(told):
        run(multiply)
    found = LightcurveArbitraryRaster.from_file(tmp_path / "curve.txt.gz")
    assert found.metadata == {"star": "Vega"}
    assert json.loads((tmp_path / "told.json").read_text())["points"] == 12


# -- transits -------------------------------------------------------------------------------


def made(**parameters: Any) -> Any:
    pytest.importorskip("batman", reason="batman-package is not installed")
    options = {"radius_earth": 8.0, "orbital_period": 5.0, "lightcurve_days": 40.0, **parameters}
    return result(TransitSynthesisApp("make", noise=3e-4, **options))


def test_a_planet_comes_from_parameters_or_from_an_input() -> None:
    lc = made()
    assert (lc.metadata["radius_earth"], lc.metadata["orbital_period"]) == (8.0, 5.0)
    given = [{"radius_earth": 2.0, "seed": 3.0}]
    other = result(TransitSynthesisApp("make", lightcurve_days=40.0), given)
    assert (other.metadata["radius_earth"], other.metadata["orbital_period"]) == (2.0, 10.0)


def test_transits_are_searched_judged_and_drawn() -> None:
    pytest.importorskip("astropy", reason="astropy is not installed")
    lc = made()
    found, whole = done(TransitSearchApp("search", frequency_factor=20.0), lc, outputs=2)
    assert isinstance(whole.value(), Periodogram)
    assert found.value()["period"] == pytest.approx(5.0, rel=0.01)
    for order in ((lc, found.value()), (found.value(), lc)):
        verdict = result(TransitQualityApp("judge"), *order)
        assert (verdict["outcome"], verdict["target_period"]) == ("PASS", 5.0)
        assert verdict["radius_earth"] == 8.0
    for kind in LightcurvePlotApp.kinds:
        picture = result(LightcurvePlotApp("plot", kind=kind), lc, whole.value())
        assert bytes(picture).startswith(b"\x89PNG")


def test_a_picture_that_nobody_can_draw_is_refused() -> None:
    app = LightcurvePlotApp("plot", kind="pie")
    done(app, curve())
    assert "lightcurve, periodogram, folded, not 'pie'" in str(app.failure)
    app = LightcurvePlotApp("plot", kind="folded")
    done(app, curve())
    assert "needs an input with the periodogram" in str(app.failure)


def test_durations_must_be_numbers() -> None:
    app = TransitSearchApp("search", durations_h="2 x")
    done(app, curve())
    assert "durations_h" in str(app.failure)
