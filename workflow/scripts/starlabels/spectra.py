"""Spectra on one wavelength grid: what a file of RAVE DR6 holds, bad pixels, resampling (Guiglion et al. 2020, Section 2).

The published spectra are continuum-normalised and at rest; neither is done again here. Start, step and length differ from
file to file, so every spectrum is brought to the grid of the configuration (B-1, B-2). A file that cannot serve is refused
with a reason; it is the caller who counts.
"""

import gzip
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy import units
from astropy.io import fits

from .errors import InputError

#: Why a spectrum is refused.
UNREADABLE = "truncated or damaged file"
NO_SPECTRUM = "no SPECTRUM extension"
NO_ERROR = "no ERROR extension of the same length"
OTHER_ID = "id in the file differs from its name"
NO_WAVELENGTH = "no linear wavelength scale"
WRONG_UNIT = "CUNIT1 is no unit of length"
NO_FLUX = "no finite flux"
ZERO_FLUX = "zero flux"
NO_GOOD = "no pixel with a positive error"
NOT_NORMALISED = "not continuum-normalised"
TOO_SHORT = "shorter than the grid"
TOO_MANY_BAD = "too many bad pixels"
DUPLICATE = "id occurs again"

#: A normalised spectrum has its median flux between these; counts or physical units lie far outside.
MEDIAN_FLUX = (0.2, 5.0)
METHODS = ("linear", "flux")
BLOCK = 2880                       # bytes; headers and data of FITS are padded to a multiple
END = b"END".ljust(80)
TYPES = {8: np.dtype("u1"), 16: np.dtype(">i2"), 32: np.dtype(">i4"), 64: np.dtype(">i8"), -32: np.dtype(">f4"), -64: np.dtype(">f8")}
_ANGSTROM = ("angstrom", "angstroms", "ang", "aa", "a")


class RefusedError(Exception):
    """A spectrum that cannot serve; the argument is one of the reasons above."""


@dataclass(frozen=True)
class Grid:
    """Equally spaced wavelengths: `pixels` of them from `start`, `step` apart (Angstrom, air)."""

    start: float
    step: float
    pixels: int

    @property
    def wavelength(self) -> np.ndarray:
        """Centres of the pixels, shape (pixels,), Angstrom."""
        return self.start + self.step * np.arange(self.pixels)

    @property
    def edges(self) -> np.ndarray:
        """Borders of the pixels, shape (pixels + 1,), Angstrom."""
        return self.start + self.step * (np.arange(self.pixels + 1) - 0.5)


@dataclass(frozen=True)
class Spectrum:
    """One spectrum as its file gives it: id, wavelength (Angstrom, rising), flux, relative error; arrays of one length."""

    rave_obs_id: str
    wavelength: np.ndarray
    flux: np.ndarray
    error: np.ndarray


def grid_of(spectra: Mapping) -> Grid:
    """The grid of the configuration (`rave.spectra`).

    Raises
    ------
    InputError
        When step or pixels are not positive, or the resampling is unknown.
    """
    grid = Grid(float(spectra["start"]), float(spectra["step"]), int(spectra["pixels"]))
    if not grid.step > 0 or grid.pixels < 1:
        raise InputError("rave.spectra", f"has step {grid.step} and {grid.pixels} pixels", "Both must be positive")
    if spectra["resampling"] not in METHODS:
        raise InputError("rave.spectra.resampling", f"is {spectra['resampling']!r}", f"Use {' or '.join(METHODS)}")
    return grid


def id_of(path: str | os.PathLike) -> str:
    """The id that a file's name states: `RAVE_<rave_obs_id>.fits`, perhaps compressed."""
    return os.path.basename(path).removesuffix(".gz").removesuffix(".fits").removeprefix("RAVE_")


def read_spectrum(path: str | os.PathLike) -> Spectrum:
    """Read a file of RAVE DR6: card ROI, extensions SPECTRUM and ERROR, linear wavelength in the header of SPECTRUM.

    Raises
    ------
    RefusedError
        When the file cannot serve.
    OSError
        When it cannot be opened at all.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        images = list(_images(content))
    except Exception as problem:             # broken bytes lead to whatever the parsers stumble on: ValueError, KeyError, EOFError
        raise RefusedError(UNREADABLE) from problem
    if not images:
        raise RefusedError(UNREADABLE)
    name = str(images[0][0].get("ROI", "")).strip()
    if name != id_of(path):
        raise RefusedError(OTHER_ID)
    named = {str(header.get("EXTNAME", "")).strip().upper(): (header, data) for header, data in images[1:] if data is not None}
    if "SPECTRUM" not in named:
        raise RefusedError(NO_SPECTRUM)
    header, flux = named["SPECTRUM"]
    _, error = named.get("ERROR", (None, np.empty(0)))
    if len(error) != len(flux):
        raise RefusedError(NO_ERROR)
    wavelength = _wavelength(header, len(flux))
    if wavelength[0] > wavelength[-1]:
        wavelength, flux, error = wavelength[::-1], flux[::-1], error[::-1]
    return Spectrum(name, wavelength, flux, error)


def _images(content: bytes) -> Iterator[tuple[fits.Header, np.ndarray | None]]:
    """Header and values (one row, None for anything but an image) of each unit of a FITS file.

    Astropy reads the headers; the blocks are walked here, because its list of units takes three times as long for small files.
    """
    start = 0
    while start < len(content):
        end = content.index(END, start)
        while (end - start) % 80:
            end = content.index(END, end + 1)
        data = start + -(-(end + 80 - start) // BLOCK) * BLOCK
        header = fits.Header.fromstring(content[start:end + 80])
        shape = [int(header[f"NAXIS{k + 1}"]) for k in range(int(header["NAXIS"]))]
        kind = TYPES[int(header["BITPIX"])]
        number = math.prod(shape) if shape else 0
        size = kind.itemsize * int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + number)
        values = None
        if number and header.get("XTENSION", "IMAGE").strip() == "IMAGE":
            values = np.frombuffer(content, kind, number, data).astype(np.float64)
            if "BSCALE" in header or "BZERO" in header:
                values = values * float(header.get("BSCALE", 1.0)) + float(header.get("BZERO", 0.0))
        elif data + size > len(content):
            raise ValueError("the data end too early")
        yield header, values
        start = data + -(-size // BLOCK) * BLOCK


def _wavelength(header: fits.Header, n: int) -> np.ndarray:
    """Wavelength of each pixel in Angstrom: CRVAL1 + (i + 1 - CRPIX1) CDELT1."""
    first, reference, step = (header.get(key) for key in ("CRVAL1", "CRPIX1", "CDELT1"))
    step = header.get("CD1_1") if step is None else step
    numbers = all(isinstance(value, (int, float)) and np.isfinite(value) for value in (first, reference, step))
    if not numbers or step == 0 or n < 2 or "LOG" in str(header.get("CTYPE1", "")).upper() or header.get("DC-FLAG"):
        raise RefusedError(NO_WAVELENGTH)
    factor = _angstroms(str(header.get("CUNIT1", "")).strip())
    if factor is None:
        raise RefusedError(WRONG_UNIT)
    return (first + (np.arange(n) + 1 - reference) * step) * factor


@cache
def _angstroms(unit: str) -> float | None:
    """Angstrom in a unit, None when it is no length."""
    if unit.lower() in _ANGSTROM:
        return 1.0
    try:
        return float(units.Unit(unit).to(units.AA))
    except (ValueError, TypeError, units.UnitConversionError):
        return None


def resample(spectrum: Spectrum, grid: Grid, method: str, edge_max: int, bad_max: int) -> tuple[np.ndarray, int, int]:
    """Bring a spectrum to the grid.

    A pixel is bad where the flux is not finite or the error not positive; it is bridged by a straight line between its
    good neighbours. Nothing is extrapolated: grid pixels beyond the first or last good pixel are set to 1.

    Parameters
    ----------
    method : str
        `linear`: interpolated flux; `flux`: mean flux over each grid pixel (conserves the flux).
    edge_max, bad_max : int
        Most grid pixels that may be set to 1, most bad pixels that may be bridged.

    Returns
    -------
    flux : ndarray (pixels,) of float32
    n_bad, n_edge : int
        Bad pixels that were bridged within the grid, grid pixels set to 1.

    Raises
    ------
    RefusedError
        When a limit is passed, or no sensible flux is there.
    """
    wave, flux, half = spectrum.wavelength, spectrum.flux, (spectrum.wavelength[1] - spectrum.wavelength[0]) / 2
    good = _good_pixels(spectrum)
    first, last = np.flatnonzero(good)[[0, -1]]
    near = (wave[first:last] > grid.start - 2 * half) & (wave[first:last] < grid.wavelength[-1] + 2 * half)
    n_bad = int(np.count_nonzero(near & ~good[first:last]))
    tolerance = 1e-6 * grid.step                                          # rounding of the header's numbers
    if method == "flux":
        borders = np.append(wave[first:last + 1] - half, wave[last] + half)
        bridged = np.interp(wave[first:last + 1], wave[good], flux[good])
        sums = np.append(0.0, np.cumsum(bridged * 2 * half))
        edges = grid.edges
        covered = (edges[:-1] >= borders[0] - tolerance) & (edges[1:] <= borders[-1] + tolerance)
        out = np.diff(np.interp(edges, borders, sums)) / grid.step
    else:
        target = grid.wavelength
        covered = (target >= wave[first] - tolerance) & (target <= wave[last] + tolerance)
        out = np.interp(target, wave[good], flux[good])
    n_edge = int(np.count_nonzero(~covered))
    if n_edge > edge_max:
        raise RefusedError(TOO_SHORT)
    if n_bad > bad_max:
        raise RefusedError(TOO_MANY_BAD)
    out[~covered] = 1.0
    return out.astype(np.float32), n_bad, n_edge


def _good_pixels(spectrum: Spectrum) -> np.ndarray:
    finite = np.isfinite(spectrum.flux)
    if not finite.any():
        raise RefusedError(NO_FLUX)
    if not spectrum.flux[finite].any():
        raise RefusedError(ZERO_FLUX)
    good = finite & np.isfinite(spectrum.error) & (spectrum.error > 0)
    if np.count_nonzero(good) < 2:
        raise RefusedError(NO_GOOD)
    if not MEDIAN_FLUX[0] < np.median(spectrum.flux[good]) < MEDIAN_FLUX[1]:
        raise RefusedError(NOT_NORMALISED)
    return good
