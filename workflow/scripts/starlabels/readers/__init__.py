"""Native tables of the archives, read in pieces of bounded size whatever their format."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from ..errors import InputError
from . import binary, delimited, fixed, whole
from .common import Request

READERS = {
    "fits": binary.read_fits,
    "parquet": binary.read_parquet,
    "csv": delimited.read_delimited,
    "psv": delimited.read_delimited,
    "tsv": delimited.read_delimited,
    "ecsv": delimited.read_ecsv,
    "fixed_width": fixed.read_fixed_width,
    "votable": whole.read_votable,
    "cds": whole.read_cds,
}


def iter_native(path: str | Path, spec: Mapping, rows: int = 200_000, scratch: str | Path | None = None) -> Iterator[pd.DataFrame]:
    """Yield the native columns that a dataset needs, in pieces of at most `rows` rows.

    VOTable and CDS tables are read whole (they are small in this project); everything else is streamed, so that memory
    does not grow with the file.  A table without rows yields one empty piece.

    Parameters
    ----------
    path : path
        A native file; `.gz` is unpacked on the fly (FITS: into a temporary file).
    spec : mapping
        One entry of config/datasets.yaml: `format`, `format_options` and `columns` are used.
    rows : int
        Largest number of rows of a piece.
    scratch : path, optional
        Folder for the temporary copy of a gzipped FITS file; the system's one by default.

    Yields
    ------
    DataFrame
        Columns under their native names.  `attrs["names"]`: canonical -> native name (None: an optional column that the
        file lacks); `attrs["units"]`: native name -> unit as the file states it.  Integers are exact (nullable where the
        file has nulls); text columns that hold numbers stay text in formats without types.

    Raises
    ------
    InputError
        Missing, empty, truncated or damaged file; absent column (the nearest ones present are named); text in a number.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(path, "is a folder", "Name the file")
    if not path.exists():
        raise InputError(path, "does not exist", "Run the step that fetches or makes it, or correct `files` in the configuration")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "Check its rights") from error
    if path.stat().st_size == 0:
        raise InputError(path, "is empty (0 bytes)", "Fetch it again")
    if spec["format"] not in READERS:
        raise InputError(f"format of {path}", f"is {spec['format']!r}", f"Known formats: {', '.join(READERS)}")
    request = Request(path, spec, rows, Path(scratch) if scratch else None)
    yield from READERS[spec["format"]](request)
