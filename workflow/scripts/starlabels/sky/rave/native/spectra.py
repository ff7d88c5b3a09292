"""The spectra of a shard: each with wavelengths of its own at rest, noise, the defects of its class, now and then bad pixels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ...observe import draw
from .. import defects, noise
from ..surveys import companions_of
from ..synthesis import Synthesizer
from .spectrum_files import SpectraFolder, file_bytes

LIGHT = 299792.458  # km/s
FIRST, LAST = 8410.5, 8795.0  # Angstrom, mean ends of the observed range
END_SCATTER = 1.2
WINDOW = (8408.1, 8796.9)  # of the simulated spectra, at rest
STEP = (0.362, 0.398)  # Angstrom a pixel as observed
SHORT_SHARE, SHORT_MOST = 0.012, 26.0  # spectra that begin late, and by how much at most (Angstrom)
BAD_SHARE, BAD_MOST, BROKEN_SHARE = 0.03, 14, 0.0015  # spectra with a run of bad pixels; with too many of them
WIDTH = 1090  # pixels computed of every spectrum, more than any has: what a pixel holds must not hang on the others' lengths
PIECE = 1024  # spectra at a time


def grids(rv: np.ndarray, index: np.ndarray, config: Mapping) -> pd.DataFrame:
    """Wavelengths of each spectrum, shifted to the star's rest frame: `start`, `step` (Angstrom) and `pixels`.

    Parameters
    ----------
    rv : ndarray
        Radial velocity, km/s.
    index : ndarray of int64
        Numbers of the spectra.
    """
    chance, noise = draw(config, "rave/spectrum/grid", index, 3), draw(config, "rave/spectrum/ends", index, 2, normal=True)
    rest = 1.0 / (1.0 + np.asarray(rv) / LIGHT)
    late = np.where(chance[:, 0] < SHORT_SHARE, SHORT_MOST * chance[:, 1], 0.0)
    start = np.maximum((FIRST + late + END_SCATTER * noise[:, 0]) * rest, WINDOW[0]).round(4)
    end = np.minimum((LAST + END_SCATTER * noise[:, 1]) * rest, WINDOW[1])
    step = ((STEP[0] + (STEP[1] - STEP[0]) * chance[:, 2]) * rest).round(6)
    return pd.DataFrame({"start": start, "step": step, "pixels": np.floor((end - start) / step).astype(np.int64) + 1})


def wavelengths(grid: pd.DataFrame) -> np.ndarray:
    """Wavelengths (n, WIDTH), Angstrom; a spectrum repeats its last one."""
    pixel = np.minimum(np.arange(WIDTH)[None, :], grid["pixels"].to_numpy()[:, None] - 1)
    return grid["start"].to_numpy()[:, None] + pixel * grid["step"].to_numpy()[:, None]


def relative_errors(flux: np.ndarray, snr: np.ndarray) -> np.ndarray:
    """Relative error of each pixel, float32: Poisson noise at a signal-to-noise ratio that holds in the continuum."""
    return (1.0 / (snr[:, None] * np.sqrt(np.maximum(flux, 0.05)))).astype(np.float32)


def spoil(flux: np.ndarray, error: np.ndarray, index: np.ndarray, config: Mapping) -> None:
    """Put bad pixels into some spectra, in place: flux not a number, error 0."""
    chance = draw(config, "rave/spectrum/bad", index, 3)
    for i in np.flatnonzero(chance[:, 0] < BAD_SHARE):
        broken = chance[i, 0] < BROKEN_SHARE
        length = 160 + int(80 * chance[i, 1]) if broken else 1 + int(BAD_MOST * chance[i, 1])
        first = int(780 * chance[i, 2]) + 20
        flux[i, first : first + length] = np.nan
        error[i, first : first + length] = 0.0


def write_spectra(folder: str | Path, stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> None:
    """Write the folder of a shard's spectra.

    Parameters
    ----------
    stars, visits : DataFrame
        True stars, and their spectra (`surveys.visits`).
    """
    maker, companions = Synthesizer(), companions_of(visits, stars, config)
    with SpectraFolder(folder) as target:
        for begin in range(0, len(visits), PIECE):
            part = visits.iloc[begin : begin + PIECE].reset_index(drop=True)
            star = stars.iloc[part["star"].to_numpy()].reset_index(drop=True)
            near = companions[companions["row"].between(begin, begin + len(part) - 1)]
            index = part["index"].to_numpy()
            grid = grids(star["rv"].to_numpy(), index, config)
            wavelength = wavelengths(grid)
            letters = part["class_1"].to_numpy(str)
            clean = defects.spectra(maker, star, wavelength, letters, index, near.assign(row=near["row"] - begin), config)
            flux = noise.observe(clean, wavelength, part["snr"].to_numpy(), index, config)
            error = relative_errors(flux, part["snr"].to_numpy())
            spoil(flux, error, index, config)
            rows = zip(part["rave_obs_id"], grid["start"], grid["step"], grid["pixels"], strict=True)
            for i, (name, start, step, pixels) in enumerate(rows):
                target.write(name, file_bytes(name, flux[i, :pixels], error[i, :pixels], start, step))
