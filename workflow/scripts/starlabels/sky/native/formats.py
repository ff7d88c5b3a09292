"""File formats that several catalogues share. No file carries a date, so equal rows give equal bytes."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
from astropy.io import fits

from ...io import atomic
from . import text

FITS_BLOCK = 2880
_MISSING = {"K": -9999, "J": -9999, "I": -9999}


def write_fits(
    path: str | Path, frame: pd.DataFrame, formats: Mapping[str, str | tuple[str, str]], name: str = "CATALOG", gzipped: bool = False,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:  # fmt: skip
    """Write a FITS binary table with the columns of `formats`, in that order.

    Parameters
    ----------
    formats : mapping
        Column -> FITS format (`D`, `E`, `K`, `J`, `I`, `20A`, `27E` ...) or (format, unit).  A column that the frame lacks is
        filled with NaN, -9999 or blanks; a column of several values a row takes the frame's value in all of them.
    gzipped : bool
        Compress the file (no name, no time in the gzip header).
    arrays : mapping, optional
        Columns of several values a row, shape (n, width).
    """
    stated = {column: (form, None) if isinstance(form, str) else form for column, form in formats.items()}
    columns = [fits.Column(name=column, format=form, unit=unit) for column, (form, unit) in stated.items()]
    # astropy makes the headers only: it would decode and encode every text of the rows
    table = fits.BinTableHDU.from_columns(columns, nrows=0, name=name)
    table.header["NAXIS2"] = len(frame)
    rows = np.empty(len(frame), table.columns.dtype.newbyteorder(">"))
    for column, (form, _) in stated.items():
        rows[column] = arrays[column] if arrays and column in arrays else _values(frame, column, form)
    with atomic(path) as part, _opened(part, gzipped) as file:
        file.write((fits.PrimaryHDU().header.tostring() + table.header.tostring()).encode("ascii"))
        file.write(rows.view(np.uint8))
        file.write(bytes(-rows.nbytes % FITS_BLOCK))


@contextmanager
def _opened(path: Path, gzipped: bool) -> Iterator[IO[bytes]]:
    """A file to write bytes to, compressed if asked for (no name, no time in the gzip header)."""
    with open(path, "wb") as file:
        if not gzipped:
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=4) as packed:
            yield packed


def _values(frame: pd.DataFrame, column: str, form: str) -> np.ndarray:
    count, kind = int(form[:-1] or 1), form[-1]
    n = len(frame)
    if column not in frame:
        filler = np.full(n, b"" if kind == "A" else _MISSING.get(kind, np.nan))
    else:
        filler = frame[column].to_numpy()
    if kind == "A":
        return filler.astype(f"S{count}")
    array = filler.astype({"D": "f8", "E": "f4", "K": "i8", "J": "i4", "I": "i2"}[kind])
    return np.repeat(array[:, None], count, 1) if count > 1 else array


def write_text(
    path: str | Path, frame: pd.DataFrame, separator: str = ",", null: str = "", header: bool = True, above: str = "", gzipped: bool = False
):
    """Write a text table: `above` (lines in front of it), the column names, the rows with `null` for missing values."""
    head = (above + (separator.join(frame.columns) + "\n" if header else "")).encode("ascii")
    with atomic(path) as part, _opened(part, gzipped) as file:
        file.write(head)
        for first in range(0, len(frame), text.ROWS):
            file.write(text.lines(frame.iloc[first : first + text.ROWS], separator, null))


def sexagesimal(
    ra: np.ndarray, dec: np.ndarray, prefix: str = "", ra_digits: int = 2, dec_digits: int = 1, point: bool = True
) -> np.ndarray:
    """Names made of positions, `HHMMSS.ss+DDMMSS.s` behind a prefix; digits are cut off, not rounded, as the IAU asks.

    Parameters
    ----------
    ra, dec : ndarray
        deg.
    ra_digits, dec_digits : int
        Decimals of the seconds of time and of arc.
    point : bool
        Whether decimal points are written (2MASS names have none).
    """
    ra_unit, dec_unit = 10**ra_digits, 10**dec_digits
    hours = np.floor(np.asarray(ra) / 15.0 * 3600.0 * ra_unit + 1e-6).astype(np.int64) % (86400 * ra_unit)
    arcs = np.floor(np.abs(dec) * 3600.0 * dec_unit + 1e-6).astype(np.int64)
    south = np.asarray(dec) < 0
    columns = [*_text(prefix), *_clock(hours, ra_unit, ra_digits, point), np.where(south, ord("-"), ord("+"))]
    columns += _clock(arcs, dec_unit, dec_digits, point)
    letters = np.empty((len(south), len(columns)), np.uint8)
    for place, column in enumerate(columns):
        letters[:, place] = column
    offsets = np.arange(0, letters.size + 1, max(letters.shape[1], 1), dtype=np.int64)
    names = pa.LargeStringArray.from_buffers(len(letters), pa.py_buffer(offsets), pa.py_buffer(letters))
    return pd.array(names, dtype="str")


def _text(text: str) -> list[int]:
    return list(text.encode("ascii"))


def _clock(total: np.ndarray, unit: int, digits: int, point: bool) -> list[np.ndarray | int]:
    """Letters of HHMMSS.ss, a column of them each."""
    seconds, part = np.divmod(total, unit)
    pairs = [seconds // 3600, seconds // 60 % 60, seconds % 60]
    letters = [letter for pair in pairs for letter in (pair // 10 + ord("0"), pair % 10 + ord("0"))]
    if digits:
        letters += _text("." if point else "") + [part // 10**k % 10 + ord("0") for k in range(digits - 1, -1, -1)]
    return letters
