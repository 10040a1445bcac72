"""Light curves of the light curve stitching group: text with time (days), flux and flag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from dlg.lightcurves import files
from dlg.lightcurves.errors import LightcurveError
from dlg.lightcurves.lightcurve import LightcurveArbitraryRaster

ITEM = re.compile(r"#\s*#\s*([^=]+?)\s*=\s*(.*?)\s*$")
"""A comment that is an item of metadata: `# #name=value`."""
COLUMNS = 3


def read_lcsg_lightcurve(
    file_path: str | PathLike[str], gzipped: bool | None = None, cut_off_time: float | None = None
) -> LightcurveArbitraryRaster:
    """Return the light curve in a file, up to and with `cut_off_time` days.

    Lines are `time,flux,flag`; those that are empty or begin with `#` are left out, but
    `# #name=value` is metadata, to which the `filename` is added. `gzipped` says whether the file
    is compressed; otherwise its name does. Raises `LightcurveError` with the number of a line
    that is wrong.
    """
    path = Path(file_path)
    is_gzipped = path.suffix == ".gz" if gzipped is None else gzipped
    given = {"filename": fspath(file_path)}
    return parse(files.lines(path, gzipped=is_gzipped), str(path), given, cut_off_time)


def parse(
    lines: Iterable[str], name: str, given: Mapping[str, Any], cut_off_time: float | None = None
) -> LightcurveArbitraryRaster:
    """Return the light curve in some lines; messages call their file `name`.

    `given` is metadata which those of the file are added to.
    """
    metadata = dict(given)
    rows: list[tuple[float, float, float]] = []
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if line.startswith("#"):
            item = ITEM.match(line)
            if item:
                metadata[item[1]] = _value(item[2])
        elif line:
            rows.append(_row(line, f"{name}: line {number}"))
    columns = np.array(rows, np.float64).reshape(-1, COLUMNS)
    if cut_off_time is not None:
        columns = columns[columns[:, 0] <= cut_off_time]
    times, fluxes, flags = columns.T
    try:
        return LightcurveArbitraryRaster(times, fluxes, None, files.whole(flags), metadata)
    except LightcurveError as error:
        raise LightcurveError(f"{name}: {error}") from error


def _row(line: str, where: str) -> tuple[float, float, float]:
    parts = line.split(",")
    try:
        time, flux, flag = (float(part) for part in parts)
    except ValueError:
        raise LightcurveError(f"{where}: time,flux,flag is expected, not {line[:80]!r}") from None
    return time, flux, flag


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
