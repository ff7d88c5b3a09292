"""From true stars to what a catalogue can know: errors, limits, epochs, neighbours, identifiers (design sections 6.1, 6.3, 6.4).

Every random number comes from a stream keyed by (seed, survey and purpose, star), so that adding a survey or changing
the size of a piece leaves everything else as it was.

The frame `stars` of these functions has the columns of the truth (positions in deg at 2016.0, motions in mas/yr,
apparent magnitudes) and, once `with_neighbours` has made it, also `source_id`, `ebv_map`, `is_companion`,
`partner` (row of the neighbour, -1: none) and `separation` (arcsec, NaN: none).
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from astropy import units as u
from astropy_healpix import HEALPix

from .dustmap import map_at, true_ebv
from .layout import COMPANION, offset, running_number
from .random import normals, uniforms

#: sigma^2 = floor^2 + (s 10^(k (m - m0)))^2 and faint limit, mag (design section 6.1).
ERRORS = {
    "gaia_g": (0.0027553202, 0.0008, 15.0, 0.25, 20.7),
    "gaia_bp": (0.0027901700, 0.0028, 15.5, 0.33, 20.5),
    "gaia_rp": (0.0037793818, 0.0028, 15.0, 0.33, 20.0),
    "tmass_j": (0.021, 0.025, 14.2, 0.36, 16.3),
    "tmass_h": (0.022, 0.030, 13.7, 0.36, 15.6),
    "tmass_ks": (0.020, 0.030, 13.2, 0.36, 15.0),
    "wise_w1": (0.022, 0.020, 14.0, 0.36, 17.1),
    "wise_w2": (0.020, 0.030, 13.5, 0.37, 15.7),
    "sages_u": (0.007, 0.020, 16.5, 0.30, 20.4),
    "sages_v": (0.007, 0.020, 16.5, 0.30, 20.3),
    "galex_nuv": (0.010, 0.040, 18.5, 0.26, 22.0),
}
#: One-sigma error of a position in each coordinate, arcsec (design section 6.3).
POSITION_ERROR = {
    "sages": 0.08, "twomass": 0.08, "allwise": 0.10, "galex": 0.7, "lamost": 0.1, "apogee": 0.1, "rave5": 0.15, "pastel": 0.2, "vmp": 0.2,
}  # fmt: skip

LARGEST_ERROR = 0.4  # mag, a signal of 2.7 sigma; the errors at the limits are 0.13 to 0.33
NEIGHBOUR_SHARE = 0.03  # of the stars get a close neighbour
BLEND_ARCSEC = 3.0  # closer pairs are one source for WISE and GALEX
ZERO_POINT_SIGMA = 0.008  # u, v, mag, one value a pointing
ZERO_POINT_NSIDE = 64  # a pointing is about one square degree


def draw(config: Mapping, purpose: str, index, k: int | None = None, normal: bool = False) -> np.ndarray:
    """Uniform (or normal) numbers of stars: shape (n,), or (n, k) when k is given."""
    numbers = (normals if normal else uniforms)(config["seed"], purpose, np.asarray(index), 1 if k is None else k)
    return numbers[:, 0] if k is None else numbers


def photon_sigma(band: str, mag: np.ndarray) -> np.ndarray:
    """The part of a magnitude error that grows towards faint stars, mag."""
    _, s, m0, k, _ = ERRORS[band]
    return s * 10.0 ** (k * (np.asarray(mag) - m0))


def sigma(band: str, mag: np.ndarray) -> np.ndarray:
    """One-sigma error of a magnitude, mag."""
    return np.hypot(ERRORS[band][0], photon_sigma(band, mag))


def faint_limit(band: str) -> float:
    """Faintest magnitude that a catalogue lists."""
    return ERRORS[band][4]


def measure(config: Mapping, purpose: str, index: np.ndarray, band: str, mag: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A noisy magnitude, its error, and whether the catalogue lists it; arrays of shape (n,).

    Listed is what is measured above the faint limit by a star bright enough to be seen at all (true error below `LARGEST_ERROR`): the
    errors of far too faint stars are so large that many would otherwise scatter above the limit.
    """
    error = sigma(band, mag)
    seen = np.asarray(mag) + error * draw(config, f"{purpose}/{band}", index, normal=True)
    return seen, error, (seen <= faint_limit(band)) & (error < LARGEST_ERROR)


def parallax_sigma(g: np.ndarray) -> np.ndarray:
    """Parallax error in mas of a star of magnitude G (design section 6.1)."""
    z = 10.0 ** (0.4 * (np.maximum(g, 13.0) - 15.0))
    return 0.00105 * np.sqrt(40.0 + 800.0 * z + 30.0 * z**2)


def year_of_mjd(mjd) -> np.ndarray:
    """Julian year of a modified Julian date."""
    return 2000.0 + (np.asarray(mjd) - 51544.5) / 365.25


def at_epoch(stars: pd.DataFrame, year) -> tuple[np.ndarray, np.ndarray]:
    """Positions (deg) at a Julian year, moved from 2016.0 with the true proper motion."""
    step = (np.asarray(year) - 2016.0) / 3.6e6
    dec = stars["dec"].to_numpy()
    ra = stars["ra"].to_numpy() + step * stars["pmra"].to_numpy() / np.cos(np.radians(dec))
    return ra % 360.0, np.clip(dec + step * stars["pmdec"].to_numpy(), -90.0, 90.0)


def scatter(config: Mapping, survey: str, index, ra, dec, arcsec: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Positions with a survey's random error."""
    error = (POSITION_ERROR[survey] if arcsec is None else arcsec) / 3600.0
    shift = error * draw(config, f"{survey}/position", index, 2, normal=True)
    return (np.asarray(ra) + shift[:, 0] / np.cos(np.radians(dec))) % 360.0, np.clip(np.asarray(dec) + shift[:, 1], -90.0, 90.0)


def catalogue_position(config: Mapping, survey: str, stars: pd.DataFrame, year=2000.0, salt: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Positions as a survey lists them: moved to its epoch, with its error."""
    ra, dec = at_epoch(stars, year)
    error = POSITION_ERROR[survey]
    return scatter(config, f"{survey}{salt}", stars["star_index"], ra, dec, error)


def gaia_source_id(ra: np.ndarray, dec: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Ids built as Gaia's: HEALPix number at nside 4096 (nested) of the position times 2^35, plus a running number of 35 bits.

    The running number alone belongs to one star, so ids are unique whatever the positions.
    """
    pixel = HEALPix(nside=4096, order="nested").lonlat_to_healpix(np.asarray(ra) * u.deg, np.asarray(dec) * u.deg)
    return (np.asarray(pixel, dtype=np.int64) << 35) | running_number(index)


def zero_point(config: Mapping, band: str, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Field-to-field error of the u or v zero point, mag; one value a pointing (HEALPix nside 64)."""
    if not config["sky"]["zero_points"]:
        return np.zeros(len(ra))
    pixel = HEALPix(nside=ZERO_POINT_NSIDE, order="nested").lonlat_to_healpix(np.asarray(ra) * u.deg, np.asarray(dec) * u.deg)
    return ZERO_POINT_SIGMA * draw(config, f"zero_point/{band}", np.asarray(pixel, dtype=np.int64), normal=True)


def with_neighbours(stars: pd.DataFrame, config: Mapping, draw_stars: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Add close neighbours (3 % of the stars; 0.5 to 4 arcsec; 0 to 5 mag fainter in G), ids and the map's reddening.

    A neighbour is a field star of its own, `draw_stars(index, ra, dec, ebv, config)`, moved to the distance that
    gives the wanted magnitude; so it has its own colours, motion and labels.

    Returns
    -------
    DataFrame
        The stars, then the neighbours, with `source_id ebv_map is_companion partner separation` beside the columns of the truth.
    """
    index = stars["star_index"].to_numpy()
    has = np.flatnonzero(draw(config, "neighbour/choice", index) < NEIGHBOUR_SHARE)
    frames = [stars.assign(is_companion=False, partner=-1, separation=np.nan)]
    if len(has):
        place = draw(config, "neighbour/place", index[has], 3)
        separation = 0.5 + 3.5 * place[:, 0]
        ra, dec = offset(stars["ra"].to_numpy()[has], stars["dec"].to_numpy()[has], separation / 3600.0, 360.0 * place[:, 1])
        own = index[has] + COMPANION
        near = draw_stars(own, ra, dec, true_ebv(ra, dec, own, config), config)
        near = _move_to_magnitude(near, stars["gaia_g"].to_numpy()[has] + 5.0 * place[:, 2])
        frames[0].iloc[has, frames[0].columns.get_loc("partner")] = len(stars) + np.arange(len(has))
        frames[0].iloc[has, frames[0].columns.get_loc("separation")] = separation
        frames.append(near.assign(is_companion=True, partner=has, separation=separation))
    full = pd.concat(frames, ignore_index=True)
    full["ebv_map"] = map_at(full["ra"].to_numpy(), full["dec"].to_numpy(), config) if len(full) else np.empty(0)
    full["source_id"] = gaia_source_id(full["ra"].to_numpy(), full["dec"].to_numpy(), full["star_index"].to_numpy())
    return full


def _move_to_magnitude(stars: pd.DataFrame, g: np.ndarray) -> pd.DataFrame:
    """Change distances so that the stars get these G magnitudes; motions and parallaxes follow."""
    shift = g - stars["gaia_g"].to_numpy()
    ratio = 10.0 ** (0.2 * shift)
    moved = {band: stars[band].to_numpy() + shift for band in ERRORS}
    moved |= {name: stars[name].to_numpy() / ratio for name in ("parallax", "pmra", "pmdec")}
    return stars.assign(distance=stars["distance"].to_numpy() * ratio, **moved)


def blend(stars: pd.DataFrame, bands: tuple[str, ...], year) -> pd.DataFrame:
    """The sources of a survey that sees pairs closer than 3 arcsec as one: summed fluxes, position weighted by the first band.

    Returns
    -------
    DataFrame
        One row a source: `row` (of its star in `stars`; the brighter member is the primary), `star_index ra dec` (at `year`), the
        bands, `second` (row of the star that is blended into it, -1: none).
    """
    ra, dec = at_epoch(stars, year)
    mags = {band: stars[band].to_numpy().copy() for band in bands}
    partner = stars["partner"].to_numpy()
    swallowed = stars["is_companion"].to_numpy() & (stars["separation"].to_numpy() < BLEND_ARCSEC)
    c = np.flatnonzero(swallowed)
    p = partner[c]
    weight = 1.0 / (1.0 + 10.0 ** (0.4 * (mags[bands[0]][c] - mags[bands[0]][p])))
    # differences in RA are far below a degree, except across 0 h
    step = (ra[c] - ra[p] + 180.0) % 360.0 - 180.0
    ra[p], dec[p] = (ra[p] + weight * step) % 360.0, dec[p] + weight * (dec[c] - dec[p])
    for mag in mags.values():
        mag[p] = -2.5 * np.log10(10.0 ** (-0.4 * mag[p]) + 10.0 ** (-0.4 * mag[c]))
    second = np.full(len(stars), -1)
    second[p] = c
    own = stars["star_index"].to_numpy()
    frame = pd.DataFrame({"row": np.arange(len(stars)), "star_index": own, "ra": ra, "dec": dec, "second": second, **mags})
    return frame[~swallowed].reset_index(drop=True)
