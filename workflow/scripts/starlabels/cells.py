"""HEALPix cells: the pieces of the sky that one job works on (nested scheme, ICRS)."""

import numpy as np
from astropy import units as u
from astropy_healpix import HEALPix

from .errors import InputError

FINE_LEVEL = 16                # log2 of the resolution at which the way to the border of a cell is counted: 3.2 arcsec
NARROWEST = 0.66               # width of a row of HEALPix pixels over the side of a square of their area, anywhere on the sky, at least
#: directions of the eight neighbours in the axes of a cell (x to the north-east, y to the north-west), as astropy_healpix gives them
NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


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
    """Which foreign cells lie within a margin of each source, and some that lie a little further away.

    A source's place in its cell is counted in rows of tiny pixels from each of the four edges. Rows are at least NARROWEST times as
    wide as a square pixel, so a source within the margin of a cell is never missed, and none beyond 1.6 margins from its edge (3 from
    its corner) is taken.

    Parameters
    ----------
    ra, dec : ndarray
        Positions in deg.
    own : ndarray of int
        The cell that each source belongs to (its position may say another one: a Gaia id was given from another position).
    margin_arcsec : float
        Width of the margin.

    Returns
    -------
    index, cell : ndarray of int
        Pairs of a source's index and a foreign cell, sorted, each pair once.

    Raises
    ------
    InputError
        When the margin exceeds 3600 arcsec or the width of a cell.
    """
    if margin_arcsec <= 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if margin_arcsec > 3600:
        raise InputError("cells.margin_arcsec", f"is {margin_arcsec}", "Margins up to 3600 arcsec are supported")
    level = max(FINE_LEVEL - int(np.log2(nside)), 4)
    side = np.degrees(np.sqrt(np.pi / 3)) * 3600 / nside
    if margin_arcsec > NARROWEST * side:
        found = f"is {margin_arcsec}, but a cell (`cells.nside` {nside}) may be as narrow as {NARROWEST * side:.0f} arcsec"
        raise InputError("cells.margin_arcsec", found, "Use larger cells (a smaller `cells.nside`) or a narrower margin")
    tiny = cell_of(ra, dec, nside << level)
    here = tiny >> (2 * level)
    reach, last = int(margin_arcsec / (NARROWEST * side) * (1 << level)), (1 << level) - 1
    x, y = _every_second_bit(tiny, level), _every_second_bit(tiny >> 1, level)
    close = np.minimum(np.minimum(x, last - x), np.minimum(y, last - y)) <= reach
    source = np.flatnonzero(close | (here != own))
    x, y, here, own = x[source], y[source], here[source], np.asarray(own, np.int64)[source]
    cells, which = np.unique(here, return_inverse=True)
    with np.errstate(invalid="ignore"):                                      # some corners have three cells, not four: -1
        around = np.asarray(_healpix(nside).neighbours(cells))
    by_x = {-1: x <= reach, 0: True, 1: last - x <= reach}
    by_y = {-1: y <= reach, 0: True, 1: last - y <= reach}
    pairs = [source * (12 * nside**2) + here]
    belongs = [here != own]
    for (dx, dy), cell in zip(NEIGHBOURS, around, strict=True):
        foreign = cell[which]
        pairs.append(source * (12 * nside**2) + foreign)
        belongs.append(by_x[dx] & by_y[dy] & (foreign != own) & (foreign >= 0))
    found = np.unique(np.concatenate([p[b] for p, b in zip(pairs, belongs, strict=True)]))
    return found // (12 * nside**2), found % (12 * nside**2)


def _every_second_bit(numbers: np.ndarray, count: int) -> np.ndarray:
    """Bits 0, 2, 4 ... of each number, so many of them, side by side."""
    found = np.zeros(len(numbers), np.int64)
    for bit in range(count):
        found |= (numbers >> bit) & (1 << bit)
    return found
