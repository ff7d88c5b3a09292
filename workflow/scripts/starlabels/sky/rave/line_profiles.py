"""How strong a line is and what it takes from the continuum.

A line's opacity relative to the continuum, eta, is that of the layer times 0.5, a tuned factor that stands for the height at
which lines form. Weak lines become equivalent widths through a tabulated curve of growth; the Ca II triplet and the
Paschen lines, whose wings matter, are drawn pixel by pixel (drawing.py). The depth factor of the Ca II lines and the boost of weak lines
of metal-poor stars were tuned to real spectra.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from .atmosphere import BOLTZMANN, ELEMENTS, Layer, partition, saha, stimulated
from .lines import PASCHEN, Lines, paschen_lines

LIGHT = 2.99792458e10  # cm/s
ATOMIC_MASS = 1.66054e-24  # g
OSCILLATOR = 0.02654  # pi e^2 / (m_e c), cm^2 Hz
LN10 = np.log(10.0)

HEIGHT = 0.5  # opacity factor of all lines
DEPTH = 0.65  # greatest depth of a weak line
DAMPING = {"Ca II": 10.0**-7.68}  # by hydrogen atoms at 10^4 K, cm^3/s (Barklem & O'Mara 1998)
DAMPING_OTHERS = 10.0**-7.75
NATURAL = {"Ca II": 1.5e8}  # natural broadening, per second: lifetime of 6.9 ns of the upper levels
NATURAL_OTHERS = 1e8
PASCHEN_FACTOR = 0.4  # on the opacity of the Paschen lines; without it they are twice as deep as in F dwarfs of LAMOST

LOG_ETA = np.linspace(-4.0, 5.0, 181)
LOG_A = np.linspace(-4.0, -0.5, 15)


def microturbulence(logg: np.ndarray) -> np.ndarray:
    """Microturbulence, cm/s."""
    return 1e5 * np.clip(2.24 - 0.3 * logg, 0.9, 2.2)


def metal_poor_boost(feh: np.ndarray) -> np.ndarray:
    """Factor on the opacity of weak lines (1 above [Fe/H] = -0.7)."""
    return 10.0 ** (0.11 * np.clip(-feh - 0.7, 0.0, 2.5))


def strong_depth(teff: np.ndarray, feh: np.ndarray) -> np.ndarray:
    """Greatest depth of the Ca II and Paschen lines."""
    return np.clip(0.55 + 0.11 * np.clip((5600.0 - teff) / 1000.0, -0.45, 1.2) + 0.085 * np.maximum(-feh - 0.7, 0.0), 0.50, 0.85)


def strengths(lines: Lines, state: Layer, logg: np.ndarray, abundances: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opacity at the centre, Doppler width and damping of every line.

    Parameters
    ----------
    lines : Lines
        k lines.
    state : Layer
        Of n stars.
    logg : array, shape (n,)
    abundances : dict
        Atoms per hydrogen atom, (n,), of every element of the lines.

    Returns
    -------
    eta, width, damping : array, shape (n, k)
        Opacity relative to the continuum; Doppler width in Angstrom; Voigt parameter a.
    """
    temperature = state.temperature
    theta = 5040.0 / temperature
    collisions = state.hydrogen * (temperature / 1e4) ** 0.38
    common = HEIGHT * OSCILLATOR * stimulated(temperature) / (np.sqrt(np.pi) * state.opacity)
    per_species = {}
    for species in dict.fromkeys(lines.element):
        element, stage = species.split()
        entry = ELEMENTS[element]
        ratio = saha(element, temperature) / state.electron_pressure
        share = ratio / (1.0 + ratio) if stage == "II" else 1.0 / (1.0 + ratio)
        level = share * abundances[element] / partition(entry.ion if stage == "II" else entry.atom, temperature)
        speed = np.sqrt(2.0 * BOLTZMANN * temperature / (entry.mass * ATOMIC_MASS) + microturbulence(logg) ** 2)
        rate = NATURAL.get(species, NATURAL_OTHERS) + DAMPING.get(species, DAMPING_OTHERS) * collisions
        per_species[species] = common * level, speed, rate
    strength, speed, rate = (np.stack(columns, 1) for columns in zip(*(per_species[name] for name in lines.element), strict=True))
    doppler = speed * (1e8 / lines.wavelength)  # Hz
    eta = strength / doppler * np.exp(LN10 * (lines.log_gf - theta[:, None] * lines.excitation))
    return eta, speed * (lines.wavelength / LIGHT), rate / (4.0 * np.pi * doppler)


@lru_cache(maxsize=1)
def growth_table() -> np.ndarray:
    """log10 of the curve of growth F(eta, a), the integral of eta H/(1 + eta H) over v, at LOG_ETA x LOG_A (181 x 15)."""
    v = np.concatenate([np.linspace(0.0, 10.0, 2001), np.geomspace(10.0, 1e5, 2001)[1:]])
    eta = 10.0 ** LOG_ETA[:, None]
    table = np.empty((len(LOG_ETA), len(LOG_A)))
    for j, a in enumerate(10.0**LOG_A):
        opacity = eta * special.wofz(v + 1j * a).real
        table[:, j] = np.log10(2.0 * np.trapezoid(opacity / (1.0 + opacity), v, axis=1))
    return table


def growth(eta: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Curve of growth F(eta, a) by bilinear interpolation of the logarithms; proportional to eta below the table."""
    table = growth_table()
    x = (np.log10(np.maximum(eta, 1e-30)) - LOG_ETA[0]) / (LOG_ETA[1] - LOG_ETA[0])
    y = (np.log10(a) - LOG_A[0]) / (LOG_A[1] - LOG_A[0])
    x, y = np.minimum(x, len(LOG_ETA) - 1), np.clip(y, 0, len(LOG_A) - 1)
    i, j = np.clip(x.astype(np.int64), 0, len(LOG_ETA) - 2), np.minimum(y.astype(np.int64), len(LOG_A) - 2)
    fx, fy = x - i, y - j
    low = table[i, j] * (1.0 - fx) + table[i + 1, j] * fx
    high = table[i, j + 1] * (1.0 - fx) + table[i + 1, j + 1] * fx
    return np.exp(LN10 * (low * (1.0 - fy) + high * fy))


def equivalent_widths(lines: Lines, state: Layer, logg: np.ndarray, feh: np.ndarray, abundances: dict) -> np.ndarray:
    """Equivalent widths of weak lines, Angstrom, shape (n, k)."""
    eta, width, a = strengths(lines, state, logg, abundances)
    return DEPTH * width * growth(eta * metal_poor_boost(feh)[:, None], a)


def paschen_opacity(state: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Paschen lines as Lorentzians of opacity s / (dlambda^2 + w^2): s (Angstrom^2) and half width w (Angstrom), each (n, 9)."""
    wavelength, log_gf, excitation = paschen_lines()
    temperature = state.temperature
    ratio = saha("H", temperature) / state.electron_pressure
    level = np.exp(LN10 * (log_gf - (5040.0 / temperature)[:, None] * excitation)) / partition(ELEMENTS["H"].atom, temperature)[:, None]
    area = PASCHEN_FACTOR * HEIGHT * OSCILLATOR * level * (stimulated(temperature) / (1.0 + ratio) / state.opacity)[:, None]  # Hz
    width = 0.9 * (state.electrons / 1e14)[:, None] ** (2.0 / 3.0) * (PASCHEN / 12.0) ** 2 + 0.6
    return area * (wavelength**2 * 1e-8 / LIGHT) * width / np.pi, width
