"""A FITS binary table written piece by piece, so that its size is bounded by the disk and not by the memory.

A FITS table states its number of rows in the header, in front of the data. The rows are therefore counted first, the
header is written with that number, and the records (fixed length, big-endian; FITS 4.0 standard, Section 7.3) follow.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from .errors import InputError
from .io import atomic

BLOCK = 2880                       # bytes; header and data are padded to a multiple (FITS 4.0, Section 3.1)
FORMATS = {"f8": "D", "f4": "E", "i8": "K", "i4": "J", "i2": "I", "bool": "L"}


@dataclass(frozen=True)
class FitsColumn:
    """One column: its name, kind (`f8 f4 i8 i4 i2 bool`, or `S<n>` for text of n bytes), unit and description."""

    name: str
    kind: str
    unit: str = ""
    description: str = ""

    @property
    def form(self) -> str:
        """TFORM value of the column."""
        return f"{self.width}A" if self.is_text else FORMATS[self.kind]

    @property
    def is_text(self) -> bool:
        """Whether the column holds text."""
        return self.kind.startswith("S")

    @property
    def width(self) -> int:
        """Bytes of a text column."""
        return max(int(self.kind[1:]), 1)

    @property
    def record(self) -> str:
        """numpy type of the column inside a record: big-endian, logical values as one byte."""
        if self.is_text:
            return f"S{self.width}"
        return "u1" if self.kind == "bool" else f">{self.kind}"


class FitsTableWriter:
    """Write a FITS table of `rows` rows in pieces; the file appears only when all of them were written.

    Parameters
    ----------
    path : path
        Target; written under a temporary name beside it and renamed at the end.
    columns : sequence of FitsColumn
        The columns in their order.
    rows : int
        Number of rows that will be written.
    cards : iterable of (keyword, value, comment)
        Further header cards of the table. No date is written, so equal input gives equal bytes.
    name : str
        EXTNAME of the table.

    Raises
    ------
    InputError
        When fewer or more rows are written than announced, a text is longer than its column, or the disk is full.
    """

    def __init__(self, path, columns: Iterable[FitsColumn], rows: int, cards: Iterable[tuple] = (), name: str = "STARS"):
        self.path, self.columns, self.rows, self.name = Path(path), list(columns), int(rows), name
        self.cards, self.written = list(cards), 0
        self.record = np.dtype([(c.name, c.record) for c in self.columns])

    def __enter__(self) -> "FitsTableWriter":
        self._atomic = atomic(self.path)
        self._file = open(self._atomic.__enter__(), "wb")
        try:
            self._file.write(self._headers())
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _headers(self) -> bytes:
        """The empty primary header and the header of the table, padded."""
        with warnings.catch_warnings():
            # the paper's name "[Fe/H]" is allowed, though letters, digits and underscores are what the standard recommends
            warnings.filterwarnings("ignore", "It is strongly recommended that column names", VerifyWarning)
            columns = [fits.Column(name=c.name, format=c.form, unit=c.unit or None) for c in self.columns]
            empty = fits.BinTableHDU.from_columns(columns, nrows=0, name=self.name)
        header = empty.header
        header["NAXIS2"] = self.rows
        for number, column in enumerate(self.columns, 1):
            if column.description:
                header.set(f"TCOMM{number}", column.description)
        for keyword, value, comment in self.cards:
            if keyword in ("HISTORY", "COMMENT"):
                header[keyword] = value
            else:
                header[keyword] = (value, comment)
        primary = fits.PrimaryHDU().header
        return (primary.tostring() + header.tostring()).encode("ascii")

    def write(self, data: Mapping[str, np.ndarray]) -> None:
        """Append rows: for each column name an array; every array has the same length."""
        length = len(data[self.columns[0].name])
        records = np.zeros(length, self.record)
        for column in self.columns:
            values = np.asarray(data[column.name])
            if column.is_text:
                values = self._ascii(column, values.astype(str))
                longest = int(np.char.str_len(values).max(initial=0))
                if longest > column.width:
                    where = f"{self.path}, column {column.name}"
                    raise InputError(where, f"has a text of {longest} bytes", f"The column holds {column.width}")
            elif column.kind == "bool":
                values = np.where(values.astype(bool), ord("T"), ord("F"))
            records[column.name] = values
        self._file.write(records.tobytes())
        self.written += length

    def _ascii(self, column: FitsColumn, values: np.ndarray) -> np.ndarray:
        try:
            return np.char.encode(values, "ascii")
        except UnicodeEncodeError as error:
            found = f"has the text {error.object!r}, which is not ASCII"
            raise InputError(f"{self.path}, column {column.name}", found, "FITS knows ASCII only: correct the input") from error

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                if self.written != self.rows:
                    found = f"got {self.written} rows instead of {self.rows}"
                    raise InputError(self.path, found, "An input changed while it was read: run again")
                self._file.write(b"\0" * (-(self.written * self.record.itemsize) % BLOCK))
            self._file.close()
        except (InputError, OSError) as error:
            self._file.close()
            self._atomic.__exit__(type(error), error, error.__traceback__)
            raise
        return self._atomic.__exit__(kind, value, trace)
