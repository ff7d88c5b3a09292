"""The true stars of the simulated sky: everything about a star that no survey has touched yet.

A star is a function of the seed and its index (and of the place and reddening that the caller gives it). Field stars have a
G magnitude from an exponential law and the distance that follows from it; a star that this puts beyond the reach of its
component (4, 9, 25 kpc), or outside the temperatures that the colours cover, is drawn again, at most `TRIES` times,
each time from numbers of its own. No result depends on the other stars of the call.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import offset_by

from ..errors import InputError
from . import colours, evolution, kinematics, populations, remnants, truth
from . import random as rnd
from .truth import COLUMNS, reddening_of

__all__ = ["COLUMNS", "draw_cluster_stars", "draw_field_stars", "reddening_of"]

G_RANGE = (11.0, 18.0)
G_SCALE = 2.2  # mag in which the density of field stars grows by e
TRIES = 8
CLUSTER_TRIES = 24
CLUSTER_PM_SCATTER = 0.15  # mas/yr
CLUSTER_RV_SCATTER = 1.5  # km/s


def _draw_g(u, g_range):
    low, high = g_range
    return low + G_SCALE * np.log1p(u * np.expm1((high - low) / G_SCALE))


def _distance(g, m_g, red_g, ebv):
    return 10.0 ** ((g - m_g - red_g * ebv + 5) / 5)


def draw_field_stars(
    index: np.ndarray, ra: np.ndarray, dec: np.ndarray, ebv: np.ndarray, config: Mapping, g_range: tuple[float, float] | None = None
) -> pd.DataFrame:
    """True stars of the general field.

    Parameters
    ----------
    index : array of int64, shape (n,)
        Star indices; with the seed they fix everything but position and reddening.
    ra, dec : ndarray, shape (n,)
        ICRS, epoch 2016.0, deg.
    ebv : ndarray, shape (n,)
        True E(B-V), mag.
    config : mapping
        The whole configuration: `seed`, `sky.binaries`, `sky.metal_poor_boost` (default 0.05), `sky.g_range`, `sages.bands`.
    g_range : (float, float), optional
        Apparent G between which stars are drawn; default `sky.g_range`, else 11-18.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: deg, pc, mas, mas/yr, km/s, solar masses, Gyr, K, dex, mag. Labels of white dwarfs and hot
        subdwarfs are NaN, `mass_ratio` of single stars too.

    Raises
    ------
    InputError
        When `sages.bands` lacks a band or the range of G is empty.
    """
    index, ra, dec, ebv = np.asarray(index, np.int64), np.asarray(ra, float), np.asarray(dec, float), np.asarray(ebv, float)
    seed, sky, reddening = config["seed"], config["sky"], reddening_of(config)
    g_range = tuple(g_range if g_range is not None else sky.get("g_range", G_RANGE))
    if not g_range[0] < g_range[1]:
        raise InputError("sky.g_range", f"is {list(g_range)}", "Give the bright limit first and a fainter second one")
    component, boosted = populations.draw_components(seed, index, sky.get("metal_poor_boost", 0.05))

    def attempt(number, rows):
        u, part = rnd.uniforms(seed, f"true/star/{number}", index[rows], 10), component[rows]
        feh = populations.draw_feh(u[:, 0:2], part, boosted[rows])
        star = {"feh": feh, "age": populations.draw_age(u[:, 2], part), "alpha_fe": populations.draw_alpha(u[:, 3], feh, part)}
        zeta = evolution.zeta_of(feh, star["alpha_fe"])
        share = np.where(boosted[rows], populations.BOOST_GIANT_SHARE, populations.GIANT_SHARE)
        giant, mass_to = u[:, 4] < share, evolution.turn_off_mass(star["age"], zeta)
        star["mass"], star["luminosity"], star["teff"] = truth.evolve(
            u[:, 5:7], giant, mass_to, star["age"], zeta, populations.CLUMP_SHARE[part], weight=populations.GIANT_WEIGHT[part]
        )
        accepted = truth.within(star["teff"], truth.TEFF_RANGE)
        star["teff"] = np.clip(star["teff"], *truth.TEFF_RANGE)
        truth.companions(u[:, 8:10], star, ~giant & bool(sky["binaries"]))
        far = _distance(_draw_g(u[:, 7], g_range), star["m_g"], reddening[0], ebv[rows])
        limit = populations.DISTANCE_LIMIT[part]
        star["distance"] = np.minimum(far, limit)
        return star, accepted & (far <= limit)

    star = truth.repeat(len(index), TRIES, attempt)
    return _field_frame(index, ra, dec, ebv, config, g_range, star, component)


def _field_frame(index, ra, dec, ebv, config, g_range, star, component):
    seed, reddening = config["seed"], reddening_of(config)
    remnant, white = remnants.draw_remnants(seed, index)
    component = np.where(remnant, populations.THIN, component)
    velocity = kinematics.draw_velocities(seed, index, component, star["feh"], star["age"])
    star.update(populations.draw_elements(seed, index, star["feh"], star["alpha_fe"], component == populations.ACCRETED))
    absolute = truth.photometry(seed, index, star)
    if remnant.any():
        absolute[remnant] = remnants.magnitudes(seed, index[remnant], white[remnant])
        g = _draw_g(rnd.uniforms(seed, "true/remnant_g", index[remnant], 1)[:, 0], g_range)
        star["distance"][remnant] = np.minimum(
            _distance(g, absolute[remnant, 0], reddening[0], ebv[remnant]), populations.DISTANCE_LIMIT[populations.THIN]
        )
        for name in ("age", "teff", "logg", "feh", "alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe", "mass_ratio"):
            star[name][remnant] = np.nan
        star["mass"][remnant] = np.where(white[remnant], 0.60, 0.47)
        star["is_binary"][remnant] = False
    pmra, pmdec, star["rv"] = kinematics.observe(ra, dec, star["distance"], velocity)
    star["pmra"], star["pmdec"] = kinematics.force_fast(seed, index, pmra, pmdec)
    kind = np.where(star["logg"] < colours.LOGG_GIANT, 1, 0)
    kind = np.where(remnant, np.where(white, 2, 3), kind)
    names = np.array(populations.COMPONENTS)[component]
    return truth.frame(index, names, kind, ra, dec, ebv, star, absolute, reddening)


def draw_cluster_stars(index: np.ndarray, cluster: Mapping, config: Mapping) -> pd.DataFrame:
    """True members of a cluster, one for each index.

    They share distance, age, reddening, [alpha/Fe] and (but for `feh_spread`) [Fe/H]. Places follow a Plummer profile cut
    at the cluster's radius; motions scatter by 0.15 mas/yr in each axis. Giants are drawn above the luminosity
    that is seen at `g_max`, uniformly in time.

    Parameters
    ----------
    index : array of int64, shape (n,)
        Star indices.
    cluster : mapping
        One entry of `clusters.CLUSTERS`.
    config : mapping
        The whole configuration: `seed`, `sky.binaries`, `sages.bands`.

    Returns
    -------
    DataFrame
        Columns as in `draw_field_stars`; `component` is the cluster's name.
    """
    index = np.asarray(index, np.int64)
    seed, reddening, n = config["seed"], reddening_of(config), len(index)
    name = f"cluster/{cluster['name']}"
    ebv = np.full(n, float(cluster["ebv"]))
    modulus = 5 * np.log10(cluster["distance"] / 10) + reddening[0] * cluster["ebv"]
    m_g_range = (cluster["g_min"] - modulus, cluster["g_max"] - modulus)
    # without a bolometric correction: a little too faint, never too bright; the rest is rejected
    luminosity_min = 10.0 ** (0.4 * (colours.MBOL_SUN - m_g_range[1]))
    clump_share = populations.CLUMP_SHARE[populations.THIN if cluster["age"] < 6 else populations.ACCRETED]
    shared = rnd.normals(seed, f"{name}/feh", index, 2)
    alpha = np.full(n, float(cluster["alpha_fe"]))
    feh = np.clip(cluster["feh"] + cluster["feh_spread"] * shared[:, 0], *populations.FEH_LIMITS)
    zeta, age = evolution.zeta_of(feh, alpha), np.full(n, float(cluster["age"]))
    # the two clusters of 0.12 Gyr have dwarfs too hot for the colours above 2 solar masses; in the others the turn-off lies below
    mass_to = np.minimum(evolution.turn_off_mass(age, zeta), 2.0)

    def attempt(number, rows):
        u = rnd.uniforms(seed, f"{name}/{number}", index[rows], 5)
        giant = u[:, 0] < cluster["giant_share"]
        star = {}
        star["mass"], star["luminosity"], star["teff"] = truth.evolve(
            u[:, 1:3], giant, mass_to[rows], age[rows], zeta[rows], clump_share, luminosity_min
        )
        accepted = truth.within(star["teff"], truth.TEFF_RANGE)
        star["teff"] = np.clip(star["teff"], *truth.TEFF_RANGE)
        truth.companions(u[:, 3:5], star, ~giant & bool(config["sky"]["binaries"]))
        return star, accepted & truth.within(star["m_g"], m_g_range)

    star = truth.repeat(n, CLUSTER_TRIES, attempt)
    star.update(feh=feh, alpha_fe=alpha, age=age, distance=np.full(n, float(cluster["distance"])))
    star.update(populations.draw_elements(seed, index, feh, alpha, np.zeros(n, bool)))
    motion = rnd.normals(seed, f"{name}/motion", index, 3)
    star["pmra"] = cluster["pmra"] + CLUSTER_PM_SCATTER * motion[:, 0]
    star["pmdec"] = cluster["pmdec"] + CLUSTER_PM_SCATTER * motion[:, 1]
    star["rv"] = cluster["rv"] + CLUSTER_RV_SCATTER * motion[:, 2]
    ra, dec = _cluster_positions(rnd.uniforms(seed, f"{name}/place", index, 2), cluster)
    kind = np.where(star["logg"] < colours.LOGG_GIANT, 1, 0)
    names = np.full(n, cluster["name"])
    return truth.frame(index, names, kind, ra, dec, ebv, star, truth.photometry(seed, index, star), reddening)


def _cluster_positions(draw, cluster):
    core = cluster["radius"] / 3  # of a projected Plummer profile, cut at the radius: 90 % of its stars
    share = 0.9 * draw[:, 0]
    radius = core * np.sqrt(share / (1 - share))
    lon, lat = offset_by(cluster["ra"] * u.deg, cluster["dec"] * u.deg, 360 * draw[:, 1] * u.deg, radius * u.deg)
    return lon.wrap_at(360 * u.deg).deg % 360.0, lat.to_value(u.deg)
