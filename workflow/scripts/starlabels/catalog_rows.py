"""Rows of native files on their way to the cells of the sky that they belong to, and to those that they lie near."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from .canonical import Canonical
from .cells import cell_of, cell_of_gaia_id, other_cells_within
from .counts import Counts
from .errors import InputError
from .readers import iter_native
from .spill import Spill

ROWS = 200_000                # rows converted at once


def schema_of(canonical: Canonical) -> pa.Schema:
    """Columns and types of the cells of a dataset."""
    frame = canonical.empty().assign(in_margin=pd.Series(dtype=bool))
    return pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()


def collect(
    canonical: Canonical, paths: Sequence[str], cells: Sequence[int], nside: int, margin_arcsec: float, spill: Spill, rows: int = ROWS
) -> None:
    """Read native files and put their rows into the cells of the run; `canonical` counts them.

    Parameters
    ----------
    margin_arcsec : float
        Rows this near to another cell are copied into it, with `in_margin` True.  Only for datasets cut by position, and
        those that say `margin: true`.
    spill : Spill
        Where the rows go; its folder also holds temporary copies of packed files.
    """
    spec = canonical.spec
    margin = margin_arcsec if spec.get("margin", spec["cell_by"] == "position") else 0.0
    shown = tqdm(paths, desc=canonical.dataset, unit="file", mininterval=5, disable=None if len(paths) > 1 else True)
    pieces = _placed(canonical, shown, cells, nside, rows, spill.folder)
    for frame, own in _gathered(pieces, rows):
        for cell, piece in distribute(frame, own, cells, nside, margin, canonical.counts, spill.schema):
            spill.add(cell, piece)


def _placed(
    canonical: Canonical, paths: Iterable[str], cells: Sequence[int], nside: int, rows: int, scratch: Path
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Canonical pieces of all files, with the cell that each row belongs to; rows without a position are left out."""
    spec = canonical.spec
    for path in paths:
        for native in iter_native(path, spec, rows, scratch):
            frame = canonical.convert(native, path)
            if spec["cell_by"] == "none":
                own = np.full(len(frame), cells[0], dtype=np.int64)
            elif spec["cell_by"] == "position":
                placed = np.isfinite(frame["ra"].to_numpy()) & np.isfinite(frame["dec"].to_numpy())
                canonical.counts.no_position += int(np.count_nonzero(~placed))
                frame = frame[placed]
                _check_position(frame, path)
                own = cell_of(frame["ra"].to_numpy(), frame["dec"].to_numpy(), nside)
            else:
                own = _cells_of_ids(frame[spec["cell_by"]].to_numpy(), nside, f"{path}, column {spec['cell_by']}")
            yield frame, own


def _gathered(pieces: Iterable[tuple[pd.DataFrame, np.ndarray]], rows: int) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """The same rows in pieces of at least so many (the last one of what is left): small files cost no more than large ones."""
    held, count = [], 0
    for frame, own in pieces:
        if len(frame):
            held.append((frame, own))
            count += len(frame)
        if count >= rows:
            yield pd.concat([f for f, _ in held], ignore_index=True), np.concatenate([o for _, o in held])
            held, count = [], 0
    if held:
        yield pd.concat([f for f, _ in held], ignore_index=True), np.concatenate([o for _, o in held])


def distribute(
    frame: pd.DataFrame, own: np.ndarray, cells: Sequence[int], nside: int, margin_arcsec: float, counts: Counts, schema: pa.Schema
) -> Iterator[tuple[int, pa.Table]]:
    """Yield (cell, rows with `in_margin`) for the cells of the run that the rows belong to or lie within the margin of."""
    inside = np.isin(own, cells)
    counts.placed += int(inside.sum())
    counts.outside += int((~inside).sum())
    index, cell = np.flatnonzero(inside), own[inside]
    copied = np.zeros(len(index), bool)
    if margin_arcsec > 0:
        near, foreign = _neighbours(frame, own, nside, margin_arcsec)
        wanted = np.isin(foreign, cells)
        counts.copies += int(wanted.sum())
        index, cell = np.concatenate([index, near[wanted]]), np.concatenate([cell, foreign[wanted]])
        copied = np.concatenate([copied, np.ones(int(wanted.sum()), bool)])
    order = np.lexsort((index, cell))                       # by cell, then as they came: whatever the size of the pieces
    index, cell, copied = index[order], cell[order], copied[order]
    if not len(cell):
        return
    table = pa.Table.from_pandas(frame, schema=schema.remove(len(schema) - 1), preserve_index=False)
    table = table.take(index).append_column(schema[-1], pa.array(copied))
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    for first, end in zip(starts, [*starts[1:], len(cell)], strict=True):
        yield int(cell[first]), table.slice(first, end - first)


def _neighbours(frame: pd.DataFrame, own: np.ndarray, nside: int, margin_arcsec: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows with a known position and the foreign cells within the margin of them."""
    known = np.flatnonzero(np.isfinite(frame["ra"].to_numpy()) & np.isfinite(frame["dec"].to_numpy()))
    near, foreign = other_cells_within(frame["ra"].to_numpy()[known], frame["dec"].to_numpy()[known], own[known], nside, margin_arcsec)
    return known[near], foreign


def _check_position(frame: pd.DataFrame, path: str | Path) -> None:
    for column, low, high in (("ra", -360.0, 360.0), ("dec", -90.0, 90.0)):
        wrong = frame[column][(frame[column] < low) | (frame[column] > high)]
        if len(wrong):
            found = f"holds {float(wrong.iloc[0])}, which is no position in deg"
            raise InputError(f"{path}, column {column}", found, "Check column and unit")


def _cells_of_ids(ids: np.ndarray, nside: int, where: str) -> np.ndarray:
    wrong = np.flatnonzero((ids <= 0) | ((ids >> 35) >= 12 * 4096**2))
    if len(wrong):
        remedy = "Check the column; give its `sentinel` if it has one"
        raise InputError(where, f"holds {ids[wrong[0]]}, which is not a Gaia source id", remedy)
    return cell_of_gaia_id(ids, nside)
