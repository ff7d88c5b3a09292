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
    a, d = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    return np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def motion_vectors(ra, dec, pmra, pmdec) -> np.ndarray:
    """Motion on the tangent plane as vectors, shape (n, 3), radians a year; missing motions are zero."""
    a, d = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    east = np.nan_to_num(np.asarray(pmra, float)) * (ARCSEC / 1000)
    north = np.nan_to_num(np.asarray(pmdec, float)) * (ARCSEC / 1000)
    return np.column_stack([
        -np.sin(a) * east - np.sin(d) * np.cos(a) * north,
        np.cos(a) * east - np.sin(d) * np.sin(a) * north,
        np.cos(d) * north,
    ])


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
    moved = unit_vectors(ra, dec) + motion_vectors(ra, dec, pmra, pmdec) * years[:, None]
    x, y, z = moved.T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def separation(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Angle between unit vectors, shape (n, 3) each, in arcsec; precise for the smallest ones."""
    x, y, z = (left - right).T
    return 2 * np.arcsin(np.minimum(np.sqrt(x * x + y * y + z * z) / 2, 1)) / ARCSEC


def pair_separation(left: Positions, gaia: Positions, i: np.ndarray, j: np.ndarray, move: bool = True) -> np.ndarray:
    """Separation (arcsec) of left rows `i` from Gaia rows `j`, each at the date of its left row."""
    star = unit_vectors(gaia.ra[j], gaia.dec[j])
    if move and gaia.pmra is not None:
        years = left.dates()[i] - gaia.dates()[j]
        star = normalised(star + motion_vectors(gaia.ra[j], gaia.dec[j], gaia.pmra[j], gaia.pmdec[j]) * years[:, None])
    return separation(unit_vectors(left.ra[i], left.dec[i]), star)
