"""Directions and motions of stars on the unit sphere.

Stars move in straight lines in space (no radial velocity), so a direction at time t is the normalised sum of the
direction at the epoch of the position and the motion times t: exact at the poles and at right ascension zero.
"""

from dataclasses import dataclass

import numpy as np

ARCSEC = np.pi / 648_000.0
GAIA_EPOCH = 2016.0


@dataclass(frozen=True)
class Positions:
    """Where sources are: arrays of one length.

    Attributes
    ----------
    ra, dec : ndarray
        ICRS, deg.
    epoch : ndarray or float
        Date of the positions, Julian year.
    pmra, pmdec : ndarray, optional
        Proper motion (the first including cos dec), mas/yr; NaN or None counts as zero.
    """

    ra: np.ndarray
    dec: np.ndarray
    epoch: np.ndarray | float = GAIA_EPOCH
    pmra: np.ndarray | None = None
    pmdec: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ra)

    def dates(self) -> np.ndarray:
        """Epoch of each row."""
        return np.broadcast_to(np.asarray(self.epoch, float), (len(self),))

    def usable(self) -> np.ndarray:
        """Mask of the rows that have a position and a date."""
        return np.isfinite(self.ra) & np.isfinite(self.dec) & np.isfinite(self.dates())


def unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Unit vectors, shape (n, 3), of positions in deg."""
    return _vectors(ra, dec)[0]


def motion_vectors(ra, dec, pmra, pmdec) -> np.ndarray:
    """Motion on the tangent plane as vectors, shape (n, 3), radians a year; missing motions are zero."""
    return _vectors(ra, dec, pmra, pmdec)[1]


def star_vectors(stars: Positions) -> tuple[np.ndarray, np.ndarray | None]:
    """Directions and motions of stars as `unit_vectors` and `motion_vectors` give them; no motions: None."""
    return _vectors(stars.ra, stars.dec, stars.pmra, stars.pmdec)


def _vectors(ra, dec, pmra=None, pmdec=None) -> tuple[np.ndarray, np.ndarray | None]:
    a, d = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    sin_a, cos_a, sin_d, cos_d = np.sin(a), np.cos(a), np.sin(d), np.cos(d)
    place = np.column_stack([cos_d * cos_a, cos_d * sin_a, sin_d])
    if pmra is None:
        return place, None
    east = np.nan_to_num(np.asarray(pmra, float)) * (ARCSEC / 1000)
    north = np.nan_to_num(np.asarray(pmdec, float)) * (ARCSEC / 1000)
    return place, np.column_stack([-sin_a * east - sin_d * cos_a * north, cos_a * east - sin_d * sin_a * north, cos_d * north])


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Vectors, shape (n, 3), scaled to length one."""
    x, y, z = vectors.T
    return vectors / np.sqrt(x * x + y * y + z * z)[:, None]


def propagate(ra, dec, pmra, pmdec, years) -> tuple[np.ndarray, np.ndarray]:
    """Move positions along their proper motions.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        deg, ICRS.
    pmra, pmdec : ndarray, shape (n,)
        mas/yr, the first including cos dec; NaN counts as zero.
    years : ndarray or float
        Time from the epoch of the positions, Julian years.

    Returns
    -------
    ra, dec : ndarray
        deg, 0 <= ra < 360 (The Hipparcos and Tycho Catalogues, ESA SP-1200, vol. 1, eq. 1.5.24, without radial velocity).
    """
    years = np.broadcast_to(np.asarray(years, float), np.shape(ra))
    star, motion = _vectors(ra, dec, pmra, pmdec)
    moved = star + motion * years[:, None]
    x, y, z = moved.T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def separation(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Angle between unit vectors, shape (n, 3) each, in arcsec; precise for the smallest ones."""
    x, y, z = (left - right).T
    return 2 * np.arcsin(np.minimum(np.sqrt(x * x + y * y + z * z) / 2, 1)) / ARCSEC


def separation_at(points: np.ndarray, star: np.ndarray, motion: np.ndarray | None, years: np.ndarray) -> np.ndarray:
    """Angle (arcsec) between points and stars moved for `years` (n,) each; unit and motion vectors, shape (n, 3)."""
    return separation(points, star if motion is None else normalised(star + motion * years[:, None]))


def pair_separation(left: Positions, gaia: Positions, i: np.ndarray, j: np.ndarray, move: bool = True) -> np.ndarray:
    """Separation (arcsec) of left rows `i` from Gaia rows `j`, each at the date of its left row."""
    moving = move and gaia.pmra is not None
    star, motion = _vectors(gaia.ra[j], gaia.dec[j], *((gaia.pmra[j], gaia.pmdec[j]) if moving else ()))
    return separation_at(unit_vectors(left.ra[i], left.dec[i]), star, motion, left.dates()[i] - gaia.dates()[j])
