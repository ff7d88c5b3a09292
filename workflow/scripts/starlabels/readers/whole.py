"""Formats that only astropy reads, and only whole: VOTable and CDS tables with a ReadMe."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from xml.parsers.expat import ExpatError

import pandas as pd
from astropy.io import ascii, votable
from astropy.io.votable.exceptions import VOTableSpecError
from astropy.table import Table, join
from astropy.utils.exceptions import AstropyWarning

from ..errors import InputError
from .common import Request, nullable, open_binary


def read_votable(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a VOTable, which is read whole.  format_options: `table`, its number in the file (from 0)."""
    number = request.options.get("table", 0)
    try:
        with warnings.catch_warnings(), open_binary(request.path) as stream:
            warnings.simplefilter("ignore", AstropyWarning)
            table = votable.parse(stream, table_number=number).get_table_by_index(number).to_table(use_names_over_ids=True)
    except (VOTableSpecError, ExpatError, IndexError, EOFError, OSError, ValueError) as error:
        raise InputError(request.path, f"is not a whole VOTable ({error})", "Fetch it again, or correct `table`") from error
    yield from _pieces(request, table)


def read_cds(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a CDS/MRT table, which is read whole.

    format_options: `readme` (name of the description beside the table; absent: the description stands in the file itself),
    `join`: {table, key}, a second table of the same ReadMe whose columns are added by an equal `key`.
    """
    options = request.options
    readme = str(request.path.parent / options["readme"]) if options.get("readme") else None
    table = _cds(request, request.path, readme)
    extra = options.get("join")
    if extra:
        other = _cds(request, request.path.parent / extra["table"], readme)
        new = [n for n in other.colnames if n == extra["key"] or n not in table.colnames]
        table = join(table, other[new], keys=extra["key"], join_type="left", metadata_conflicts="silent")
    yield from _pieces(request, table)


def _cds(request: Request, path, readme: str | None) -> Table:
    for needed in (path, readme):
        if needed is not None and not Path(needed).exists():
            raise InputError(needed, "does not exist", f"It belongs to the CDS table {request.path}; fetch it too")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return Table.read(path, readme=readme, format="ascii.cds")
    except (ascii.InconsistentTableError, OSError, ValueError, KeyError, IndexError, AttributeError) as error:
        # astropy ends in Index- and AttributeErrors on a ReadMe that it cannot follow
        remedy = "Fetch table and ReadMe again, or correct `readme` in format_options"
        raise InputError(path, f"cannot be read as a CDS table ({error})", remedy) from error


def _pieces(request: Request, table: Table) -> Iterator[pd.DataFrame]:
    chosen = request.choose(table.colnames)
    wanted = list(dict.fromkeys(n for n in chosen.values() if n))
    units = {n: table[n].unit.to_string() for n in wanted if table[n].unit is not None}
    frame = nullable(table[wanted].to_pandas())
    yield from request.pieces(request.label(frame, chosen, units))
