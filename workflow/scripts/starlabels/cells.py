"""HEALPix cells: the pieces of the sky that one job works on (nested scheme, ICRS)."""

import numpy as np
from astropy import units as u
from astropy.coordinates import offset_by
from astropy_healpix import HEALPix

from .errors import InputError

FINE_LEVEL = 13                # log2 of the resolution at which depths below the border of a cell are counted: 26 arcsec


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

    Sources deep inside their cell are told by the number of their cell at a high resolution. Around each of the others a ring of
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
    depth = _depth(ra, dec, own, nside)
    index = np.flatnonzero(depth <= 3 * margin_arcsec)
    around = cell_of(*_offset(ra[index], dec[index], np.arange(8)[:, None] * 45.0, 3 * margin_arcsec), nside)
    index = index[(around != own[index]).any(axis=0) & (depth[index] <= 1.5 * margin_arcsec)]    # deeper: no ring reaches the border
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


def _depth(ra: np.ndarray, dec: np.ndarray, own: np.ndarray, nside: int) -> np.ndarray:
    """Arcsec that a source is away from the border of its cell at least; 0 where it lies in another one.

    Counts the rows of tiny cells between source and border. Cells are at least 0.67 times as wide as a square of their area.
    """
    level = FINE_LEVEL - int(np.log2(nside))
    if level < 1:
        return np.zeros(len(ra))
    tiny = cell_of(ra, dec, 1 << FINE_LEVEL)
    x, y = np.zeros(len(tiny), np.int32), np.zeros(len(tiny), np.int32)
    for bit in range(level):                                                # nested numbers: the bits of x and y in turns
        x |= ((tiny >> bit) & (1 << bit)).astype(np.int32)
        y |= ((tiny >> (bit + 1)) & (1 << bit)).astype(np.int32)
    last = (1 << level) - 1
    rows = np.minimum(np.minimum(x, last - x), np.minimum(y, last - y))
    width = 0.66 * np.degrees(np.sqrt(np.pi / 3)) * 3600 / (1 << FINE_LEVEL)
    return np.where(tiny >> (2 * level) == own, rows * width, 0.0)


def _offset(ra, dec, angle_deg, distance_arcsec):
    lon, lat = offset_by(ra * u.deg, dec * u.deg, angle_deg * u.deg, distance_arcsec * u.arcsec)
    return lon.deg, lat.deg
