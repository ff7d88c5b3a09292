"""E(B-V) of Schlegel, Finkbeiner & Davis (1998) at positions on the sky, read by `dustmaps` from a given folder.

The value is the raw SFD98 one: the coefficients of Table 1 belong to it, so no factor 0.86 is applied.
"""

import os
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from .errors import InputError

POLES = {"ngp": 90.0, "sgp": -90.0}
CHUNK = 500_000  # positions turned to Galactic coordinates at once
REMEDY = "Put SFD_dust_4096_ngp.fits and SFD_dust_4096_sgp.fits there, whole, or correct `dust.map`"


def _read_map(path: Path, pole_latitude: float) -> list:
    """Pixels and projection of one map; a file is refused that is missing, damaged, or of other axes or the other pole."""
    if not path.is_file():
        raise InputError(path, "does not exist", REMEDY)
    try:
        with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
            warnings.simplefilter("ignore")  # astropy warns of a truncated file, then fails; the failure is reported
            header, data = hdus[0].header, hdus[0].data
    except (OSError, TypeError, ValueError) as error:
        raise InputError(path, f"is not a readable FITS image ({error})", REMEDY) from error
    if data is None or data.ndim != 2:
        raise InputError(path, "holds no two-dimensional image", REMEDY)
    axes = (header.get("CTYPE1"), header.get("CTYPE2"))
    if axes != ("GLON-ZEA", "GLAT-ZEA"):
        raise InputError(f"{path}, CTYPE1 and CTYPE2", f"are {axes}; Galactic zenithal equal-area axes are expected", REMEDY)
    if header.get("CRVAL2") != pole_latitude:
        raise InputError(f"{path}, CRVAL2", f"is {header.get('CRVAL2')}; the map of the other pole?", REMEDY)
    if not np.isfinite(data).all():
        raise InputError(path, "has pixels that are not numbers", REMEDY)
    return [data.astype(data.dtype.newbyteorder("=")), WCS(header)]  # FITS has the other byte order, which every query would turn


@lru_cache(maxsize=1)
def _reader(folder: Path, written: tuple):
    """The query of a folder's maps, each read once a process; `written` tells files that were changed meanwhile."""
    maps = {pole: _read_map(_path(folder, pole), latitude) for pole, latitude in POLES.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dustmaps warns that it has no configuration file, which is not used
        from dustmaps.sfd import SFDQuery

    class Query(SFDQuery):
        def __init__(self):  # its own would read the files again
            self._data = maps

    return Query()


def _path(folder: Path, pole: str) -> Path:
    return folder / f"SFD_dust_4096_{pole}.fits"


def _written(path: Path) -> tuple | None:
    """Size and time of a file; None where there is none, which the reading reports."""
    if not path.is_file():
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def query_sfd(ra: np.ndarray, dec: np.ndarray, folder: str | os.PathLike) -> np.ndarray:
    """Interpolate (linearly) the SFD98 maps of a folder at ICRS positions.

    Nothing is downloaded and no setting of `dustmaps` is read or written: the maps are given to it. They are read and checked at the
    first call and stay in memory (128 MiB), since a job asks piece by piece.

    Parameters
    ----------
    ra, dec : ndarray (n,)
        Positions in deg (ICRS); NaN gives NaN.
    folder : path
        Holds SFD_dust_4096_ngp.fits and SFD_dust_4096_sgp.fits.

    Returns
    -------
    ndarray (n,) of float64
        E(B-V) in mag; the map's own float32 precision.

    Raises
    ------
    InputError
        When a map is missing, damaged or not an SFD map.
    """
    folder = Path(folder)
    query = _reader(folder, tuple(_written(_path(folder, pole)) for pole in POLES))
    ra, dec = np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)
    out = np.full(len(ra), np.nan)
    good = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    for start in range(0, len(good), CHUNK):
        part = good[start:start + CHUNK]
        out[part] = query(SkyCoord(ra[part] * u.deg, dec[part] * u.deg, frame="icrs"))
    return out
