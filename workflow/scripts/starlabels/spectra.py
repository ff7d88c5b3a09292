"""Spectra on one wavelength grid: bad pixels, resampling (Guiglion et al. 2020, Section 2).

The published spectra are continuum-normalised and at rest; neither is done again here. Start, step and length differ from
file to file, so every spectrum is brought to the grid of the configuration (B-1, B-2). A file that cannot serve is refused
with a reason; it is the caller who counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
