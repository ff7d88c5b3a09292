"""What the spectrograph and the reduction add to a spectrum: continuum error, velocity error, correlated noise.

Random numbers belong to a spectrum and a pixel's number, so that no spectrum depends on those beside it, and the first pixels
not on how many follow.
"""

from collections.abc import Mapping

import numpy as np

from ..observe import draw

LIGHT = 299792.458  # km/s
CONTINUUM = (0.006, 0.004, 0.004)  # of Legendre polynomials 0 to 2 over the spectrum
VELOCITY = 1.5  # km/s, error of the shift to rest
NEIGHBOURS = np.array([0.5, 1.0, 0.5]) / np.sqrt(1.5)  # neighbouring pixels share noise: correlation 2/3 and 1/6
DARK = 0.05  # flux below which the noise falls no further
BLOCK = 256  # spectra at a time


def observe(
    flux: np.ndarray, wavelengths: np.ndarray, snr: np.ndarray, index: np.ndarray, config: Mapping, purpose: str = "rave/spectrum"
) -> np.ndarray:
    """Spectra as the survey would publish them.

    Parameters
    ----------
    flux : array, shape (n, m)
        Normalised, without noise.
    wavelengths : array, shape (m,) or (n, m)
        Angstrom, evenly spaced (the end of a row may repeat its last value).
    snr : array, shape (n,)
        Signal-to-noise ratio a pixel in the continuum; infinite: no pixel noise.
    index : array of int64, shape (n,)
        Numbers of the spectra, whatever belongs to them alone.
    config : mapping
        `seed`.
    purpose : str
        Other purposes have other random numbers.

    Returns
    -------
    array of float32, shape (n, m)
    """
    flux, wavelengths = np.asarray(flux), np.asarray(wavelengths, float)
    snr, index = np.broadcast_to(np.asarray(snr, float), len(flux)), np.asarray(index)
    out = np.empty(flux.shape, np.float32)
    for begin in range(0, len(flux), BLOCK):
        rows = slice(begin, begin + BLOCK)
        grid = wavelengths if wavelengths.ndim == 1 else wavelengths[rows]
        out[rows] = _observe(flux[rows].astype(np.float64), np.atleast_2d(grid), snr[rows, None], index[rows], config, purpose)
    return out


def _observe(flux, grid, snr, index, config, purpose):
    level = 1.0 + continuum_error(grid, draw(config, f"{purpose}/continuum", index, 3, normal=True))
    speed = VELOCITY * draw(config, f"{purpose}/velocity", index, normal=True)
    flux = shift(flux, grid, speed) * level
    flux += np.sqrt(np.maximum(flux, DARK)) / snr * correlated(flux.shape[1], index, config, f"{purpose}/pixels")
    return flux


def continuum_error(grid: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Relative error of the continuum, (n, m): Legendre polynomials with sigmas CONTINUUM times standard normal `coefficients` (n, 3)."""
    first, last = grid[:, :1], grid[:, -1:]
    x = (2.0 * grid - first - last) / (last - first)
    a, b, c = (np.array(CONTINUUM) * coefficients).T[:, :, None]
    return a + b * x + c * (1.5 * x * x - 0.5)


def shift(flux: np.ndarray, grid: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Spectra (n, m) of stars that move with `speed` (n,), km/s, to first order; for shifts below a pixel."""
    slope = np.empty_like(flux)
    slope[:, 1:-1] = 0.5 * (flux[:, 2:] - flux[:, :-2])
    slope[:, 0], slope[:, -1] = flux[:, 1] - flux[:, 0], flux[:, -1] - flux[:, -2]
    return flux - slope * (grid / (grid[:, 1:2] - grid[:, :1])) * (speed / LIGHT)[:, None]


def correlated(pixels: int, index: np.ndarray, config: Mapping, purpose: str) -> np.ndarray:
    """Normal noise of unit variance that neighbouring pixels share, (n, pixels)."""
    white = draw(config, purpose, index, pixels + 2, normal=True)
    side, middle, _ = NEIGHBOURS
    return middle * white[:, 1:-1] + side * (white[:, :-2] + white[:, 2:])
