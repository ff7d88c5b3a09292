"""What a table service is asked: the text of a query for a slice of a table, and which of its columns a dataset needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..readers.common import Request

_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
#: words of ADQL 2.1 (with those of SQL-92 that table services refuse) that are no names unless they are quoted
_RESERVED = frozenset(
    """
    abs acos action add all allocate alter and any are area as asc asin assertion at atan atan2 authorization avg begin between bit both
    box by cascade case cast catalog ceiling centroid char character check circle close coalesce collate collation column commit connect
    connection constraint constraints contains continue convert coord1 coord2 coordsys corresponding cos cot count create cross current
    cursor date day deallocate decimal declare default deferrable deferred degrees delete desc describe descriptor diagnostics
    disconnect distance distinct domain double drop else end escape except exception exec execute exists exp external extract false
    fetch first float floor for foreign found from full get global go goto grant group having hour identity immediate in indicator
    initially inner input insensitive insert int integer intersect intersects interval into is isolation join key language last leading
    left level like limit local log log10 lower match max min minute mod module month names national natural nchar next no not null
    nullif numeric octet_length of offset on only open option or order outer output overlaps pad partial pi point polygon position power
    precision prepare preserve primary prior privileges procedure public radians rand read real references region relative restrict
    revoke right rollback round rows schema scroll second section select session set sin size smallint some space sql sqrt substring sum
    system table tan temporary then time timestamp to top trailing transaction translate translation trim true truncate union unique
    unknown update upper usage user using value values varchar varying view when whenever where with work write year zone
    """.split()
)


def identifier(name: str) -> str:
    """A column's name as a query needs it: quoted unless it is a plain lower-case word (`[Fe/H]`, `2MASS`, `Jmag`, `size` are not)."""
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        return name
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def table_name(name: str) -> str:
    """A table's name as a query needs it: those of VizieR (`II/246/out`) in quotes, schema.table as it is.

    Reserved words stay (`external.x`): services that have such schemas take them without quotes.
    """
    return name if '"' in name or all(_PLAIN.fullmatch(part.lower()) for part in name.split(".")) else identifier(name)


def literal(value: int | float | str) -> str:
    """A value in a query: numbers with every digit, text in single quotes."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class Selection:
    """Columns and rows of a table.

    Attributes
    ----------
    table : str
        As the service names it, without quotes.
    columns : sequence of str
        Native names.
    where : str or None
        A condition in the service's language.
    part : mapping or None
        `column`, `low`, `high` of a slice: low <= column < high; None is open.
    language : str
        ADQL or PostgreSQL: what stands for `TOP`.
    """

    table: str
    columns: Sequence[str]
    where: str | None = None
    part: Mapping | None = None
    language: str = "ADQL"

    def _rows(self) -> str:
        """FROM and WHERE."""
        conditions = [f"({self.where})"] if self.where else []
        if self.part:
            column = identifier(self.part["column"])
            conditions += [f"{column} >= {literal(self.part['low'])}"] if self.part.get("low") is not None else []
            conditions += [f"{column} < {literal(self.part['high'])}"] if self.part.get("high") is not None else []
        return f"FROM {table_name(self.table)}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")

    def text(self, top: int | None = None) -> str:
        """The query; `top` rows at most."""
        first = f"TOP {top} " if top is not None and self.language == "ADQL" else ""
        last = f" LIMIT {top}" if top is not None and self.language != "ADQL" else ""
        return f"SELECT {first}{', '.join(identifier(c) for c in self.columns)} {self._rows()}{last}"

    def count(self) -> str:
        """The query for the number of rows."""
        return f"SELECT COUNT(*) AS n_rows {self._rows()}"


def native_columns(spec: Mapping, present: Sequence[str], where: str) -> list[str]:
    """The native columns that a dataset needs, in the spelling of the service; of several names the first one that it knows.

    Parameters
    ----------
    spec : mapping
        Entry of config/datasets.yaml.
    present : sequence of str
        Columns of the service's table.
    where : str
        Service and table, for the error.

    Raises
    ------
    InputError
        When a column is absent that the dataset cannot do without; the nearest names are told.
    """
    try:
        chosen = Request(Path("table"), spec, 0).choose(list(present))
    except InputError as error:
        column = error.where.partition(", column ")[2]
        raise InputError(f"{where}, column {column}", error.found, "Correct `native` of this column, or `columns` of the road") from error
    return list(dict.fromkeys(name for name in chosen.values() if name))
