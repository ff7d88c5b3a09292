"""The true stars of the simulated RAVE survey (Guiglion et al. 2020): bright field stars, K2 giants, cluster members, a supergiant.

Mixture, [Fe/H], ages and phases were tuned to the labels that the authors published. Brightness is that of the survey (G
triangular), the distance follows from it; which component a star belongs to depends on where that puts it: thick disc and halo
gain with height, the thick disc loses outwards (scale length 2.0 against 3.0 kpc), and the thin disc has a radial [Fe/H] gradient.
As everywhere in the simulated sky, a star is a function of the seed and its index.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from astropy import units as u
from astropy_healpix import HEALPix

from .. import evolution, kinematics, populations, truth
from .. import random as rnd
from ..clusters import cluster
from ..layout import FIELD_STEP, offset
from ..populations import ACCRETED, INSITU, THICK, THIN
from ..stars import draw_cluster_stars
from . import orbits
from .layout import SUPERGIANT_NUMBER, Shard, cluster_numbers

GIANT_SHARE = 0.59  # of the stars observed; 0.57 of those that pass the cuts of Section 2
G_LAW = (8.6, 11.3, 13.2)  # faintest, most frequent and brightest G: a triangle
AV_SCALE = 0.29  # mag, mean of an exponential law
AV_TO_EBV = 3.1
TEFF_RANGE, LOGG_RANGE, FEH_RANGE = (3650.0, 7200.0), (0.2, 5.0), (-2.2, 0.45)
K2_LOGG = (1.5, 3.3)  # of giants whose oscillations K2 can see
TRIES = 16
CLUMP_SHARE = np.array([0.47, 0.28, 0.28, 0.28])  # of the giants: burn helium in the core
LUMINOSITY_POWER = np.array([0.75, 0.85, 0.85, 0.85])  # of the number of red giants, on top of the time spent at a luminosity
GRADIENT = -0.06  # dex/kpc, [Fe/H] of the thin disc

#: shares of thin disc, thick disc and halo before the place is known; with `_odds` they come out right over the whole sample
SHARES = {True: (0.665, 0.317, 0.018), False: (0.955, 0.042, 0.003)}
#: log odds against the thin disc, by giant or dwarf: thick disc and halo at the Sun's place
ODDS = {True: (-2.38, -6.55), False: (-3.6, -6.0)}

SUPERGIANT_ID = 5983723702088571392  # Gaia DR2, Section 6.8
SUPERGIANT = {"teff": 5420.0, "logg": 1.02, "feh": -0.36, "alpha_fe": 0.05, "mass": 4.0, "age": 0.15, "parallax": 0.40, "av": 1.0}


def _odds(giant: np.ndarray, radius: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Weights (n, 3) of thin disc, thick disc and halo at a place; they follow the share of alpha-rich giants of the real sample."""
    height = np.abs(height)
    steep = np.minimum(height, 1.25)
    rise = (1 / 0.30 - 1 / 0.85) * steep + 0.8 * (height - steep)  # scale heights near the plane; both discs are mixed above
    base = np.where(giant[:, None], ODDS[True], ODDS[False])
    thick = base[:, 0] + rise - (radius - kinematics.R_SUN) * (1 / 2.0 - 1 / 3.0)
    halo = base[:, 1] + rise + (1 / 0.85 - 1 / 3.0) * height
    return np.column_stack([np.ones(len(height)), np.exp(thick), np.exp(halo)])


def _choose(draw: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Component of each row (0, 1, 2) from a uniform number and weights (n, 3)."""
    edges = np.cumsum(weights, axis=1)
    return (draw[:, None] * edges[:, -1:] >= edges[:, :2]).sum(axis=1)


def _draw_g(draw: np.ndarray) -> np.ndarray:
    low, mode, high = G_LAW
    split = (mode - low) / (high - low)
    rising = low + np.sqrt(draw * (high - low) * (mode - low))
    return np.where(draw < split, rising, high - np.sqrt((1 - draw) * (high - low) * (high - mode)))


def _draw_feh(draw, component, giant):
    """[Fe/H] at the Sun's radius from two uniforms a star."""
    thin = component == THIN
    mean = np.select([thin, component == THICK], [np.where(giant, 0.02, 0.0), -0.36], -1.35)
    sigma = np.select([thin, component == THICK], [np.where(giant, 0.205, 0.155), 0.19], 0.35)
    tail = np.select([thin, component == THICK], [np.where(giant, 0.09, 0.055), 0.09], 0.0)
    return rnd.normal_of(draw[:, 0], mean, sigma) - rnd.exponential_of(draw[:, 1], tail)


def _draw_age(draw, component, giant):
    """Age in Gyr."""
    age = np.empty(len(draw))
    for of_type, start, scale in ((giant, 0.3, 1.9), (~giant, 0.5, 2.0)):
        rows = of_type & (component == THIN)
        low, high = rnd.gamma_cdf(max(0.4 - start, 0.0), 2.2, scale), rnd.gamma_cdf(11.0 - start, 2.2, scale)
        age[rows] = start + rnd.gamma_of(low + (high - low) * draw[rows], 2.2, scale)
    thick, halo = component == THICK, component >= ACCRETED
    age[thick] = rnd.normal_of(draw[thick], 10.0, 1.2, 6.5, 13.0)
    age[halo] = rnd.normal_of(draw[halo], 12.0, 0.7, 9.0, 13.8)
    return age


def _evolved(draw, star, component, giant, binaries):
    """Add mass, luminosity, teff, logg, companions and M_G to the [Fe/H], [alpha/Fe] and age of `star`; draw is (n, 4)."""
    zeta = evolution.zeta_of(star["feh"], star["alpha_fe"])
    mass_to = evolution.turn_off_mass(star["age"], zeta)
    mass = np.where(giant, mass_to, truth.MASS_MIN + (0.98 * mass_to - truth.MASS_MIN) * draw[:, 1] ** 0.38)
    luminosity, teff = np.empty_like(mass), np.empty_like(mass)
    clump = giant & (draw[:, 0] < CLUMP_SHARE[component])
    red, dwarf = giant & ~clump, ~giant
    luminosity[dwarf], teff[dwarf] = evolution.main_sequence(mass[dwarf], 1000 * star["age"][dwarf], zeta[dwarf])
    luminosity[clump], teff[clump] = evolution.clump(mass[clump], zeta[clump], draw[clump, 1])
    power = LUMINOSITY_POWER[component[red]]
    luminosity[red], teff[red] = evolution.red_giant_weighted(mass[red], zeta[red], draw[red, 1], power)
    star.update(mass=mass, luminosity=luminosity, teff=teff)
    truth.companions(draw[:, 2:4], star, dwarf & binaries)


def draw_stars(index: np.ndarray, ra: np.ndarray, dec: np.ndarray, config: Mapping, k2: bool = False) -> pd.DataFrame:
    """True stars of the survey's fields.

    Parameters
    ----------
    index : array of int64, shape (n,)
        Star indices; with the seed and the place they fix everything.
    ra, dec : ndarray, shape (n,)
        ICRS, epoch 2016.0, deg.
    config : mapping
        The whole configuration: `seed`, `sky.binaries`, `sages.bands`.
    k2 : bool
        Only giants with the surface gravities of K2's seismic sample.

    Returns
    -------
    DataFrame
        Columns of `truth.COLUMNS` (K, dex, pc, mas, mas/yr, km/s, Gyr, mag).
    """
    index = np.asarray(index, np.int64)
    seed, reddening, binaries = config["seed"], truth.reddening_of(config), bool(config["sky"]["binaries"])
    once = rnd.uniforms(seed, "rave/star", index, 3)
    giant = (once[:, 0] < GIANT_SHARE) | k2
    ebv = rnd.exponential_of(once[:, 1], AV_SCALE) / AV_TO_EBV
    halo = np.where(once[:, 2] < populations.ACCRETED_SHARE, ACCRETED, INSITU)
    g = _draw_g(rnd.uniforms(seed, "rave/g", index)[:, 0])
    logg_range = K2_LOGG if k2 else LOGG_RANGE

    def attempt(number, rows):
        draw = rnd.uniforms(seed, f"rave/star/{number}", index[rows], 10)
        here = giant[rows]
        weights, radius = np.where(here[:, None], SHARES[True], SHARES[False]), np.full(len(rows), kinematics.R_SUN)
        # a first star gives the distance, the place there the component and its [Fe/H], and these the star that stays
        for _ in range(2):
            component = _choose(draw[:, 8], weights)
            component = np.where(component == 2, halo[rows], component)
            local = _draw_feh(draw[:, 0:2], component, here)
            shift = np.where(component == THIN, GRADIENT * (radius - kinematics.R_SUN), 0.0)
            feh = np.clip(local + shift, *FEH_RANGE)
            star = {"feh": feh, "local_feh": np.clip(local, *FEH_RANGE), "age": _draw_age(draw[:, 2], component, here)}
            star["alpha_fe"] = populations.draw_alpha(draw[:, 3], feh, component)
            _evolved(draw[:, 4:8], star, component, here, binaries)
            far = 10.0 ** ((g[rows] - star["m_g"] - reddening[0] * ebv[rows] + 5) / 5)
            limit = populations.DISTANCE_LIMIT[component]
            radius, height = orbits.place(ra[rows], dec[rows], np.minimum(far, limit))
            weights = _odds(here, radius, height)
        accepted = truth.within(star["teff"], TEFF_RANGE) & truth.within(star["logg"], logg_range) & (far <= limit)
        star["teff"] = np.clip(star["teff"], *TEFF_RANGE)
        star["distance"], star["component"] = np.minimum(far, limit), component
        return star, accepted

    star = truth.repeat(len(index), TRIES, attempt)
    component = star.pop("component")
    # velocities follow the [Fe/H] among the neighbours: poorer stars of one place come from farther out
    velocity = kinematics.draw_velocities(seed, index, component, star.pop("local_feh"), star["age"])
    star.update(populations.draw_elements(seed, index, star["feh"], star["alpha_fe"], component == ACCRETED))
    star["pmra"], star["pmdec"], star["rv"] = kinematics.observe(ra, dec, star["distance"], velocity)
    kind = np.where(giant, 1, 0)
    names = np.array(populations.COMPONENTS)[component]
    return truth.frame(index, names, kind, ra, dec, ebv, star, truth.photometry(seed, index, star), reddening)


def draw_supergiant(config: Mapping) -> pd.DataFrame:
    """The yellow supergiant of Section 6.8, one row; it lies where its Gaia id says."""
    index = np.array([SUPERGIANT_NUMBER * FIELD_STEP], np.int64)
    lon, lat = HEALPix(nside=4096, order="nested").healpix_to_lonlat([SUPERGIANT_ID >> 35])
    ra, dec = lon.to_value(u.deg), lat.to_value(u.deg)
    star = {name: np.array([SUPERGIANT[name]]) for name in ("teff", "logg", "feh", "alpha_fe", "mass", "age")}
    log_l = evolution.LOGG_SUN + np.log10(star["mass"]) - star["logg"] + 4 * np.log10(star["teff"] / evolution.TEFF_SUN)
    star.update(luminosity=10.0**log_l, distance=np.array([1000 / SUPERGIANT["parallax"]]))
    star.update(is_binary=np.zeros(1, bool), mass_ratio=np.full(1, np.nan))
    star.update(populations.draw_elements(config["seed"], index, star["feh"], star["alpha_fe"], np.zeros(1, bool)))
    thin = np.zeros(1, np.int64)
    velocity = kinematics.draw_velocities(config["seed"], index, thin, star["feh"], star["age"])
    star["pmra"], star["pmdec"], star["rv"] = kinematics.observe(ra, dec, star["distance"], velocity)
    ebv = np.array([SUPERGIANT["av"] / AV_TO_EBV])
    absolute, names = truth.photometry(config["seed"], index, star), np.array(["supergiant"])
    return truth.frame(index, names, np.ones(1, np.int64), ra, dec, ebv, star, absolute, truth.reddening_of(config))


def field_places(piece: Shard, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (deg) of a shard's stars, uniform on the disc of its field."""
    draw = rnd.uniforms(seed, "rave/place", piece.index, 2)
    height = 1.0 - draw[:, 0] * (1.0 - np.cos(np.radians(piece.radius)))
    return offset(piece.ra, piece.dec, np.degrees(np.arccos(height)), 360.0 * draw[:, 1])


def true_stars(piece: Shard, config: Mapping) -> pd.DataFrame:
    """The stars of a shard, one row a star: columns of the truth, with `cluster` (text, empty: none) and `gaia_dr2_source_id`."""
    if piece.kind == "clusters":
        frames = []
        for name, number in cluster_numbers(config).items():
            known = cluster(name)
            members = draw_cluster_stars(number * FIELD_STEP + np.arange(known["members"], dtype=np.int64), known, config)
            frames.append(members.assign(cluster=name))
        if config["sky"]["rave"]["supergiant"]:
            frames.append(draw_supergiant(config).assign(cluster=""))
        stars = pd.concat(frames, ignore_index=True)
    else:
        ra, dec = field_places(piece, config["seed"])
        stars = draw_stars(piece.index, ra, dec, config, k2=piece.kind == "k2").assign(cluster="")
    stars["cluster"] = stars["cluster"].astype("str")
    return stars.assign(gaia_dr2_source_id=gaia_dr2_ids(stars), **_orbits(stars))


def gaia_dr2_ids(stars: pd.DataFrame) -> np.ndarray:
    """Ids built as Gaia's: HEALPix number of the place times 2^35, plus a number of the star alone; the supergiant has its own."""
    pixel = HEALPix(nside=4096, order="nested").lonlat_to_healpix(stars["ra"].to_numpy() * u.deg, stars["dec"].to_numpy() * u.deg)
    index = stars["star_index"].to_numpy(np.int64)
    ids = (np.asarray(pixel, np.int64) << 35) | ((index // FIELD_STEP) << 28) | (index % FIELD_STEP)
    return np.where(index // FIELD_STEP == SUPERGIANT_NUMBER, SUPERGIANT_ID, ids)


def _orbits(stars):
    now = orbits.phase_space(*(stars[c].to_numpy() for c in ("ra", "dec", "distance", "pmra", "pmdec", "rv")))
    return now | orbits.limits(*now.values())
