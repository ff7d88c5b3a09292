"""The one layer in which the lines of a simulated spectrum form: temperature, pressures, continuum opacity, ionisation.

Milne-Eddington layer in local thermodynamic equilibrium at T = 0.94 Teff and optical depth 0.20, both tuned to the Sun.
Gas pressure, electron pressure and opacity are found together: P_g = g tau 1.4 m_H / kappa(P_e), P_e from Saha's equation for
nine elements. Opacities and Saha's equation: Gray, The Observation and Analysis of Stellar Photospheres, ch. 8 and 1;
abundances: Asplund et al. 2009 (ARA&A 47, 481).
"""

from typing import NamedTuple

import numpy as np

BOLTZMANN = 1.380649e-16  # erg/K
HYDROGEN_MASS = 1.6735e-24  # g
BOLTZMANN_EV = 8.617333e-5  # eV/K

LAYER = 0.94  # T / Teff
DEPTH = 0.20  # optical depth of the layer in the continuum
WAVELENGTH = 8600.0  # Angstrom, of the continuum opacity
PHOTON = 1.4417  # eV, at that wavelength
NEGATIVE_ION = 3.95e-17  # cm^2, bound-free cross-section of H- at that wavelength
HELIUM = 0.1  # atoms per hydrogen atom; with hydrogen 1.4 m_H
ITERATIONS = 40
WEIGHT = 0.4


class Element(NamedTuple):
    """`abundance` on the scale of hydrogen 12; ionisation energy (eV); partition functions a (T/5040)^b of atom and ion; mass in m_u."""

    abundance: float
    energy: float
    atom: tuple[float, float]
    ion: tuple[float, float]
    mass: float


ELEMENTS = {
    "H": Element(12.00, 13.598, (2.0, 0.0), (1.0, 0.0), 1.008),
    "Na": Element(6.24, 5.139, (2.05, 0.1), (1.0, 0.0), 22.99),
    "K": Element(5.03, 4.341, (2.15, 0.2), (1.0, 0.0), 39.10),
    "Al": Element(6.45, 5.986, (5.9, 0.0), (1.0, 0.0), 26.98),
    "Ca": Element(6.34, 6.113, (1.18, 0.9), (2.2, 0.5), 40.08),
    "Mg": Element(7.60, 7.646, (1.02, 0.0), (2.0, 0.0), 24.31),
    "Fe": Element(7.50, 7.902, (27.0, 1.0), (42.0, 0.7), 55.85),
    "Si": Element(7.51, 8.152, (9.5, 0.25), (5.7, 0.1), 28.09),
    "Ni": Element(6.22, 7.640, (30.0, 0.35), (10.9, 1.2), 58.69),
    "Ti": Element(4.95, 6.828, (29.0, 1.6), (56.0, 0.6), 47.87),
    "Cr": Element(5.64, 6.767, (10.5, 1.4), (7.2, 0.4), 52.00),
}
#: Elements that give electrons.
DONORS = ("H", "Na", "K", "Al", "Ca", "Mg", "Fe", "Si", "Ni")


class Layer(NamedTuple):
    """State of the layer, arrays of shape (n,): K, dyn/cm^2, dyn/cm^2, cm^2 per hydrogen atom, atoms per cm^3."""

    temperature: np.ndarray
    gas_pressure: np.ndarray
    electron_pressure: np.ndarray
    opacity: np.ndarray
    hydrogen: np.ndarray

    @property
    def electrons(self) -> np.ndarray:
        """Electrons per cm^3."""
        return self.electron_pressure / (BOLTZMANN * self.temperature)


def partition(coefficients: tuple[float, float], temperature: np.ndarray) -> np.ndarray:
    """Partition function a (T/5040)^b."""
    a, b = coefficients
    return a * (temperature / 5040.0) ** b


def saha(element: str, temperature: np.ndarray) -> np.ndarray:
    """N_ion P_e / N_atom in dyn/cm^2."""
    entry = ELEMENTS[element]
    ratio = partition(entry.ion, temperature) / partition(entry.atom, temperature)
    return 10.0 ** (2.5 * np.log10(temperature) - 5040.0 * entry.energy / temperature - 0.176) * ratio


def stimulated(temperature: np.ndarray) -> np.ndarray:
    """1 - exp(-h nu / kT) at 8600 Angstrom."""
    return -np.expm1(-PHOTON / (BOLTZMANN_EV * temperature))


def _opacity_parts(temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Opacity per neutral hydrogen atom: of H- divided by P_e, and of H I bound-free from n = 4 to 8 (cm^2)."""
    theta = 5040.0 / temperature
    negative = 4.158e-10 * NEGATIVE_ION * theta**2.5 * 10.0 ** (0.754 * theta) * (1.0 + 0.16 * temperature / 5040.0)
    neutral = np.zeros_like(temperature)
    for n in range(4, 9):
        neutral += 1.0449e-26 * WAVELENGTH**3 / n**3 * 10.0 ** (-theta * 13.598 * (1.0 - 1.0 / n**2))
    factor = stimulated(temperature)
    return negative * factor, neutral * factor


def layer(teff: np.ndarray, logg: np.ndarray, abundances: dict[str, np.ndarray]) -> Layer:
    """Solve for the pressures.

    Parameters
    ----------
    teff, logg : array, shape (n,)
        K, log10 cm/s^2.
    abundances : dict
        Number of atoms per hydrogen atom, (n,), of every element in `DONORS` (hydrogen itself is 1).
    """
    temperature = LAYER * np.asarray(teff, float)
    gravity = 10.0 ** np.asarray(logg, float)
    per_electron_pressure, neutral_opacity = _opacity_parts(temperature)
    ratios = {name: saha(name, temperature) for name in DONORS}
    heavy = 1.0 + HELIUM
    log_pe = np.full_like(temperature, 1.0)
    for _ in range(ITERATIONS):
        pe, pg, _ = _pressures(log_pe, gravity, per_electron_pressure, neutral_opacity, ratios["H"])
        given = ratios["H"] / (ratios["H"] + pe)
        for name in DONORS[1:]:
            given = given + abundances[name] * ratios[name] / (ratios[name] + pe)
        # electrons per atom x; P_e = P_g x / (1 + x)
        share = given / heavy
        log_pe = log_pe + WEIGHT * (np.log10(pg * share / (1.0 + share)) - log_pe)
    pe, pg, opacity = _pressures(log_pe, gravity, per_electron_pressure, neutral_opacity, ratios["H"])
    atoms = np.maximum(pg - pe, 0.0) / (BOLTZMANN * temperature) / heavy
    return Layer(temperature, pg, pe, opacity, atoms * pe / (ratios["H"] + pe))


def _pressures(log_pe, gravity, per_electron_pressure, neutral_opacity, hydrogen_ratio):
    """Electron pressure, gas pressure and opacity per hydrogen atom for an electron pressure."""
    pe = 10.0**log_pe
    opacity = (per_electron_pressure * pe + neutral_opacity) * pe / (hydrogen_ratio + pe)
    return pe, gravity * DEPTH * 1.4 * HYDROGEN_MASS / opacity, opacity
