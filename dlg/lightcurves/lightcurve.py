"""Light curves on arbitrary times, and on times with a fixed step."""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from dlg.lightcurves import files
from dlg.lightcurves.errors import LightcurveError
from dlg.lightcurves.resampling import resample

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Metadata = Mapping[str, Any]

SECONDS = 86400.0
"""In a day."""
NO_DATA = -1
"""The flag of a point of which nothing is known; its flux is NaN."""
LATE_D = 1e-4
"""How many days a sample may be early or late and still be on a raster of fixed step."""
FEWEST = 2
"""So many points have an interval between them."""


def plain(value: Any) -> Any:
    """Return the value of an item of metadata, which may be an object that has it as `value`."""
    return getattr(value, "value", value)


class Lightcurve(ABC):
    """How bright a star was at some times.

    `fluxes`, `uncertainties`, `flags` and `metadata` are public; a flag that is not 0 says that
    something is the matter with a point.
    """

    def __init__(self, metadata: Metadata | None = None) -> None:
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.fluxes: Floats = np.empty(0)
        self.uncertainties: Floats = np.empty(0)
        self.flags: npt.NDArray[Any] = np.empty(0, np.int64)

    def _take(self, fluxes: npt.ArrayLike, uncertainties: Any, flags: Any) -> None:
        """Take the columns; those that are not given are 0. Refuse other lengths."""
        self.fluxes = np.array(fluxes, np.float64)
        count = len(self.fluxes)
        none = np.zeros(count)
        self.uncertainties = none if uncertainties is None else np.array(uncertainties, np.float64)
        self.flags = np.zeros(count, np.int64) if flags is None else np.array(flags)
        for name in ("fluxes", "uncertainties", "flags"):
            shape = getattr(self, name).shape
            if shape != (count,):
                raise LightcurveError(
                    f"{name}: a list of {count} numbers is expected, not {shape}"
                )

    # -- points -----------------------------------------------------------------------------

    @abstractmethod
    def get_times(self) -> Floats:
        """Return the times of all points, in days."""

    @abstractmethod
    def on_same_raster(
        self, fluxes: Floats, uncertainties: Floats, flags: npt.NDArray[Any], metadata: Metadata
    ) -> Self:
        """Return a light curve with other values at the same times."""  # fmt: skip

    @abstractmethod
    def _part(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """Return the points that are chosen, which follow each other."""

    @abstractmethod
    def estimate_sampling_interval(self) -> float:
        """Return the time from point to point, in days."""

    @abstractmethod
    def check_fixed_step(self, verbose: bool = True, max_errors: int = 6) -> int:
        """Return how many points are missing on the raster of fixed step that fits best.

        With `verbose`, up to `max_errors` of them are logged.
        """

    def __len__(self) -> int:
        return len(self.fluxes)

    def duration(self) -> float:
        """Return the time from the first to the last point, in days; 0 if there is none."""
        times = self.get_times()
        return float(times[-1] - times[0]) if len(times) else 0.0

    def get_time_of_point(self, index: int) -> float:
        """Return the time of a point, in days; NaN if there is no such point."""
        return float(self.get_times()[index]) if 0 <= index < len(self) else math.nan

    def get_fluxes(self) -> Floats:
        """Return the fluxes of all points."""
        return self.fluxes

    def get_uncertainties(self) -> Floats:
        """Return the uncertainties of the fluxes of all points (one standard deviation)."""
        return self.uncertainties

    def get_flags(self) -> npt.NDArray[Any]:
        """Return the flags of all points."""
        return self.flags

    def truncate_to_length(self, maximum_time: float, minimum_time: float = 0) -> Self:
        """Return the points from `minimum_time` to before `maximum_time`, in days.

        Points before 0 are left out if nothing else is said. There may be none left.
        """
        times = self.get_times()
        return self._part((times >= minimum_time) & (times < maximum_time))

    # -- arithmetic -------------------------------------------------------------------------

    def __add__(self, other: Lightcurve) -> Self:
        """Return the sum, at the times of this light curve; see `_combine`."""
        return self._combine(other, lambda a, b: a + b, lambda _a, _b, u, v: np.hypot(u, v))

    def __sub__(self, other: Lightcurve) -> Self:
        """Return the difference, at the times of this light curve; see `_combine`."""
        return self._combine(other, lambda a, b: a - b, lambda _a, _b, u, v: np.hypot(u, v))

    def __mul__(self, other: Lightcurve) -> Self:
        """Return the product, at the times of this light curve; see `_combine`."""
        return self._combine(other, lambda a, b: a * b, lambda a, b, u, v: np.hypot(u * b, v * a))

    def _combine(self, other: Lightcurve, values: Any, errors: Any) -> Self:
        """Return what comes of this and another light curve, which is resampled if it must be.

        Where the other has no data, neither has the result: NaN, and the flag `NO_DATA`. Flags of
        both are joined. Of metadata that both have, that of the greater `mes` counts, or else
        this one's.
        """
        if not isinstance(other, Lightcurve):
            return NotImplemented
        fluxes, uncertainties, flags = other._at(self.get_times())
        return self.on_same_raster(
            values(self.fluxes, fluxes),
            errors(self.fluxes, fluxes, self.uncertainties, uncertainties),
            _joined(self.flags, flags),
            _merged(self.metadata, other.metadata),
        )

    def _at(self, times: Floats) -> tuple[Floats, Floats, npt.NDArray[Any]]:
        mine = self.get_times()
        if np.array_equal(mine, times):
            return self.fluxes, self.uncertainties, self.flags
        return resample(times, mine, (self.fluxes, self.uncertainties, self.flags), NO_DATA)

    # -- files ------------------------------------------------------------------------------

    def to_file(
        self, target_path: str | PathLike[str], binary: bool = False, gzipped: bool = True
    ) -> dict[str, Any]:
        """Write the light curve to a file; return how: what `from_file` may be told.

        Text has the columns time (in seconds), flux, flag, uncertainty. Reading gives exactly what
        was written, of either form.
        """
        columns = files.Columns(self.get_times(), self.fluxes, self.flags, self.uncertainties)
        files.write(target_path, columns, self.metadata, binary=binary, gzipped=gzipped)
        return {"binary": binary, "gzipped": gzipped}


class LightcurveArbitraryRaster(Lightcurve):
    """A light curve at any times, in days, which must not go back."""

    def __init__(
        self, times: npt.ArrayLike, fluxes: npt.ArrayLike, uncertainties: Any = None,
        flags: Any = None, metadata: Metadata | None = None,
    ) -> None:  # fmt: skip
        super().__init__(metadata)
        self.times: Floats = np.array(times, np.float64)
        self._take(fluxes, uncertainties, flags)
        if self.times.shape != self.fluxes.shape:
            shape, count = self.times.shape, len(self.fluxes)
            raise LightcurveError(f"times: a list of {count} numbers is expected, not {shape}")
        if not np.all(np.diff(self.times) >= 0):
            raise LightcurveError("times: they must go up, and be numbers")

    @classmethod
    def from_file(
        cls, file_path: str | PathLike[str], file_metadata: Metadata | None = None,
        cut_off_time: float | None = None,
    ) -> Self:  # fmt: skip
        """Return the light curve in a file that `to_file` has written.

        `file_metadata` goes to the light curve, beside what is in the file. Whether the file is
        binary or compressed is seen in it. Points after `cut_off_time` days are left out.
        """
        columns, metadata = files.read(file_path)
        given = dict(file_metadata or {})
        found = cls(columns.times, columns.fluxes, columns.uncertainties, columns.flags,
                    {**metadata, **given})  # fmt: skip
        return found if cut_off_time is None else found._part(found.times <= cut_off_time)

    def get_times(self) -> Floats:
        """Return the times of all points, in days."""
        return self.times

    def on_same_raster(self, fluxes: Floats, uncertainties: Floats, flags: npt.NDArray[Any],
                       metadata: Metadata) -> Self:  # fmt: skip
        """Return a light curve with other values at the same times."""
        return type(self)(self.times, fluxes, uncertainties, flags, metadata)

    def _part(self, chosen: npt.NDArray[np.bool_]) -> Self:
        return type(self)(
            self.times[chosen], self.fluxes[chosen], self.uncertainties[chosen],
            self.flags[chosen], self.metadata,
        )  # fmt: skip

    def estimate_sampling_interval(self) -> float:
        """Return the time from point to point, in days, in spite of points that are missing.

        It is the mean of the middle half of all intervals, to a whole second if it is longer
        than half of one. Raises `LightcurveError` if there are fewer than two points.
        """
        if len(self) < FEWEST:
            raise LightcurveError(f"{len(self)} points have no interval between them")
        steps = np.sort(np.diff(self.times))
        begin, end = int(0.25 * len(steps)), int(0.75 * len(steps))
        mean = float(np.mean(steps[begin : max(end, begin + 1)]))
        return round(mean * SECONDS) / SECONDS or mean

    def check_fixed_step(self, verbose: bool = True, max_errors: int = 6) -> int:
        """Return how many points are missing on the raster of fixed step that fits best.

        A sample that is up to 8.64 s early or late is there. With `verbose`, up to `max_errors`
        points are logged.
        """
        _, _, found = self._on_fixed_step()
        missing = np.flatnonzero(~found)
        if verbose:
            step = self.estimate_sampling_interval()
            for index in missing[:max_errors].tolist():
                when = self.times[0] + index * step
                logger.warning("the point at time %.5f days is missing", when)
        return len(missing)

    def to_fixed_step(self, verbose: bool = True, max_errors: int = 6) -> LightcurveFixedStep:
        """Return the light curve on the raster of fixed step that fits best, first to last point.

        Points that are missing there have NaN and the flag `NO_DATA`. They are logged as by
        `check_fixed_step`.
        """
        if verbose:
            self.check_fixed_step(verbose=True, max_errors=max_errors)
        step, nearest, found = self._on_fixed_step()
        return LightcurveFixedStep(
            float(self.times[0]), step,
            np.where(found, self.fluxes[nearest], np.nan),
            np.where(found, self.uncertainties[nearest], np.nan),
            np.where(found, self.flags[nearest], NO_DATA),
            self.metadata,
        )  # fmt: skip

    def _on_fixed_step(self) -> tuple[float, npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Return the step, the nearest sample to each point of the raster, and if it is near."""
        step = self.estimate_sampling_interval()
        if step <= 0:
            raise LightcurveError("most points are at the same time: there is no step")
        count = math.floor((self.times[-1] - self.times[0] + LATE_D) / step) + 1
        raster = self.times[0] + np.arange(count) * step
        after = np.clip(np.searchsorted(self.times, raster), 1, len(self) - 1)
        is_before = raster - self.times[after - 1] <= self.times[after] - raster
        nearest = np.where(is_before, after - 1, after)
        return step, nearest, np.abs(self.times[nearest] - raster) <= LATE_D


class LightcurveFixedStep(Lightcurve):
    """A light curve at times with a fixed step: the first at `time_start`, in days."""

    def __init__(
        self, time_start: float, time_step: float, fluxes: npt.ArrayLike,
        uncertainties: Any = None, flags: Any = None, metadata: Metadata | None = None,
    ) -> None:  # fmt: skip
        super().__init__(metadata)
        if not time_step > 0:
            raise LightcurveError(f"time_step: more than 0 days are expected, not {time_step}")
        self.time_start, self.time_step = time_start, time_step
        self._take(fluxes, uncertainties, flags)

    def get_times(self) -> Floats:
        """Return the times of all points, in days."""
        return np.asarray(self.time_start + np.arange(len(self)) * self.time_step, np.float64)

    def on_same_raster(self, fluxes: Floats, uncertainties: Floats, flags: npt.NDArray[Any],
                       metadata: Metadata) -> Self:  # fmt: skip
        """Return a light curve with other values at the same times."""
        start, step = self.time_start, self.time_step
        return type(self)(start, step, fluxes, uncertainties, flags, metadata)

    def _part(self, chosen: npt.NDArray[np.bool_]) -> Self:
        first = int(np.argmax(chosen)) if chosen.any() else 0
        return type(self)(
            self.time_start + first * self.time_step, self.time_step, self.fluxes[chosen],
            self.uncertainties[chosen], self.flags[chosen], self.metadata,
        )  # fmt: skip

    def estimate_sampling_interval(self) -> float:
        """Return the step, in days."""
        return self.time_step

    def check_fixed_step(self, verbose: bool = True, max_errors: int = 6) -> int:
        """Return 0: no point is missing."""
        return 0


def _joined(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the flags of both."""
    if np.issubdtype(mine.dtype, np.integer) and np.issubdtype(theirs.dtype, np.integer):
        return np.asarray(mine | theirs)
    return np.where(theirs != 0, theirs, mine)


def _merged(mine: Metadata, theirs: Metadata) -> dict[str, Any]:
    scores = (plain(mine.get("mes")), plain(theirs.get("mes")))
    known = [-math.inf if score is None else float(score) for score in scores]
    return {**mine, **theirs} if known[1] > known[0] else {**theirs, **mine}
