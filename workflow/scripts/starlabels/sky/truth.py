"""What field stars and cluster members have in common: evolution, companions, photometry, the truth frame."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..errors import InputError
from . import colours, evolution
from . import random as rnd

BINARY_SHARE = 0.30  # of the dwarfs
TEFF_RANGE = (3800.0, 8000.0)  # K: no molecules, and no colour relation above
MASS_MIN = 0.5
KINDS = ("dwarf", "giant", "white_dwarf", "hot_subdwarf")
# rotation, activity, CNO: mag in each band, in the order of colours.BANDS
COSMIC_SCATTER = np.array([0.002, 0.003, 0.003, 0.004, 0.004, 0.004, 0.005, 0.005, 0.012, 0.010, 0.04])

COLUMNS = (
    "star_index", "component", "kind", "ra", "dec", "distance", "parallax", "pmra", "pmdec", "rv", "mass", "age", "teff", "logg",
    "feh", "alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe", "ebv", "is_binary", "mass_ratio",
    *(f"abs_{b}" for b in colours.BANDS), *colours.BANDS,
)  # fmt: skip


def reddening_of(config: Mapping) -> np.ndarray:
    """R_X of the eleven bands, in the order of `colours.BANDS`.

    Raises
    ------
    InputError
        When a band is absent from `sages.bands`: the simulated sky makes all eleven.
    """
    bands = config["sages"]["bands"]
    for band in colours.BANDS:
        if band not in bands:
            raise InputError(f"sages.bands.{band}", "is absent", "The simulated sky needs the reddening coefficient of all eleven bands")
    return np.array([float(bands[b]["reddening"]) for b in colours.BANDS])


def evolve(u, giant, mass_to, age, zeta, clump_share, luminosity_min=0.0, weight=None):
    """Mass, luminosity and Teff (solar units, K) of stars of given turn-off mass, age (Gyr) and zeta.

    u (n, 2) decides between giant branch and clump, and on the mass (dwarfs) or the phase in time (giants, who have the
    turn-off mass). Giants on the branch start at `luminosity_min`; where `weight` (n,) is above 0, their number is weighted by
    luminosity to that power.
    """
    mass = np.where(giant, mass_to, MASS_MIN + (mass_to - MASS_MIN) * u[:, 1] ** 0.62)
    luminosity, teff = np.empty_like(mass), np.empty_like(mass)
    burns = giant & (u[:, 0] < clump_share)
    red, dwarf = giant & ~burns, ~giant
    luminosity[dwarf], teff[dwarf] = evolution.main_sequence(mass[dwarf], 1000 * age[dwarf], zeta[dwarf])
    luminosity[red], teff[red] = evolution.red_giant(mass[red], zeta[red], u[red, 1], luminosity_min)
    if weight is not None:
        bright = red & (weight > 0)
        luminosity[bright], teff[bright] = evolution.red_giant_weighted(mass[bright], zeta[bright], u[bright, 1], weight[bright])
    luminosity[burns], teff[burns] = evolution.clump(mass[burns], zeta[burns], u[burns, 1])
    return mass, luminosity, teff


def companions(u, star, wanted):
    """Give the stars of a dict unresolved companions: adds logg, is_binary, mass_ratio (NaN: single), m_g (both together).

    30 % of the `wanted` dwarfs, mass ratio q uniform in 0.2-1, L2 = L1 q^4.5, T2 = T1 q^0.6; u is (n, 2).
    """
    logg = evolution.surface_gravity(star["mass"], star["luminosity"], star["teff"])
    star["logg"] = logg
    star["is_binary"] = wanted & (u[:, 0] < BINARY_SHARE) & (logg >= colours.LOGG_GIANT)
    star["mass_ratio"] = np.where(star["is_binary"], 0.2 + 0.8 * u[:, 1], np.nan)
    m_g = colours.absolute_g(star["luminosity"], star["teff"])
    both = star["is_binary"]
    second_l, second_t = _secondary(star, both)
    m_g[both] = colours.add_fluxes(m_g[both], colours.absolute_g(second_l, second_t))
    star["m_g"] = m_g


def _secondary(star, both):
    q = star["mass_ratio"][both]
    return star["luminosity"][both] * q**4.5, star["teff"][both] * q**0.6


def within(value, limits):
    """Whether low <= value <= high."""
    return (value >= limits[0]) & (value <= limits[1])


def repeat(n, tries, attempt):
    """Draw n stars, each until accepted but at most `tries` times; the last draw is taken as it is.

    attempt(number, rows) returns (columns of those rows, accepted). Each star sees only its own draws, so the loop
    ends for a star where it would end without the others.
    """
    star, todo = {}, np.arange(n)
    for number in range(tries):
        drawn, accepted = attempt(number, todo)
        done = accepted if number < tries - 1 else np.ones(len(todo), bool)
        for name, values in drawn.items():
            if name not in star:
                star[name] = np.zeros(n, values.dtype)
            star[name][todo[done]] = values[done]
        todo = todo[~done]
        if not len(todo):
            break
    return star


def photometry(seed, index, star):
    """Absolute magnitudes (n, 11) with companions and cosmic scatter."""
    absolute = colours.absolute_magnitudes(star["luminosity"], star["teff"], star["logg"], star["feh"])
    both = star["is_binary"]
    if both.any():
        lum, teff = _secondary(star, both)
        logg = evolution.surface_gravity(star["mass"][both] * star["mass_ratio"][both], lum, teff)
        absolute[both] = colours.add_fluxes(absolute[both], colours.absolute_magnitudes(lum, teff, logg, star["feh"][both]))
    return absolute + COSMIC_SCATTER * rnd.normals(seed, "true/scatter", index, len(colours.BANDS))


def frame(index, component, kind, ra, dec, ebv, star, absolute, reddening):
    """The truth frame (columns `COLUMNS`) from a dict of arrays; `kind` numbers KINDS, magnitudes get distance and extinction."""
    apparent = absolute + (5 * np.log10(star["distance"]) - 5)[:, None] + reddening * ebv[:, None]
    columns = {
        **star,
        "star_index": index,
        "component": pd.array(component, dtype="str"),
        "kind": pd.array(np.array(KINDS)[kind], dtype="str"),
        "ra": ra,
        "dec": dec,
        "ebv": ebv,
        "parallax": 1000 / star["distance"],
    }
    for j, band in enumerate(colours.BANDS):
        columns[f"abs_{band}"], columns[band] = absolute[:, j], apparent[:, j]
    return pd.DataFrame({name: columns[name] for name in COLUMNS})
