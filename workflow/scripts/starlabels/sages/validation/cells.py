"""Predictions cell by cell beside another table of the same cells, joined by Gaia id."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tqdm import tqdm

from ...errors import InputError
from ...io import iter_table, read_table, row_count

ID = "gaia_dr3_source_id"


def columns_of(path) -> list[str]:
    """Column names of a table on disk."""
    row_count(path)                               # names a missing or damaged file
    return list(pq.read_schema(path).names)


def pick(path, wanted: Iterable[str]) -> list[str]:
    """Those of the wanted columns that the table has."""
    names = set(columns_of(path))
    return [c for c in wanted if c in names]


def by_cell(first: Iterable, second: Iterable) -> list[tuple]:
    """Pair the files of two lists by their file name (`cell-00042.parquet`), sorted by name.

    Raises
    ------
    InputError
        When a file of the first list has no partner.
    """
    partner = {Path(p).name: p for p in second}
    pairs = sorted((Path(p).name, p) for p in first)
    for name, path in pairs:
        if name not in partner:
            raise InputError(path, f"has no partner {name} in the other table", "Make both tables for the same cells")
    return [(path, partner[name]) for name, path in pairs]


def iter_matches(
    left: Iterable, right: Iterable, left_columns: list[str], right_columns: Mapping[str, str], survey: str | None = None
) -> Iterator[pd.DataFrame]:
    """Yield, cell by cell, the rows of `left` that have a row of `right` with the same Gaia id.

    Rows that `right` holds as margin copies are left out; of several rows with one id the first is taken.

    Parameters
    ----------
    left, right : iterable of path
        Cells of both tables.
    left_columns : list of str
        Wanted columns of `left`; those that do not exist are absent from the result.
    right_columns : mapping
        Column of `right` -> its name in the result.
    survey : str, optional
        Take only the rows of `right` whose column `survey` says this.
    """
    for one, other in tqdm(by_cell(left, right), desc="cells", unit="cell", mininterval=5, disable=None):
        frame = read_table(one, pick(one, [ID, *left_columns]))
        reference = read_table(other, [ID, *right_columns, *pick(other, ["in_margin"]), *(["survey"] if survey else [])])
        if survey:
            reference = reference[(reference["survey"] == survey).to_numpy(bool)].drop(columns="survey")
        if "in_margin" in reference:
            reference = reference[~reference["in_margin"].to_numpy(bool)]
        reference = reference.drop(columns="in_margin", errors="ignore").rename(columns=dict(right_columns))
        yield frame.merge(reference.drop_duplicates(ID), on=ID, how="inner")


def iter_groups(paths: Iterable, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of several tables in groups of at most `rows`, sorted by Gaia id."""
    group, held = [], 0
    for path in sorted(paths, key=str):
        for piece in iter_table(path, columns, rows=rows):
            if group and held + len(piece) > rows:
                yield pd.concat(group, ignore_index=True).sort_values(ID, kind="stable", ignore_index=True)
                group, held = [], 0
            group.append(piece)
            held += len(piece)
    if held:
        yield pd.concat(group, ignore_index=True).sort_values(ID, kind="stable", ignore_index=True)


def overlap(ids: np.ndarray, group: pd.DataFrame) -> bool:
    """Whether any id lies in a group that is sorted by id."""
    known = group[ID].to_numpy()
    at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return bool(len(known)) and bool((known[at] == ids).any())
