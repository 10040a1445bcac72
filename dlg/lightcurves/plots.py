"""Pictures of light curves, periodograms and folded transits, drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.exceptions import MissingExtraError
from dlg.lightcurves.lightcurve import Lightcurve
from dlg.lightcurves.search import HOURS, Periodogram, fold

Floats = npt.NDArray[np.float64]

SIZE = (8.0, 4.0)
"""Inches."""
DPI = 110
POINT = "#31688e"
MODEL = "#d95f02"
WIDE = 3.0
"""How many durations of a transit a folded one shows on each side."""


def draw_lightcurve(lc: Lightcurve, title: str = "") -> bytes:
    """Return a light curve as a PNG file; raise `MissingExtraError` without matplotlib."""
    figure, axes = _axes("time (days)", "relative flux", title)
    axes.plot(lc.get_times(), lc.get_fluxes(), ".", markersize=2, color=POINT)
    return _png(figure)


def draw_periodogram(found: Periodogram, title: str = "") -> bytes:
    """Return a periodogram, with its best period marked, as a PNG file."""
    figure, axes = _axes("period (days)", "log likelihood of a transit", title)
    axes.axvline(found.metadata["period"], color=MODEL, linewidth=4, alpha=0.35)
    axes.plot(found.periods, found.power, color=POINT, linewidth=0.7)
    axes.set_xscale("log")
    return _png(figure)


def draw_folded(lc: Lightcurve, found: Periodogram, title: str = "") -> bytes:
    """Return a light curve around the transit that was found, folded, as a PNG file."""
    best = found.metadata
    phase = fold(lc.get_times(), best["period"], best["transit_time"]) * HOURS
    near = np.abs(phase) < WIDE * best["duration"] * HOURS
    figure, axes = _axes("hours from the middle of the transit", "relative flux", title)
    axes.plot(phase[near], lc.get_fluxes()[near], ".", markersize=3, color=POINT, alpha=0.6)
    half, wide = best["duration"] * HOURS / 2, WIDE * best["duration"] * HOURS
    level = float(np.nanmedian(lc.get_fluxes()))
    low = level - best["depth"]
    axes.plot([-wide, -half, -half, half, half, wide], [level, level, low, low, level, level],
              color=MODEL)  # fmt: skip
    return _png(figure)


def draw_map(
    columns: Sequence[float], rows: Sequence[float], share: Floats, words: tuple[str, str, str]
) -> bytes:
    """Return a map of shares from 0 to 1 as a PNG file.

    `share` has a line for each of `rows`; `words` are for columns, rows and the whole.
    """
    figure, axes = _axes(*words)
    axes.grid(visible=False)
    axes.imshow(share, origin="lower", aspect="auto", vmin=0, vmax=1, cmap="viridis")
    axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    for (row, column), value in np.ndenumerate(share):
        colour = "black" if value > 0.5 else "white"  # noqa: PLR2004  half way up the colours
        axes.text(column, row, f"{value:.0%}", ha="center", va="center", color=colour, fontsize=8)
    return _png(figure)


def _axes(across: str, up: str, title: str) -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("matplotlib", "transits") from error
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)  # of no window, and safe in any thread
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
