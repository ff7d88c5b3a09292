"""Spectra of the classes that RAVE flags: `b` two stars at once, `c` a wavy continuum, `w` a wrong wavelength scale.

All other classes are spectra of one star.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..observe import draw
from .noise import LIGHT
from .synthesis import PIXELS, START, STEP, Synthesizer

WAVE = (0.05, 0.15)  # amplitude of a wave in the continuum
WAVE_LENGTH = (100.0, 400.0)  # Angstrom
STRETCH = (0.4, 1.0)  # Angstrom, at both ends of the spectrum


def spectra(
    synthesizer: Synthesizer, labels: pd.DataFrame, wavelengths: np.ndarray, classes: np.ndarray, index: np.ndarray,
    companions: pd.DataFrame, config: Mapping,
) -> np.ndarray:
    """Spectra with the defects of their classes, without noise.

    Parameters
    ----------
    synthesizer : Synthesizer
    labels : DataFrame, n rows
        Columns as of `Synthesizer.spectra`.
    wavelengths : array, shape (n, m)
        Angstrom.
    classes : array of str, shape (n,)
    index : array of int64, shape (n,)
        Numbers of the spectra.
    companions : DataFrame
        The second star of each spectrum of class `b`: row, teff, logg, light (over that of the first star), speed (km/s, against it);
        all other labels are those of the first star.
    config : mapping
        `seed`.

    Returns
    -------
    array of float32, shape (n, m)
    """
    classes, index = np.asarray(classes), np.asarray(index)
    stretched, wavy = (np.flatnonzero(classes == letter) for letter in "wc")
    true = wavelengths
    if len(stretched):
        true = wavelengths.copy()
        true[stretched] = stretch(wavelengths[stretched], index[stretched], config)
    flux = synthesizer.spectra(labels, true)
    if len(companions):
        row = companions["row"].to_numpy()
        second = labels.iloc[row].assign(teff=companions["teff"].to_numpy(), logg=companions["logg"].to_numpy())
        rest = moved(wavelengths[row], companions["speed"].to_numpy())
        flux[row] = together(flux[row], synthesizer.spectra(second, rest), companions["light"].to_numpy())
    flux[wavy] *= wave(wavelengths[wavy], index[wavy], config)
    return flux


def moved(wavelengths: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Wavelengths at rest of what is seen at `wavelengths` (n, m) from stars receding with `speed` (n,), km/s."""
    return _inside(wavelengths / (1.0 + speed[:, None] / LIGHT))


def together(first: np.ndarray, second: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Normalised spectrum of two stars; `light` (n,) is that of the second over that of the first."""
    share = (light / (1.0 + light))[:, None]
    return ((1.0 - share) * first + share * second).astype(np.float32)


def wave(wavelengths: np.ndarray, index: np.ndarray, config: Mapping) -> np.ndarray:
    """A wave of 5 to 15 % around 1, (n, m)."""
    chance = draw(config, "rave/defect/wave", index, 3)[:, :, None]
    amplitude = WAVE[0] + (WAVE[1] - WAVE[0]) * chance[:, 0]
    length = WAVE_LENGTH[0] + (WAVE_LENGTH[1] - WAVE_LENGTH[0]) * chance[:, 1]
    return (1.0 + amplitude * np.sin(2.0 * np.pi * (wavelengths / length + chance[:, 2]))).astype(np.float32)


def stretch(wavelengths: np.ndarray, index: np.ndarray, config: Mapping) -> np.ndarray:
    """True wavelengths of what a wrong scale puts at `wavelengths` (n, m): right in the middle, 0.4 to 1 Angstrom off at both ends."""
    chance = draw(config, "rave/defect/stretch", index, 2)
    most = (STRETCH[0] + (STRETCH[1] - STRETCH[0]) * chance[:, :1]) * np.where(chance[:, 1:] < 0.5, -1.0, 1.0)
    first, last = wavelengths[:, :1], wavelengths[:, -1:]
    return _inside(wavelengths + most * (2.0 * wavelengths - first - last) / (last - first))


def _inside(wavelengths: np.ndarray) -> np.ndarray:
    return np.clip(wavelengths, START, START + STEP * (PIXELS - 1))
