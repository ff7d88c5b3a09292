"""HEALPix cells: the pieces of the sky that one job works on (nested scheme, ICRS)."""

import numpy as np
from astropy import units as u
from astropy.coordinates import offset_by
from astropy_healpix import HEALPix

from .errors import InputError


def _healpix(nside: int) -> HEALPix:
    return HEALPix(nside=nside, order="nested")


def cell_of(ra: np.ndarray, dec: np.ndarray, nside: int) -> np.ndarray:
    """Cell numbers of positions in deg (ICRS)."""
    return np.asarray(_healpix(nside).lonlat_to_healpix(np.asarray(ra) * u.deg, np.asarray(dec) * u.deg), dtype=np.int64)


def cell_of_gaia_id(source_id: np.ndarray, nside: int) -> np.ndarray:
    """Cell numbers from Gaia source ids, whose top bits are the HEALPix number at nside 4096 (Gaia DR3 data model)."""
    level = int(np.log2(nside))
    return (np.asarray(source_id, dtype=np.int64) >> 35) >> (2 * (12 - level))


def cells_in_disc(ra: float, dec: float, radius: float, nside: int) -> list[int]:
    """Every cell that touches a disc (deg), in rising order."""
    found = _healpix(nside).cone_search_lonlat(ra * u.deg, dec * u.deg, radius=radius * u.deg)
    return sorted(int(c) for c in found)


def cell_name(cell: int) -> str:
    """File-name form of a cell number, `00042`."""
    return f"{cell:05d}"


def other_cells_within(ra: np.ndarray, dec: np.ndarray, own: np.ndarray, nside: int, margin_arcsec: float) -> tuple[np.ndarray, np.ndarray]:
    """Which foreign cells lie within a margin of each source.

    Sources deep inside their cell, three quarters of them, are told by smaller cells. Around each of the others a ring of
    points finds the neighbouring cells. Eight directions at three times the margin find
    the sources that are near a border at all; 32 directions at 1.5 times the margin then settle those. A border at
    a distance below the margin is crossed by that ring whatever its direction, a corner down to an opening of 50 deg too.

    Parameters
    ----------
    ra, dec : ndarray
        Positions in deg.
    own : ndarray of int
        The cell that each source belongs to.
    margin_arcsec : float
        Width of the margin.

    Returns
    -------
    index, cell : ndarray of int
        Pairs of a source's index and a foreign cell, sorted, each pair once.
    """
    if margin_arcsec <= 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if margin_arcsec > 3600:
        raise InputError("cells.margin_arcsec", f"is {margin_arcsec}", "Margins up to 3600 arcsec are supported")
    ra, dec, own = np.asarray(ra, float), np.asarray(dec, float), np.asarray(own, np.int64)
    index = np.flatnonzero(~_deep_inside(ra, dec, own, nside, 3 * margin_arcsec))
    around = cell_of(*_offset(ra[index], dec[index], np.arange(8)[:, None] * 45.0, 3 * margin_arcsec), nside)
    index = index[(around != own[index]).any(axis=0)]
    if not len(index):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = []
    for scale in (0.75, 1.5):
        for angles in np.split(np.arange(32)[:, None] * 11.25, 4):
            cell = cell_of(*_offset(ra[index], dec[index], angles, scale * margin_arcsec), nside)
            angle, source = np.nonzero(cell != own[index])
            pairs.append(np.unique(index[source] * (12 * nside**2) + cell[angle, source]))
    found = np.unique(np.concatenate(pairs))
    return found // (12 * nside**2), found % (12 * nside**2)


def _deep_inside(ra: np.ndarray, dec: np.ndarray, own: np.ndarray, nside: int, distance_arcsec: float) -> np.ndarray:
    """Mask of sources that certainly lie in their own cell, farther than a distance from its border.

    The cell is divided into smaller cells, each at least as wide as the distance: those at its edge keep the others from the border.
    """
    # a cell is at least 0.68 times as wide as a square of its area
    finest = 0.6 * np.sqrt(np.pi / 3) / np.radians(distance_arcsec / 3600)
    level = int(np.floor(np.log2(max(finest / nside, 1))))
    if level < 2:
        return np.zeros(len(ra), bool)
    small = cell_of(ra, dec, nside << level)
    x = np.zeros(len(ra), np.int64)
    y = np.zeros(len(ra), np.int64)
    for bit in range(level):                                                # nested numbers: the bits of x and y in turns
        x |= (small >> bit) & (1 << bit)
        y |= (small >> (bit + 1)) & (1 << bit)
    last = (1 << level) - 1
    return (small >> (2 * level) == own) & (x > 0) & (x < last) & (y > 0) & (y < last)


def _offset(ra, dec, angle_deg, distance_arcsec):
    lon, lat = offset_by(ra * u.deg, dec * u.deg, angle_deg * u.deg, distance_arcsec * u.arcsec)
    return lon.deg, lat.deg
