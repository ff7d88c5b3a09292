"""Rows of a catalogue of CDS near the positions of another one, by the X-Match service (through astroquery), as Parquet.

A piece is a HEALPix cell. A catalogue row belongs to the cell of the uploaded position that is nearest to it, so that it stands in one
piece only though positions on both sides of a border match it; for that the positions just outside of the cell are uploaded too.
"""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from astroquery.exceptions import InvalidQueryError

from ..cells import cell_of, other_cells_within
from ..errors import InputError
from ..io import read_tables, write_table
from .arrived import described, finish, kept
from .query import native_columns
from .record import Record, redact
from .schema import nearest
from .votable import RefusedError
from .xmatch_service import DEC, NUMBER, RA, XMatchService

log = logging.getLogger(__name__)

WIDEST = 180.0             # arcsec, the service's limit
UPLOAD = 50_000            # positions at once; the service takes 100 MB, but its answer is held in memory
EXACT = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int16(): pd.Int16Dtype()}.get


def fetch(
    path: str | Path, details: Mapping, spec: Mapping, positions: Sequence[str | Path], dataset: str = "", attempts: int = 5,
    wait: float = 2.0, timeout: float = 300.0, upload: int = UPLOAD,
) -> Record:  # fmt: skip
    """Fetch the rows of a catalogue near the positions of a cell, unless they are there already.

    Parameters
    ----------
    path : path
        Parquet; it appears when it is whole, with its record `{path}.json`.
    details : mapping
        Of the piece (see `roads.Piece`): `catalogue`, `radius_arcsec`, `nside`, `cell`, and optionally `service`, `columns`.
    spec : mapping
        The dataset's entry: without `columns` the first known native name of each of its columns is kept.
    positions : sequence of path
        Tables with `ra`, `dec` (deg): all positions of the cell, and those within two radii of it (a position given twice counts once).
    attempts, wait, timeout : int, float, float
        Tries of each request, seconds before the second (doubled each time), seconds of silence that end one.
    upload : int
        Positions of one request.

    Raises
    ------
    InputError
        When the service has no such catalogue (the nearest names are told), refuses, or keeps failing.
    """
    path, started = Path(path), time.monotonic()
    catalogue, radius = details["catalogue"], float(details["radius_arcsec"])
    if not 0 < radius <= WIDEST:
        where, remedy = f"`radius_arcsec` of the road to {dataset}", f"The service matches within {WIDEST:g} arcsec at most"
        raise InputError(where, f"is {radius:g}", remedy)
    service = XMatchService(details.get("service"), attempts, wait, timeout)
    ra, dec, own = _within(positions, details["nside"], details["cell"], radius)
    digest = hashlib.sha256(np.concatenate([ra, dec]).tobytes()).hexdigest()[:16]
    where = f"in and around cell {details['cell']} of nside {details['nside']}"
    query = f"{catalogue} within {radius:g} arcsec of {len(ra)} positions (sha256 {digest}) {where}"
    if (found := kept(path, "xmatch", service.name, query)) is not None:
        return found
    try:
        fields, rows = _matched(service, ra, dec, catalogue, radius, upload)
    except (InvalidQueryError, RefusedError, ValueError) as error:
        raise _refusal(service, catalogue, error) from error
    present = [field.name for field in fields if field.name not in (NUMBER, RA, DEC)]
    names = details.get("columns") or native_columns(spec, present, f"{service.name}, catalogue {catalogue}")
    rows = _once(rows, names, ra, dec, own)
    columns = {f.name: described(f, service.name) for f in fields if f.name in names}
    write_table(path, rows, columns, {"dataset": dataset, "service": service.name, "query": query})
    record = Record(dataset, "xmatch", service=service.name, query=query, rows=len(rows))
    record.requests, record.retries = service.requests, service.patience.retries
    return finish(path, record, started)


def _within(paths: Sequence[str | Path], nside: int, cell: int, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct positions in a cell and within two radii of it, sorted; and whether each lies in the cell."""
    frame = read_tables(paths, ["ra", "dec"]) if paths else pd.DataFrame({"ra": [], "dec": []}, dtype=float)
    frame = frame.dropna().drop_duplicates().sort_values(["ra", "dec"])
    ra, dec = frame["ra"].to_numpy(np.float64), frame["dec"].to_numpy(np.float64)
    home = cell_of(ra, dec, nside)
    source, other = other_cells_within(ra, dec, home, nside, 2 * radius)
    wanted = home == cell
    wanted[source[other == cell]] = True
    return ra[wanted], dec[wanted], home[wanted] == cell


def _matched(service: XMatchService, ra: np.ndarray, dec: np.ndarray, catalogue: str, radius: float, upload: int) -> tuple[list, pa.Table]:
    """Fields and rows of all positions; without positions an answer is asked for all the same, for its columns."""
    if not len(ra):
        fields, rows = service.near(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), catalogue, 0.001)
        return fields, rows.slice(0, 0)
    found, numbers = [], np.arange(len(ra))
    for start in range(0, len(ra), upload):
        part = slice(start, start + upload)
        fields, rows = service.near(ra[part], dec[part], numbers[part], catalogue, radius)
        found.append(rows)
        log.info("%s: %d of %d positions, %d rows", catalogue, min(start + upload, len(ra)), len(ra), sum(map(len, found)))
    return fields, pa.concat_tables(found)


def _once(rows: pa.Table, names: Sequence[str], ra: np.ndarray, dec: np.ndarray, own: np.ndarray) -> pa.Table:
    """Each catalogue row once, if the position nearest to it lies in the cell; only the columns `names`, in the order of the positions."""
    chosen = rows.select(list(dict.fromkeys(names)))
    number = rows[NUMBER].to_numpy().astype(np.int64)
    # positions are sorted by ra and dec, so that of equally near ones the same comes first in every cell
    order = np.lexsort([number, rows["angDist"].to_numpy()])
    frame = chosen.take(order).to_pandas(types_mapper=EXACT)
    first = order[~frame.duplicated().to_numpy()]
    first = first[own[number[first]]] if len(own) else first
    return chosen.take(np.sort(first))


def _refusal(service: XMatchService, catalogue: str, error: Exception) -> InputError:
    """The error of a service that refuses, with the nearest names where it does not know the catalogue."""
    bare, where = catalogue.removeprefix("vizier:"), f"{service.name}, catalogue {catalogue}"
    known = service.patience.run(service.get_available_tables, service.name)
    if bare not in known:
        near = nearest(bare, known)
        return InputError(where, "is not there", f"Nearest names: {', '.join(near)}" if near else "Correct it")
    return InputError(where, f"refuses the request ({redact(error)})", "Correct the road in config/datasets.yaml")
