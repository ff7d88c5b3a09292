"""A look at what query services publish: columns and units of a table of a TAP service, of a catalogue of the X-Match service of CDS."""

import re
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import requests
from astroquery.xmatch import conf as xmatch_settings

from ..errors import InputError
from .compare import Seen, seen_columns
from .peek import Unreachable, reason
from .query import Selection
from .record import redact
from .service import GoneError, Patience, Session, passing
from .tap import TapService
from .votable import CutError, RefusedError, VotableStream

SAMPLE = 3                                   # rows asked for
COUNTED = 2_000_000                          # tables of at most so many (stated) rows are counted: larger ones cost the service minutes
PLACE = "in_ra,in_dec\n150.1,2.2\n"        # deg; any point does: only the columns of the answer count
ADDED = ("angDist", "in_ra", "in_dec")       # to the columns of the catalogue
_TYPES = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int16(): pd.Int16Dtype()}


class _Once(Patience):
    """One try: what is down now is told, not waited for."""

    def run(self, action, where: str):
        try:
            return action()
        except Exception as error:
            try:
                failure = passing(error, where)
            except GoneError as gone:
                raise Unreachable(gone.found) from None
            if failure is None:
                raise
            raise Unreachable(reason(failure)) from None


def look_at_table(spec: Mapping, details: Mapping, timeout: float) -> Seen:
    """Columns and units by its TAP_SCHEMA, some rows and, of a small table, their number.

    Parameters
    ----------
    spec : mapping
        The entry of the catalogue.
    details : mapping
        Of the piece: service, table; language, token (the name of an environment variable), where.
    timeout : float
        Seconds without a byte that end a request.

    Raises
    ------
    Unreachable
        When the service does not answer.
    InputError
        When it has no such table (the nearest names are told), refuses access, or the token is not set.
    """
    service = TapService(details["service"], details.get("language", "ADQL"), details.get("token"), 1, 0.0, timeout)
    service.patience = _Once(secret=service.session.secret)
    table, where = details["table"], f"{service.name}, table {details['table']}"
    units = {name: str(about["unit"] or "") for name, about in service.schema.columns(table).items()}
    seen = seen_columns(spec, units, units, where)
    seen.address = f"{service.name} {table}"
    wanted = tuple(dict.fromkeys(name for name in seen.names.values() if name))
    if not wanted:
        return seen
    selection = Selection(table, wanted, details.get("where"), None, service.language)
    try:
        rows = service.run(lambda: pa.concat_tables(list(service.answer(selection.text(SAMPLE)).pieces()) or [pa.table({})]))
    except RefusedError as error:
        raise InputError(where, f"refuses the columns that its schema names ({redact(error, service.session.secret)})", "") from error
    seen.sample = _sample(rows, wanted)
    expected = spec.get("source", {}).get("rows")
    if expected and expected <= COUNTED and not details.get("where"):
        try:
            seen.rows = service.count(selection)
        except Unreachable:
            pass
        seen.note = "" if seen.rows is not None else "its rows could not be counted"
    return seen


def _sample(rows: pa.Table, wanted: tuple[str, ...]) -> pd.DataFrame | None:
    """The rows as the reader of Parquet gives them; None where there are none, or the answer names its columns in another way."""
    if not rows.num_rows or rows.num_columns != len(wanted):
        return None
    frame = rows.to_pandas(types_mapper=_TYPES.get)
    frame.columns = list(wanted)
    return frame


def look_at_xmatch(spec: Mapping, details: Mapping, session: Session) -> Seen:
    """Columns and units of a catalogue, from a match with one position (whether or not that finds a row).

    Parameters
    ----------
    details : mapping
        catalogue (`vizier:...`), radius_arcsec.

    Raises
    ------
    Unreachable
        When the service does not answer.
    InputError
        When it has no such catalogue.
    """
    address, catalogue = details.get("service") or xmatch_settings.url, details["catalogue"]
    asked = {"request": "xmatch", "distMaxArcsec": details["radius_arcsec"], "RESPONSEFORMAT": "votable", "cat2": catalogue,
             "colRA1": "in_ra", "colDec1": "in_dec"}  # fmt: skip
    try:
        answer = session.post(address, data=asked, files={"cat1": ("one.csv", PLACE)})
    except requests.exceptions.RequestException as error:
        raise Unreachable(reason(error)) from error
    if answer.status_code in (400, 404):
        said = " ".join(re.sub("<[^>]*>", " ", answer.text).split())[:120]
        raise InputError(f"{address}, catalogue {catalogue}", f"is not served ({said})", "Correct `catalogue`")
    if answer.status_code != 200:
        raise Unreachable(f"HTTP {answer.status_code} {answer.reason}".strip())
    try:
        stream = VotableStream([answer.content], address)
        rows = pa.concat_tables(list(stream.pieces()))
    except (CutError, RefusedError, pa.ArrowException) as error:
        raise Unreachable(f"no VOTable came ({reason(error)})") from error
    units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in rows.schema if field.name not in ADDED}
    seen = seen_columns(spec, units, units, address)
    seen.sample, seen.address = _sample_of(seen, rows), f"{address} {catalogue}"
    return seen


def _sample_of(seen: Seen, rows: pa.Table) -> pd.DataFrame | None:
    wanted = tuple(dict.fromkeys(name for name in seen.names.values() if name))
    return _sample(rows.slice(0, SAMPLE).select(list(wanted)), wanted) if wanted else None
