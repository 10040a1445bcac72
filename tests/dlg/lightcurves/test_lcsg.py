"""Light curves of the stitching group."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dlg.lightcurves import LightcurveError, read_lcsg_lightcurve

TEXT = """\
# a comment
# #star = Vega
# #orbital_period=365.25
# #note=a=b

0.0,1.0,0
0.5,0.9,4
   1.0, 0.8, 0
1.5,0.7,1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "curve.csv"
    path.write_text(TEXT)
    return path


def test_the_columns_are_days_flux_and_flag(file: Path) -> None:
    lc = read_lcsg_lightcurve(str(file))
    assert lc.get_times().tolist() == [0, 0.5, 1, 1.5]
    assert lc.get_fluxes().tolist() == [1, 0.9, 0.8, 0.7]
    assert lc.get_flags().tolist() == [0, 4, 0, 1]
    assert lc.get_uncertainties().tolist() == [0, 0, 0, 0]


def test_some_comments_are_metadata(file: Path) -> None:
    assert read_lcsg_lightcurve(str(file)).metadata == {
        "filename": str(file), "star": "Vega", "orbital_period": 365.25, "note": "a=b",
    }  # fmt: skip


def test_it_is_read_up_to_and_with_the_cut(file: Path) -> None:
    assert read_lcsg_lightcurve(file, cut_off_time=1.0).get_times().tolist() == [0, 0.5, 1]


def test_a_compressed_file_is_known_by_its_name_or_told(tmp_path: Path) -> None:
    for name, told in (("curve.csv.gz", None), ("curve.csv", True)):
        (tmp_path / name).write_bytes(gzip.compress(TEXT.encode()))
        assert len(read_lcsg_lightcurve(tmp_path / name, gzipped=told)) == 4


def test_an_empty_file_is_an_empty_light_curve(tmp_path: Path) -> None:
    (tmp_path / "curve").write_text("")
    assert len(read_lcsg_lightcurve(tmp_path / "curve")) == 0


@pytest.mark.parametrize("line", ["1.0,2.0", "1.0,x,0", "1 2 3"])
def test_a_line_that_is_wrong_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "curve").write_text(f"0,1,0\n{line}\n")
    with pytest.raises(LightcurveError, match="curve: line 2: time,flux,flag is expected"):
        read_lcsg_lightcurve(tmp_path / "curve")


def test_times_that_go_back_are_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "curve").write_text("1,1,0\n0,1,0\n")
    with pytest.raises(LightcurveError, match="curve: times: they must go up"):
        read_lcsg_lightcurve(tmp_path / "curve")
