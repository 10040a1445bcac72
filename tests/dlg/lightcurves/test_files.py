"""Files of light curves: what is read is what was written."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.lightcurves import LightcurveArbitraryRaster, LightcurveError, LightcurveFixedStep, files

FORMS = [(binary, gzipped) for binary in (False, True) for gzipped in (False, True)]
any_float = st.floats(allow_nan=False, allow_subnormal=False)
days = st.floats(-1e6, 1e6, allow_subnormal=False)


def curve(count: int = 50) -> LightcurveArbitraryRaster:
    rng = np.random.default_rng(1)
    return LightcurveArbitraryRaster(
        np.cumsum(rng.random(count)), rng.normal(1, 0.1, count), rng.random(count),
        rng.integers(0, 9, count), {"star": "Vega", "orbital_period": 3.5, "tags": [1, "a"]},
    )  # fmt: skip


def same(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(getattr(a, get)(), getattr(b, get)(), equal_nan=True)
        for get in ("get_times", "get_fluxes", "get_flags", "get_uncertainties")
    )


@pytest.mark.parametrize(("binary", "gzipped"), FORMS)
def test_a_light_curve_comes_back_exactly(tmp_path: Path, binary: bool, gzipped: bool) -> None:
    path = tmp_path / "curve"
    how = curve().to_file(path, binary=binary, gzipped=gzipped)
    assert how == {"binary": binary, "gzipped": gzipped}
    assert [file.name for file in tmp_path.iterdir()] == ["curve"]
    found = LightcurveArbitraryRaster.from_file(path, how)
    assert same(found, curve())
    assert found.get_flags().dtype == np.int64
    assert found.metadata["gzipped"] is gzipped


def test_how_a_file_was_written_need_not_be_told(tmp_path: Path) -> None:
    for binary, gzipped in FORMS:
        curve().to_file(tmp_path / "curve", binary=binary, gzipped=gzipped)
        assert same(LightcurveArbitraryRaster.from_file(tmp_path / "curve"), curve())


def test_text_has_the_metadata_and_that_of_the_caller_counts_more(tmp_path: Path) -> None:
    curve().to_file(tmp_path / "curve")
    found = LightcurveArbitraryRaster.from_file(tmp_path / "curve", {"star": "Deneb"})
    assert found.metadata == {"star": "Deneb", "orbital_period": 3.5, "tags": [1, "a"]}


def test_text_has_seconds_and_four_columns_that_others_can_read(tmp_path: Path) -> None:
    curve().to_file(tmp_path / "curve", gzipped=False)
    table = np.loadtxt(tmp_path / "curve")
    assert table.shape == (50, 4)
    assert table[:, 0] == pytest.approx(curve().get_times() * 86400, rel=1e-15)
    assert table[:, 2].tolist() == curve().get_flags().tolist()


def test_a_fixed_step_is_written_with_its_times(tmp_path: Path) -> None:
    lc = LightcurveFixedStep(1.0, 0.1, np.ones(20))
    lc.to_file(tmp_path / "curve")
    assert same(LightcurveArbitraryRaster.from_file(tmp_path / "curve"), lc)


def test_points_after_the_cut_are_left_out(tmp_path: Path) -> None:
    lc = LightcurveArbitraryRaster([0, 1, 2, 3], [1, 2, 3, 4], flags=[1, 2, 3, 4])
    lc.to_file(tmp_path / "curve")
    found = LightcurveArbitraryRaster.from_file(tmp_path / "curve", {}, cut_off_time=2)
    assert found.get_flags().tolist() == [1, 2, 3]


def test_the_same_light_curve_makes_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        curve().to_file(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@given(
    st.lists(st.tuples(days, any_float, st.integers(-(2**40), 2**40), any_float), max_size=20),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_any_numbers_come_back_exactly(
    rows: list[tuple[float, float, int, float]], binary: bool, gzipped: bool
) -> None:
    rows.sort()
    table = np.array(rows, float).reshape(-1, 4)
    columns = files.Columns(table[:, 0], table[:, 1], table[:, 2].astype(int), table[:, 3])
    data = files.to_bytes(columns, {}, binary=binary, gzipped=gzipped)
    found, _ = files.from_bytes(data, "it")
    for name in ("times", "fluxes", "flags", "uncertainties"):
        assert np.array_equal(getattr(found, name), getattr(columns, name)), name


def test_missing_data_comes_back(tmp_path: Path) -> None:
    lc = LightcurveArbitraryRaster([0, 1], [np.nan, 1], [np.nan, 0.5], [-1, 0])
    lc.to_file(tmp_path / "curve")
    assert same(LightcurveArbitraryRaster.from_file(tmp_path / "curve"), lc)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"0 1 0 0\n1 2 3\n", "line 2: time flux flag uncertainty is expected"),
        (b"0 1 0 x\n", "numbers are expected"),
        (b"\xff\xfe", "it is no text"),
        (b"\x1f\x8bnonsense", "not well compressed"),
        (gzip.compress(b"0 1 0 0\n", mtime=0)[:10] + b"\xff" * 20, "not well compressed"),
        (gzip.compress(b"0 1 0 0\n" * 1000, mtime=0)[:-20], "not well compressed"),
        (b"\x93NUMPYnonsense", "not whole"),
        (b"1 1 0 0\n0 1 0 0\n", "go up"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_reason(
    data: bytes, told: str, tmp_path: Path
) -> None:
    (tmp_path / "curve").write_bytes(data)
    with pytest.raises(LightcurveError, match=told):
        LightcurveArbitraryRaster.from_file(tmp_path / "curve")


def test_another_array_is_no_light_curve(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.ones((3, 4)))
    (tmp_path / "curve").write_bytes(buffer.getvalue())
    with pytest.raises(LightcurveError, match="holds no light curve"):
        LightcurveArbitraryRaster.from_file(tmp_path / "curve")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    (tmp_path / "curve").write_bytes(buffer.getvalue())
    with pytest.raises(LightcurveError, match="not whole"):
        LightcurveArbitraryRaster.from_file(tmp_path / "curve")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LightcurveError, match="cannot be read: No such file"):
        LightcurveArbitraryRaster.from_file(tmp_path / "nowhere")
    with pytest.raises(LightcurveError, match="cannot be written"):
        curve().to_file(tmp_path / "nowhere" / "curve")
