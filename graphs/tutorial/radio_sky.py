"""The functions of the tutorial graph, which measures radio sources at many frequencies.

Each application of `tutorial.graph` calls one of the functions below by its name. They are plain
Python: no function knows that it runs in a graph, and each can be tried out by itself.
"""

from __future__ import annotations

import csv
import io
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]

REFERENCE_MHZ = 1000.0
"""The frequency at which brightnesses are stated."""
BEAM_PX = 5.0
"""How wide the telescope sees a point at that frequency: full width at half maximum."""
THRESHOLD = 5.0
"""A peak this many times above the noise is a source."""
SAME_SOURCE_PX = 3.0
"""Detections this near to each other, in different channels, are of one source."""


class Source(NamedTuple):
    """A point of light: its place, its brightness at 1000 MHz, and how that changes."""

    x: float
    y: float
    flux_mjy: float
    slope: float
    """The spectral index: brightness goes with frequency to the power of it."""


class Plane(NamedTuple):
    """The sky in one channel."""

    frequency_mhz: float
    image: Image


class Detection(NamedTuple):
    """A source found in one channel."""

    frequency_mhz: float
    x: float
    y: float
    flux_mjy: float
    noise_mjy: float


class Entry(NamedTuple):
    """A source of the catalogue: what was measured of it in all channels together."""

    source: Source
    slope_error: float
    detections: list[Detection]


def invent_sources(number: int = 40, size: int = 384, seed: int = 1) -> list[Source]:
    """Make up a sky: sources at random places, none too near to another or to the border."""
    rng = np.random.default_rng(seed)
    places: list[npt.NDArray[np.float64]] = []
    while len(places) < number:
        place = rng.uniform(12, size - 12, 2)
        if all(np.hypot(*(place - other)) > 4 * BEAM_PX for other in places):
            places.append(place)
    fluxes = 10 ** rng.uniform(np.log10(8), np.log10(200), number)
    indices = rng.normal(-0.7, 0.3, number)
    return [
        Source(float(x), float(y), float(flux), float(index))
        for (x, y), flux, index in zip(places, fluxes, indices, strict=True)
    ]


def observe(
    sources: list[Source],
    channels: int = 64,
    size: int = 384,
    noise_mjy: float = 3.0,
    seed: int = 2,
) -> list[Plane]:
    """Look at the sky in many channels, with a telescope that blurs and adds noise."""
    rng = np.random.default_rng(seed)
    planes = []
    for frequency in np.linspace(700.0, 1500.0, channels):
        image = rng.normal(0.0, noise_mjy, (size, size))
        for source in sources:
            peak = source.flux_mjy * (frequency / REFERENCE_MHZ) ** source.slope
            _add_point(image, source.x, source.y, peak, _sigma(frequency))
        planes.append(Plane(float(frequency), image.astype(np.float32)))
    return planes


def find_sources(planes: list[Plane]) -> list[Detection]:
    """Find the points of light in each of some channels, and measure them."""
    return [found for plane in planes for found in _find_in(plane)]


def measure_spectra(detections: list[Detection]) -> list[Entry]:
    """Bring together what was found in all channels: a catalogue, brightest sources first."""
    channels = len({found.frequency_mhz for found in detections})
    groups = _groups(sorted(detections, key=lambda found: -found.flux_mjy))
    entries = [_fit_spectrum(group) for group in groups if len(group) * 2 >= channels]
    return sorted(entries, key=lambda entry: -entry.source.flux_mjy)


def write_catalogue(catalogue: list[Entry]) -> str:
    """Return the catalogue as a table, comma-separated."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["x_px", "y_px", "flux_mjy", "spectral_index", "error", "channels"])
    for (x, y, flux, index), error, detections in catalogue:
        row = [f"{x:.2f}", f"{y:.2f}", f"{flux:.2f}", f"{index:+.3f}", f"{error:.3f}"]
        table.writerow([*row, len(detections)])
    return text.getvalue()


def compare(sources: list[Source], catalogue: list[Entry]) -> str:
    """Say how well the measured sources agree with those that were made up."""
    offsets, sigmas = [], []
    for true in sources:
        near = [e for e in catalogue if _distance(e.source, true) < SAME_SOURCE_PX]
        if near:
            offsets.append(_distance(near[0].source, true))
            sigmas.append(abs(near[0].source.slope - true.slope) / near[0].slope_error)
    within = sum(sigma < 2 for sigma in sigmas)  # noqa: PLR2004
    return (
        f"{len(offsets)} of {len(sources)} sources found, {len(catalogue) - len(offsets)} false; "
        f"places good to {np.median(offsets):.1g} px; "
        f"{within} spectral indices right within 2 sigma"
    )


def draw(planes: list[Plane], catalogue: list[Entry], path: str) -> None:
    """Draw the sky with the sources found, and the spectra of the brightest, into a PNG file.

    Without matplotlib it is just the sky.
    """
    sky = np.mean([plane.image for plane in planes], axis=0)
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        Path(path).write_bytes(_plain_png(sky, catalogue))
        return
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
    high = float(np.percentile(sky, 99.7))
    left.imshow(sky, origin="lower", cmap="inferno", vmin=-high / 20, vmax=high)
    for source, _, _ in catalogue:
        left.plot(source.x, source.y, "o", ms=11, mfc="none", mec="#7fd4ff", mew=0.9)
    left.set_title(f"mean of {len(planes)} channels, {len(catalogue)} sources found")
    left.set_xlabel("pixels")
    for source, error, found in catalogue[:6]:
        frequency = np.array([d.frequency_mhz for d in found])
        (dots,) = right.loglog(frequency, [d.flux_mjy for d in found], ".", ms=4)
        model = source.flux_mjy * (frequency / REFERENCE_MHZ) ** source.slope
        label = f"index {source.slope:+.2f} ± {error:.3f}"
        right.loglog(frequency, model, "-", color=dots.get_color(), label=label)
    right.set_title("spectra of the brightest")
    right.set_xlabel("frequency [MHz]")
    right.set_ylabel("brightness [mJy/beam]")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=130)


# -- the steps inside --------------------------------------------------------------------------


def _sigma(frequency: float) -> float:
    """Return the width of the beam, which shrinks as the frequency grows."""
    return BEAM_PX / 2.3548 * REFERENCE_MHZ / frequency


def _add_point(
    image: npt.NDArray[np.float64], x: float, y: float, peak: float, sigma: float
) -> None:
    """Add a blurred point to `image`, in the part of it where that makes a difference."""
    reach = int(5 * sigma) + 1
    x0, y0 = max(0, int(x) - reach), max(0, int(y) - reach)
    part = image[y0 : int(y) + reach + 1, x0 : int(x) + reach + 1]
    dy = np.arange(part.shape[0]) + y0 - y
    dx = np.arange(part.shape[1]) + x0 - x
    part += peak * np.exp(-(dy[:, None] ** 2 + dx**2) / (2 * sigma**2))


def _find_in(plane: Plane) -> list[Detection]:
    """Filter a channel with the shape of the beam and take the peaks that stand out."""
    filtered = _matched_filter(plane.image, _sigma(plane.frequency_mhz))
    noise = 1.4826 * float(np.median(np.abs(filtered - np.median(filtered))))
    middle = filtered[1:-1, 1:-1]
    is_peak = middle > THRESHOLD * noise
    height, width = filtered.shape
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            if (dy, dx) != (1, 1):
                is_peak &= middle >= filtered[dy : height - 2 + dy, dx : width - 2 + dx]
    found = []
    for y, x in np.argwhere(is_peak) + 1:
        shift_x, gain_x = _summit(filtered[y, x - 1 : x + 2])
        shift_y, gain_y = _summit(filtered[y - 1 : y + 2, x])
        peak = float(filtered[y, x] * gain_x * gain_y)
        found.append(Detection(plane.frequency_mhz, x + shift_x, y + shift_y, peak, noise))
    return found


def _matched_filter(image: Image, sigma: float) -> npt.NDArray[np.float64]:
    """Return at each pixel the brightness of a point there that fits the image best."""
    size = image.shape[0]
    distance = np.minimum(np.arange(size), size - np.arange(size))
    beam = np.exp(-(distance[:, None] ** 2 + distance**2) / (2 * sigma**2))
    spectrum = np.fft.rfft2(image) * np.fft.rfft2(beam).conj()
    return np.fft.irfft2(spectrum, s=image.shape) / float((beam**2).sum())


def _summit(pixels: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return where among three pixels a bell curve has its summit, and how much higher that is."""
    before, here, after = np.log(np.maximum(pixels, 1e-9))
    bend = before - 2 * here + after
    if bend >= 0:
        return 0.0, 1.0
    shift = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
    return shift, float(np.exp(-0.25 * (before - after) * shift))


def _groups(detections: list[Detection]) -> list[list[Detection]]:
    """Put detections at the same place into one group."""
    groups: list[list[Detection]] = []
    for found in detections:
        near = (g for g in groups if _distance(g[0], found) < SAME_SOURCE_PX)
        group = next(near, None)
        if group is None:
            groups.append([found])
        else:
            group.append(found)
    return groups


def _fit_spectrum(found: list[Detection]) -> Entry:
    """Fit a power law to the brightness of one source in all channels."""
    found = sorted(found)
    flux = np.array([d.flux_mjy for d in found])
    weight = flux / np.array([d.noise_mjy for d in found])  # one over the error of the logarithm
    log_frequency = np.log(np.array([d.frequency_mhz for d in found]) / REFERENCE_MHZ)
    matrix = np.stack([np.ones_like(log_frequency), log_frequency], axis=1) * weight[:, None]
    covariance = np.linalg.inv(matrix.T @ matrix)
    level, index = covariance @ matrix.T @ (np.log(flux) * weight)
    x = float(np.average([d.x for d in found], weights=weight**2))
    y = float(np.average([d.y for d in found], weights=weight**2))
    source = Source(x, y, float(np.exp(level)), float(index))
    return Entry(source, float(np.sqrt(covariance[1, 1])), found)


def _distance(a: Source | Detection, b: Source | Detection) -> float:
    return float(np.hypot(a.x - b.x, a.y - b.y))


def _plain_png(sky: npt.NDArray[np.floating], catalogue: list[Entry]) -> bytes:
    """Return a grey picture with a bright ring around each source, three pixels to one."""
    high = float(np.percentile(sky, 99.7))
    grey = np.clip(sky / high * 220 + 20, 0, 220).repeat(3, axis=0).repeat(3, axis=1)
    turn = np.linspace(0, 2 * np.pi, 200)
    for source, _, _ in catalogue:
        rows = (3 * source.y + 1 + 18 * np.sin(turn)).astype(int)
        columns = (3 * source.x + 1 + 18 * np.cos(turn)).astype(int)
        inside = (rows >= 0) & (rows < len(grey)) & (columns >= 0) & (columns < len(grey))
        grey[rows[inside], columns[inside]] = 255
    pixels = grey[::-1].astype(np.uint8)
    lines = np.pad(pixels, ((0, 0), (1, 0)))  # each line begins with the number of its filter
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(content)) + name + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
