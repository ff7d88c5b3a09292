"""FITS binary tables and Parquet files, read in slices."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from ..errors import InputError
from .common import Request, damaged, is_gzip, open_binary

COPY_BYTES = 16 << 20


def read_fits(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a FITS binary table through a memory map.

    format_options: `hdu` (number or name; by default the first table).  A gzipped file is unpacked into a temporary file
    first, because a compressed stream cannot be mapped.  A column of several values a row is used only where the
    column's entry states `index`.
    """
    with _plain(request) as path, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # truncation is checked below; odd units are reported later
        try:
            file = fits.open(path, memmap=True)
        except (OSError, ValueError) as error:
            raise InputError(request.path, f"is not a readable FITS file ({error})", "Fetch it again") from error
        with file:
            table = _table(request, file, path)
            columns = {c.name: c for c in table.columns}
            chosen = request.choose(list(columns))
            units = {n: c.unit for n, c in columns.items()}
            index = {n: request.spec["columns"][c].get("index") for c, n in chosen.items() if n}
            data, total = table.data, len(table.data) if table.data is not None else 0
            for start in range(0, max(total, 1), request.rows):
                part = data[start : start + request.rows]
                frame = pd.DataFrame({n: _values(request, part, columns[n], index[n]) for n in index})
                yield request.label(frame, chosen, units)


@contextmanager
def _plain(request: Request) -> Iterator[Path]:
    """The file itself, or a temporary unpacked copy."""
    if not is_gzip(request.path):
        yield request.path
        return
    with tempfile.TemporaryDirectory(dir=request.scratch) as folder:
        copy = Path(folder) / "table.fits"
        try:
            with damaged(request.path), open_binary(request.path) as source, open(copy, "wb") as target:
                shutil.copyfileobj(source, target, COPY_BYTES)
        except OSError as error:
            found = f"cannot be unpacked into {folder} ({error.strerror or error})"
            raise InputError(request.path, found, "Free space, or set TMPDIR to another folder") from error
        yield copy


def _table(request: Request, file: fits.HDUList, path: Path) -> fits.BinTableHDU:
    wanted = request.options.get("hdu")
    try:
        found = file[wanted] if wanted is not None else next((h for h in file if isinstance(h, fits.BinTableHDU)), None)
    except (KeyError, IndexError):
        found = None
    if not isinstance(found, fits.BinTableHDU):
        what = "no binary table" if wanted is None else f"no binary table as HDU {wanted!r}"
        raise InputError(request.path, f"has {what}", "Correct `hdu` in format_options, or fetch the file again")
    header = found.header
    need = found.fileinfo()["datLoc"] + header["NAXIS1"] * header["NAXIS2"]
    have = path.stat().st_size
    if have < need:
        found_text = f"is truncated: {have} bytes where its header announces at least {need}"
        raise InputError(request.path, found_text, "Fetch it again")
    return found


def _values(request: Request, part: fits.FITS_rec, column: fits.Column, index: int | None):
    """One column of a slice as a pandas array in native byte order."""
    values = part.field(column.name)
    if values.ndim > 1:
        if index is None:
            found = f"has {values.shape[1:]} values a row"
            raise InputError(f"{request.path}, column {column.name}", found, "State `index` for this column in config/datasets.yaml")
        values = values[:, index]
    if values.dtype.kind in "SU":
        text = np.asarray(values)
        text = np.char.strip(np.char.decode(text, "utf-8", "replace") if text.dtype.kind == "S" else text)
        return pd.array(np.where(text == "", None, text.astype(object)), dtype="str")
    values = np.array(values, dtype=values.dtype.newbyteorder("="))
    if column.null is not None and values.dtype.kind in "iu":
        return pd.arrays.IntegerArray(values.astype(np.int64), values == column.null)
    return values


def read_parquet(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a Parquet file; a unit may stand in a field's metadata under `unit`."""
    try:
        with pq.ParquetFile(request.path) as file:
            schema = file.schema_arrow
            chosen = request.choose(schema.names)
            wanted = list(dict.fromkeys(n for n in chosen.values() if n))
            units = {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in schema}
            mapper = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int16(): pd.Int16Dtype()}.get
            seen = 0
            for batch in file.iter_batches(batch_size=request.rows, columns=wanted):
                seen += batch.num_rows
                if batch.num_rows:
                    yield request.label(batch.to_pandas(types_mapper=mapper), chosen, units)
            if not seen:
                empty = pa.schema([schema.field(n) for n in wanted]).empty_table()
                yield request.label(empty.to_pandas(types_mapper=mapper), chosen, units)
    except (pa.ArrowException, OSError) as error:
        raise InputError(request.path, f"is not a whole Parquet file ({error})", "Fetch it again") from error
