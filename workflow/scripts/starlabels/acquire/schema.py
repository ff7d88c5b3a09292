"""What a TAP service says it has: tables and columns of its TAP_SCHEMA, and the nearest names for one that it does not know."""

import difflib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import requests

from ..errors import InputError
from .query import Selection, literal
from .record import redact
from .votable import RefusedError

if TYPE_CHECKING:
    from .tap import TapService

ROWS_AT_MOST = 100_000
FIX = "Correct `table`, `columns`, `where` or `slices` of the road in config/datasets.yaml"


class Schema:
    """The TAP_SCHEMA of a service, asked once a process."""

    def __init__(self, service: "TapService"):
        self.service = service
        self._columns = lru_cache(None)(self._ask_columns)

    def columns(self, table: str) -> dict[str, dict]:
        """Column name -> `unit` and `datatype` as the service states them.

        Raises
        ------
        InputError
            When the service has no such table; the nearest names are told.
        """
        found = self._columns(table)
        if not found:
            near = nearest(table, self.tables())
            remedy = f"Nearest names: {', '.join(near)}" if near else "Correct `table` of the road in config/datasets.yaml"
            raise InputError(f"{self.service.name}, table {table}", "does not exist", remedy)
        return found

    def _ask_columns(self, table: str) -> dict[str, dict]:
        bare = table.replace('"', "")
        names = ", ".join(literal(name) for name in dict.fromkeys([table, bare, f'"{bare}"', bare.lower(), bare.rpartition(".")[2]]))
        # `unit` and `datatype` only: some services lack the optional columns of TAP_SCHEMA
        rows = self._ask(f"SELECT column_name, unit, datatype FROM TAP_SCHEMA.columns WHERE table_name IN ({names})")
        return {row["column_name"].strip('"'): {"unit": row["unit"], "datatype": row["datatype"]} for row in rows}

    def tables(self) -> list[str]:
        """Names of all tables."""
        return [row["table_name"].strip('"') for row in self._ask("SELECT table_name FROM TAP_SCHEMA.tables")]

    def _ask(self, query: str) -> list[dict]:
        try:
            return self.service.rows(query, ROWS_AT_MOST)
        except (RefusedError, requests.RequestException) as error:
            found = f"does not answer about its schema ({redact(error, self.service.session.secret)})"
            raise InputError(self.service.name, found, "State `columns` of the road, which then need not be looked up") from error

    def explained(self, selection: Selection, said: str) -> InputError:
        """The error of a query that the service refused: in terms of its schema where a name is unknown, else in its own words."""
        where = f"{self.service.name}, table {selection.table}"
        try:
            present = self.columns(selection.table)
        except InputError as error:
            if error.found == "does not exist":
                return error
            return InputError(where, f"refuses the query ({said})", FIX)
        wanted = [*selection.columns, *([selection.part["column"]] if selection.part else [])]
        folded = {name.lower() for name in present}
        for name in wanted:
            if name.strip('"').lower() not in folded:
                near = nearest(name, present) or list(present)[:30]
                return InputError(f"{where}, column {name}", f"does not exist; nearest: {', '.join(near)}", FIX)
        return InputError(where, f"refuses the query ({said})", FIX)


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to five known names like `name`."""
    lower = {k.lower(): k for k in known}
    found = difflib.get_close_matches(name.strip('"').lower(), list(lower), n=5, cutoff=0.5)
    inside = [k for k in lower if name.lower().rpartition(".")[2] in k and k not in found]
    return [lower[k] for k in [*found, *inside][:5]]
