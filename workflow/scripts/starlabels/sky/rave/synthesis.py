"""Simulated spectra of the calcium triplet at the resolution of RAVE.

From the labels of a star to a normalised flux: one layer (atmosphere.py), line strengths (line_profiles.py), then a fine grid
of 0.2 Angstrom on which the strong lines are drawn and convolved, and the weak lines put as Gaussians of the instrument (drawing.py).
Any wavelengths are then taken by cubic interpolation, exact at the pixels of the fine grid.

Everything is computed star by star or elementwise in blocks of one size, so a spectrum has the same bits in whatever piece
of a table it is computed.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .atmosphere import ELEMENTS, layer
from .drawing import PIXELS, START, STEP, cubic, draw
from .line_profiles import equivalent_widths, paschen_opacity, strengths, strong_depth
from .lines import calcium_triplet, paschen_lines, weak_lines

RESOLUTION = 7500.0
SIGMA = 8600.0 / RESOLUTION / 2.3548  # Angstrom, of the instrument's Gaussian
#: Default wavelengths, Angstrom in air: the grid of the network.
WAVELENGTHS = 8420.0 + 0.4 * np.arange(912)
TEFF_PASCHEN = 5500.0  # K; cooler stars have no Paschen lines
BLOCK = 256  # stars

_REACH = 12  # pixels of the instrument's Gaussian on either side, 4.9 sigma
_REACH_WEAK = 15


class Synthesizer:
    """Makes spectra; holds the tables that do not depend on the star."""

    def __init__(self):
        self._strong, self._weak = calcium_triplet(), weak_lines()
        taps = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) * STEP / SIGMA) ** 2)
        self._kernel = (taps / taps.sum()).astype(np.float32)
        position = (self._weak.wavelength - START) / STEP
        self._first = np.round(position).astype(np.int64) - _REACH_WEAK
        offset = (self._first[:, None] + np.arange(2 * _REACH_WEAK + 1) - position[:, None]) * STEP
        self._gauss = (np.exp(-0.5 * (offset / SIGMA) ** 2) / (SIGMA * np.sqrt(2.0 * np.pi))).astype(np.float32)

    def spectra(self, labels: pd.DataFrame | Mapping, wavelengths: np.ndarray | None = None) -> np.ndarray:
        """Normalised fluxes without noise.

        Parameters
        ----------
        labels : DataFrame or mapping of arrays, n rows
            teff (K), logg, feh, alpha_fe, mg_fe, si_fe, al_fe, ni_fe (dex); ca_fe and ti_fe where they are known, otherwise 0.85 and
            0.95 alpha_fe.
        wavelengths : array, shape (m,) or (n, m), optional
            Angstrom in air, between 8403 and 8802; one grid for all or one a spectrum. Default: 8420 + 0.4 i, i < 912.

        Returns
        -------
        array of float32, shape (n, m)
        """
        wavelengths = WAVELENGTHS if wavelengths is None else np.asarray(wavelengths, float)
        columns = _columns(labels)
        n = len(columns["teff"])
        flux = np.empty((n, wavelengths.shape[-1]), np.float32)
        for begin in range(0, n, BLOCK):
            end = min(n, begin + BLOCK)
            fine = self._block({name: values[begin:end] for name, values in columns.items()})
            flux[begin:end] = interpolate(fine, wavelengths if wavelengths.ndim == 1 else wavelengths[begin:end])
        return flux

    def equivalent_widths(self, labels: pd.DataFrame | Mapping) -> pd.DataFrame:
        """Equivalent widths (mA) of the weak lines before they blend, a column a line: "Fe I 8468.41" and so on."""
        columns = _columns(labels)
        state, abundances = _state(columns)
        widths = equivalent_widths(self._weak, state, columns["logg"], columns["feh"], abundances)
        names = [f"{element} {wavelength:.2f}" for element, wavelength in zip(self._weak.element, self._weak.wavelength, strict=True)]
        return pd.DataFrame(1e3 * widths, columns=names)

    def _block(self, columns: dict) -> np.ndarray:
        """Spectra of at most BLOCK stars on the fine grid, (n, PIXELS)."""
        n = len(columns["teff"])
        # the last star is repeated: elementwise functions then treat all blocks alike, whatever a processor does with odd ends
        columns = {name: np.concatenate([values, np.repeat(values[-1:], BLOCK - n)]) for name, values in columns.items()}
        state, abundances = _state(columns)
        weak = equivalent_widths(self._weak, state, columns["logg"], columns["feh"], abundances).astype(np.float32)
        eta, width, damping = strengths(self._strong, state, columns["logg"], abundances)
        paschen, paschen_width = paschen_opacity(state)
        hot = columns["teff"] > TEFF_PASCHEN
        flux = np.empty((n, PIXELS), np.float32)
        draw(
            self._strong.wavelength, eta, width, damping, hot, paschen_lines()[0], paschen, paschen_width,
            strong_depth(columns["teff"], columns["feh"]), self._first, weak, self._gauss, self._kernel, flux,
        )  # fmt: skip
        return flux


def interpolate(fine: np.ndarray, wavelengths: np.ndarray) -> np.ndarray:
    """Spectra on the fine grid, float32 (n, PIXELS), at wavelengths (m,) or (n, m) by cubic interpolation through four pixels."""
    wavelengths = np.ascontiguousarray(wavelengths, float)
    if wavelengths.size and not (wavelengths.min() >= START and wavelengths.max() <= START + STEP * (PIXELS - 1)):
        raise ValueError(f"wavelengths {wavelengths.min():.1f}-{wavelengths.max():.1f} outside {START}-{START + STEP * (PIXELS - 1):.1f} A")
    out = np.empty((len(fine), wavelengths.shape[-1]), np.float32)
    cubic(fine, np.atleast_2d(wavelengths), out)
    return out


def _columns(labels) -> dict[str, np.ndarray]:
    columns = {name: np.asarray(labels[name], float) for name in ("teff", "logg", "feh", "alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe")}
    for name, slope in (("ca_fe", 0.85), ("ti_fe", 0.95)):
        columns[name] = np.asarray(labels[name], float) if name in labels else slope * columns["alpha_fe"]
    for name, values in columns.items():
        if not np.isfinite(values).all():
            raise ValueError(f"label {name} is not finite in {np.count_nonzero(~np.isfinite(values))} of {len(values)} rows")
    return columns


def _state(columns: dict):
    """The layer of each star, and the abundances that the lines need (atoms per hydrogen atom)."""
    own = {"Mg": "mg_fe", "Si": "si_fe", "Al": "al_fe", "Ni": "ni_fe", "Ca": "ca_fe", "Ti": "ti_fe"}
    abundances = {
        element: 10.0 ** (entry.abundance - 12.0 + columns["feh"] + (columns[own[element]] if element in own else 0.0))
        for element, entry in ELEMENTS.items()
        if element != "H"
    }
    return layer(columns["teff"], columns["logg"], abundances), abundances
