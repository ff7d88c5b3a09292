"""File formats that several catalogues share. No file carries a date, so equal rows give equal bytes."""

import gzip
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from ...io import atomic

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
    columns = []
    for column, form in formats.items():
        form, unit = (form, None) if isinstance(form, str) else form
        columns.append(fits.Column(name=column, format=form, unit=unit, array=(arrays or {}).get(column, _values(frame, column, form))))
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name=name)])
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    with atomic(path) as part:
        with open(part, "wb") as file:
            if gzipped:
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=4) as packed:
                    packed.write(buffer.getbuffer())
            else:
                file.write(buffer.getbuffer())


def _values(frame: pd.DataFrame, column: str, form: str) -> np.ndarray:
    count, kind = int(form[:-1] or 1), form[-1]
    n = len(frame)
    if column not in frame:
        filler = np.full(n, "" if kind == "A" else _MISSING.get(kind, np.nan))
    else:
        filler = frame[column].to_numpy()
    if kind == "A":
        return filler.astype(f"U{count}") if n else np.empty(0, f"U{count}")
    array = filler.astype({"D": "f8", "E": "f4", "K": "i8", "J": "i4", "I": "i2", "L": "bool"}[kind])
    return np.repeat(array[:, None], count, 1) if count > 1 else array


def write_text(
    path: str | Path, frame: pd.DataFrame, separator: str = ",", null: str = "", header: bool = True, above: str = "", gzipped: bool = False
):
    """Write a text table: `above` (lines in front of it), the column names, the rows with `null` for missing values."""
    text = above + frame.to_csv(index=False, sep=separator, na_rep=null, header=header, lineterminator="\n")
    with atomic(path) as part:
        if gzipped:
            with open(part, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=4) as packed:
                packed.write(text.encode("ascii"))
        else:
            part.write_text(text, encoding="ascii", newline="\n")


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
    dot = "." if point else ""

    def clock(total: int, unit: int, digits: int) -> str:
        seconds, part = divmod(total, unit)
        tail = f"{dot}{part:0{digits}d}" if digits else ""
        return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{tail}"

    signs = np.where(np.asarray(dec) < 0, "-", "+")
    names = [
        f"{prefix}{clock(h, ra_unit, ra_digits)}{s}{clock(a, dec_unit, dec_digits)}"
        for h, s, a in zip(hours.tolist(), signs.tolist(), arcs.tolist(), strict=True)
    ]
    return pd.array(names, dtype="str")
