"""Which kinds of stars there are: components of the Galaxy, their [Fe/H], abundances and ages.

Shares, distributions and relations are those of the simulated sky's design: thin and thick disc and a halo of accreted
and in-situ stars. The relations of [alpha/Fe] and of the elements were tuned to real stars, the others are round numbers.

A boost adds halo stars with [Fe/H] -4 to -1 (`sky.metal_poor_boost`, share of all stars), half of them giants: nine tenths
uniform above -3, the rest uniform below, since stars thin out there and LAMOST gives all below -2.5 the same label. A
sky of 100 000 stars has otherwise too few of them to test anything below -1; real surveys draw theirs from far larger skies.
"""

import numpy as np

from . import random as rnd

COMPONENTS = ("thin", "thick", "halo_accreted", "halo_insitu")
THIN, THICK, ACCRETED, INSITU = range(4)
SHARES = (0.80, 0.16, 0.04)  # thin, thick, halo
ACCRETED_SHARE = 0.60  # of the halo
BOOST_U, BOOST_FEH = (0.0, 0.1, 1.0), (-4.0, -3.0, -1.0)  # cumulative share and [Fe/H] of the boost
FEH_LIMITS = (-4.0, 0.5)
DISTANCE_LIMIT = np.array([4000.0, 9000.0, 25_000.0, 25_000.0])  # pc, by component
#: exponent of the luminosity that weights red giants; 0: uniform in time. Halo giants are seen to 25 kpc, so that a sample limited
#: in magnitude is full of luminous ones, and metal-poor luminous giants are what the globular clusters are measured with.
GIANT_WEIGHT = np.array([0.0, 0.0, 1.1, 1.1])
GIANT_SHARE, BOOST_GIANT_SHARE = 0.16, 0.50  # before rejection; of the field, of the boost
CLUMP_SHARE = np.array([0.49, 0.34, 0.34, 0.34])  # of the giants that burn helium in the core


def draw_components(seed: int, index: np.ndarray, boost: float) -> tuple[np.ndarray, np.ndarray]:
    """Component of each star (0-3, order of COMPONENTS) and whether it belongs to the metal-poor boost."""
    u = rnd.uniforms(seed, "true/component", index, 3)
    component = rnd.choice_of(u[:, 0], SHARES)
    component = np.where((component == ACCRETED) & (u[:, 1] >= ACCRETED_SHARE), INSITU, component)
    boosted = u[:, 2] < boost
    return np.where(boosted, ACCRETED, component), boosted


def draw_feh(u: np.ndarray, component: np.ndarray, boosted: np.ndarray) -> np.ndarray:
    """[Fe/H] from two uniforms a star: normal core with an exponential metal-poor tail."""
    mean = np.array([-0.06, -0.50, -1.35, -1.35])[component]
    sigma = np.array([0.19, 0.24, 0.45, 0.45])[component]
    tail = np.array([0.03, 0.06, 0.24, 0.24])[component]
    feh = rnd.normal_of(u[:, 0], mean, sigma) - rnd.exponential_of(u[:, 1], tail)
    feh = np.where(boosted, np.interp(u[:, 0], BOOST_U, BOOST_FEH), feh)
    return np.clip(feh, *FEH_LIMITS)


def draw_age(u: np.ndarray, component: np.ndarray) -> np.ndarray:
    """Age (Gyr) from one uniform a star, within the limits of each component."""
    low, high = rnd.gamma_cdf(0.1, 2.2, 1.9), rnd.gamma_cdf(10.7, 2.2, 1.9)
    age = np.empty(len(u))
    thin = component == THIN
    age[thin] = 0.3 + rnd.gamma_of(low + (high - low) * u[thin], 2.2, 1.9)
    thick = component == THICK
    age[thick] = rnd.normal_of(u[thick], 10.0, 1.2, 6.5, 13.0)
    halo = component >= ACCRETED
    age[halo] = rnd.normal_of(u[halo], 12.0, 0.7, 9.0, 13.8)  # limits: the age of the Universe, 4 sigma
    return age


def draw_alpha(u: np.ndarray, feh: np.ndarray, component: np.ndarray) -> np.ndarray:
    """[alpha/Fe] from one uniform a star."""
    mean = np.select(
        [component == THIN, component == THICK, component == ACCRETED],
        [
            np.clip(0.005 - 0.14 * feh, -0.005, 0.085),
            np.clip(0.125 - 0.175 * feh, 0.05, 0.238),
            np.clip(0.20 - 0.16 * (feh + 1.4), 0.0, 0.30),
        ],
        0.26,
    )
    return rnd.normal_of(u, mean, np.array([0.018, 0.028, 0.04, 0.04])[component])


def draw_elements(seed: int, index: np.ndarray, feh: np.ndarray, alpha: np.ndarray, accreted: np.ndarray) -> dict[str, np.ndarray]:
    """[Mg/Fe], [Si/Fe], [Al/Fe], [Ni/Fe] from [Fe/H] and [alpha/Fe]; Al and Ni share one random number a star."""
    z = rnd.normals(seed, "true/elements", index, 5)
    rich, common = np.maximum(feh, 0), 0.016 * z[:, 4]
    aluminium = 0.026 + 0.80 * alpha + 0.10 * rich - 0.10 * np.clip(-feh - 0.5, 0, 1)
    return {
        "mg_fe": 0.018 + 1.29 * alpha + 0.05 * rich + 0.012 * z[:, 0],
        "si_fe": 0.011 + 0.85 * alpha + 0.014 * z[:, 1],
        "al_fe": np.where(accreted, -0.30, aluminium) + 1.3 * common + 0.026 * z[:, 2],
        "ni_fe": 0.003 + 0.30 * alpha + 0.17 * rich + 0.6 * common + 0.014 * z[:, 3],
    }
