"""Files of RAVE DR6 spectra: an empty first unit with the card ROI, images SPECTRUM and ERROR, a linear wavelength scale."""

import gzip
import math
import os
from collections.abc import Iterator
from functools import cache

import numpy as np
from astropy import units
from astropy.io import fits

from .spectra import NO_ERROR, NO_SPECTRUM, NO_WAVELENGTH, OTHER_ID, UNREADABLE, WRONG_UNIT, RefusedError, Spectrum

BLOCK = 2880                       # bytes; headers and data of FITS are padded to a multiple
END = b"END".ljust(80)
TYPES = {8: np.dtype("u1"), 16: np.dtype(">i2"), 32: np.dtype(">i4"), 64: np.dtype(">i8"), -32: np.dtype(">f4"), -64: np.dtype(">f8")}
_ANGSTROM = ("angstrom", "angstroms", "ang", "aa", "a")


def id_of(path: str | os.PathLike) -> str:
    """The id that a file's name states: `RAVE_<rave_obs_id>.fits`, perhaps compressed."""
    return os.path.basename(path).removesuffix(".gz").removesuffix(".fits").removeprefix("RAVE_")


def read_spectrum(path: str | os.PathLike) -> Spectrum:
    """Read a file of RAVE DR6: card ROI, extensions SPECTRUM and ERROR, linear wavelength in the header of SPECTRUM.

    Raises
    ------
    RefusedError
        When the file cannot serve.
    OSError
        When it cannot be opened at all.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        images = list(_images(content))
    except Exception as problem:             # broken bytes lead to whatever the parsers stumble on: ValueError, KeyError, EOFError
        raise RefusedError(UNREADABLE) from problem
    if not images:
        raise RefusedError(UNREADABLE)
    name = str(images[0][0].get("ROI", "")).strip()
    if name != id_of(path):
        raise RefusedError(OTHER_ID)
    named = {str(header.get("EXTNAME", "")).strip().upper(): (header, data) for header, data in images[1:] if data is not None}
    if "SPECTRUM" not in named:
        raise RefusedError(NO_SPECTRUM)
    header, flux = named["SPECTRUM"]
    _, error = named.get("ERROR", (None, np.empty(0)))
    if len(error) != len(flux):
        raise RefusedError(NO_ERROR)
    wavelength = _wavelength(header, len(flux))
    if wavelength[0] > wavelength[-1]:
        wavelength, flux, error = wavelength[::-1], flux[::-1], error[::-1]
    return Spectrum(name, wavelength, flux, error)


def _images(content: bytes) -> Iterator[tuple[fits.Header, np.ndarray | None]]:
    """Header and values (one row, None for anything but an image) of each unit of a FITS file.

    Astropy reads the headers; the blocks are walked here, because its list of units takes three times as long for small files.
    """
    start = 0
    while start < len(content):
        end = content.index(END, start)
        while (end - start) % 80:
            end = content.index(END, end + 1)
        data = start + -(-(end + 80 - start) // BLOCK) * BLOCK
        header = fits.Header.fromstring(content[start:end + 80])
        shape = [int(header[f"NAXIS{k + 1}"]) for k in range(int(header["NAXIS"]))]
        kind = TYPES[int(header["BITPIX"])]
        number = math.prod(shape) if shape else 0
        size = kind.itemsize * int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + number)
        values = None
        if number and header.get("XTENSION", "IMAGE").strip() == "IMAGE":
            values = np.frombuffer(content, kind, number, data).astype(np.float64)
            if "BSCALE" in header or "BZERO" in header:
                values = values * float(header.get("BSCALE", 1.0)) + float(header.get("BZERO", 0.0))
        elif data + size > len(content):
            raise ValueError("the data end too early")
        yield header, values
        start = data + -(-size // BLOCK) * BLOCK


def _wavelength(header: fits.Header, n: int) -> np.ndarray:
    """Wavelength of each pixel in Angstrom: CRVAL1 + (i + 1 - CRPIX1) CDELT1."""
    first, reference, step = (header.get(key) for key in ("CRVAL1", "CRPIX1", "CDELT1"))
    step = header.get("CD1_1") if step is None else step
    numbers = all(isinstance(value, (int, float)) and np.isfinite(value) for value in (first, reference, step))
    if not numbers or step == 0 or n < 2 or "LOG" in str(header.get("CTYPE1", "")).upper() or header.get("DC-FLAG"):
        raise RefusedError(NO_WAVELENGTH)
    factor = _angstroms(str(header.get("CUNIT1", "")).strip())
    if factor is None:
        raise RefusedError(WRONG_UNIT)
    return (first + (np.arange(n) + 1 - reference) * step) * factor


@cache
def _angstroms(unit: str) -> float | None:
    """Angstrom in a unit, None when it is no length."""
    if unit.lower() in _ANGSTROM:
        return 1.0
    try:
        return float(units.Unit(unit).to(units.AA))
    except (ValueError, TypeError, units.UnitConversionError):
        return None
