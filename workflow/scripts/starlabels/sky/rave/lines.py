"""Lines of 8420 to 8795 Angstrom that the simulated spectra contain.

Sources of the oscillator strengths: Ti I Lawler et al. 2013 (ApJS 205, 11); Fe I O'Brian et al. 1991 (JOSA B 8, 1185;
8514, 8689), Den Hartog et al. 2014 (ApJS 215, 23) and Ruffoni et al. 2014 (MNRAS 441, 3127) for high excitation; Al I NIST;
Si I 8648 Pehlivan Rhodin et al. 2024 (A&A 682, A184); Ca II Safronova & Safronova 2011 (Phys. Rev. A 83, 012503);
all others (most Fe I, all Ni I, Mg I, Cr I, Ca I) Kurucz. They agree with the compilation of Placco et al. 2021 (RNAAS 5, 92).
Hydrogen's Paschen lines follow from Rydberg's formula and Kramers' oscillator strengths.

No molecules: stars below some 3800 K have too few lines here.
"""

from typing import NamedTuple

import numpy as np


class Lines(NamedTuple):
    """Atomic lines as columns: `element` names of the neutral or ionised atom, air wavelengths (Angstrom), lower levels (eV), log gf."""

    element: tuple[str, ...]
    wavelength: np.ndarray
    excitation: np.ndarray
    log_gf: np.ndarray


#: The Ca II triplet, whose profiles are computed one by one.
TRIPLET = (("Ca II", 8498.02, 1.692, -1.365), ("Ca II", 8542.09, 1.700, -0.410), ("Ca II", 8662.14, 1.692, -0.672))

# air wavelength, lower level (eV), log gf
_WEAK = {
    "Fe I": (
        (8422.91, 4.14, -1.65), (8439.57, 4.54, -0.67), (8446.38, 4.98, -0.92), (8468.41, 2.22, -2.07), (8471.74, 4.95, -0.91),
        (8481.98, 4.18, -1.65), (8496.99, 4.60, -0.82), (8514.07, 2.20, -2.20), (8515.11, 3.02, -2.07), (8526.67, 4.91, -0.59),
        (8571.80, 5.01, -1.11), (8582.26, 2.99, -2.13), (8592.95, 4.95, -1.08), (8598.83, 4.38, -1.20), (8610.61, 4.43, -1.69),
        (8611.80, 2.84, -1.90), (8616.28, 4.91, -0.68), (8621.60, 2.95, -2.32), (8661.90, 2.22, -1.54), (8663.72, 4.98, -1.26),
        (8674.75, 2.83, -1.85), (8688.62, 2.17, -1.20), (8698.71, 2.99, -3.43), (8699.45, 4.95, -0.37), (8710.39, 4.91, -0.56),
        (8713.19, 2.95, -3.15), (8713.21, 4.98, -0.75), (8729.14, 3.41, -2.95), (8747.42, 3.02, -3.37), (8757.19, 2.84, -2.03),
        (8763.97, 4.65, -0.24), (8784.44, 4.95, -1.14),
    ),
    "Ti I": (
        (8426.51, 0.82, -1.25), (8434.96, 0.85, -0.89), (8435.65, 0.83, -1.02), (8438.92, 2.25, -0.70), (8450.89, 2.25, -0.80),
        (8468.47, 1.89, -0.99), (8518.35, 1.88, -1.05), (8548.09, 1.87, -1.16), (8675.37, 1.07, -1.50), (8682.98, 1.05, -1.79),
        (8692.33, 1.04, -2.13), (8734.71, 1.05, -2.24), (8766.68, 1.07, -2.27),
    ),
    "Si I": (
        (8443.97, 5.87, -1.40), (8502.22, 5.87, -1.26), (8514.60, 5.61, -1.67), (8527.27, 5.61, -0.93), (8536.16, 6.18, -0.91),
        (8543.15, 5.61, -1.14), (8556.78, 5.87, -0.73), (8556.81, 6.19, -0.74), (8595.96, 6.19, -1.04), (8648.47, 6.20, 0.02),
        (8728.01, 6.18, -0.61), (8742.45, 5.87, -0.63), (8752.01, 5.87, -0.52),
    ),
    "Mg I": (
        (8710.17, 5.93, -1.55), (8712.69, 5.93, -1.37), (8717.83, 5.93, -0.93), (8736.01, 5.94, -0.86), (8736.02, 5.94, -0.69),
        (8736.03, 5.94, -1.02),
    ),
    "Al I": ((8772.87, 4.02, -0.35), (8773.90, 4.02, -0.19), (8773.90, 4.02, -1.50)),
    "Ni I": (
        (8501.80, 3.84, -1.97), (8606.39, 5.28, -0.36), (8637.00, 3.84, -2.15), (8702.49, 2.74, -3.60), (8768.78, 5.36, -0.66),
        (8770.67, 2.74, -3.04),
    ),
    "Ca I": ((8583.32, 4.44, -0.99), (8633.93, 4.45, -0.81), (8725.01, 4.62, -0.81)),
    "Cr I": ((8450.25, 2.71, -1.88), (8548.85, 2.71, -2.07), (8707.96, 4.38, -0.54)),
}  # fmt: skip


def _columns(rows) -> Lines:
    element, *numbers = zip(*rows, strict=True)
    return Lines(element, *(np.array(column, float) for column in numbers))


def calcium_triplet() -> Lines:
    """The three lines of Ca II."""
    return _columns(TRIPLET)


def weak_lines() -> Lines:
    """All other atomic lines, sorted by wavelength."""
    return _columns(sorted(((element, *row) for element, rows in _WEAK.items() for row in rows), key=lambda line: line[1]))


#: Upper levels of the Paschen lines that reach the window.
PASCHEN = np.arange(12, 21)
_RYDBERG = 1.0967758e-3  # of hydrogen, per Angstrom in vacuum
_AIR = 1.0002747  # refractive index of air near 8600 Angstrom


def paschen_lines() -> tuple[np.ndarray, np.ndarray, float]:
    """Air wavelengths (Angstrom), log gf and lower level (eV) of Paschen 12 to 20, Kramers' oscillator strengths without Gaunt factor."""
    step = 1.0 / 9.0 - 1.0 / PASCHEN**2.0
    f = 1.96 / (3.0**5 * PASCHEN**3.0) / step**3
    return 1.0 / (_RYDBERG * step) / _AIR, np.log10(18.0 * f), 12.0875
