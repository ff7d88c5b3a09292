"""Catalogues: native tables of an archive in, canonical tables out, one file a cell of the sky.

What a dataset is (names, units, sentinels, filters, ids) stands in config/datasets.yaml; nothing here knows a catalogue.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from .canonical import Canonical
from .cells import cell_of, cell_of_gaia_id, other_cells_within
from .errors import InputError
from .flow import Flow
from .io import write_json, write_table
from .readers import iter_native
from .spill import Spill

log = logging.getLogger(__name__)

ROWS = 200_000                # rows converted at once


def run_catalog(
    dataset: str, paths: Sequence[str | Path], spec: Mapping, cells: Sequence[int], nside: int, margin_arcsec: float,
    outputs: Mapping[int, str | Path], selection: str | Path, rows: int = ROWS,
) -> None:  # fmt: skip
    """Read a dataset's native files once and write its canonical cells.

    Memory: one piece of `rows` rows, some 400 MB of rows on their way to their cells, and one whole cell.  The result does not
    depend on the order of the files, the size of the pieces or the memory.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    paths : sequence of path
        Its native files.
    spec : mapping
        Its entry in config/datasets.yaml.
    cells : sequence of int
        The cells of the run (HEALPix, nested).
    nside : int
        Resolution of the cells.
    margin_arcsec : float
        Rows this near to another cell are copied into it, with `in_margin` True.  Only for datasets cut by position, and
        those that say `margin: true`.
    outputs : mapping
        Cell -> Parquet file; every cell gets one, if need be without rows.
    selection : path
        JSON: the flow of the rows, from the native files to the cells.
    rows : int
        Rows read at once.

    Raises
    ------
    InputError
        For anything wrong with the files or the entry: see readers.iter_native, canonical.Canonical; also duplicate ids
        where the entry calls them `unique`, and a dataset without a row in the cells (unless `may_be_empty`).  No output is
        left behind.
    """
    if not paths:
        raise InputError(f"configuration key `datasets.{dataset}.files`", "names no file", "Give the native files of the dataset")
    canonical, cells, paths = Canonical(dataset, spec), sorted(cells), sorted(str(p) for p in paths)
    schema = pa.Schema.from_pandas(canonical.empty().assign(in_margin=pd.Series(dtype=bool)), preserve_index=False).remove_metadata()
    margin = margin_arcsec if spec.get("margin", spec["cell_by"] == "position") else 0.0
    counts = {"placed": 0, "outside": 0, "copies": 0, "no_position": 0}
    scratch = Path(selection).parent / f".{Path(selection).name}.scratch"
    with Spill(scratch, schema) as spill:
        pieces = _placed(canonical, tqdm(paths, desc=dataset, unit="file", mininterval=5, disable=None if len(paths) > 1 else True),
                         cells, nside, rows, scratch, counts)
        for frame, own in _gathered(pieces, rows):
            for cell, piece in distribute(frame, own, cells, nside, margin, counts, schema):
                spill.add(cell, piece)
        canonical.finish(paths)
        flow = _flow(canonical, spec, counts, paths)
        _write(spill, canonical, spec, cells, nside, outputs, paths)
    write_json(selection, flow.to_list())
    for entry in flow.to_list():
        removed = f", {entry['made_missing']} values made missing" if "made_missing" in entry else ""
        log.info("%s: %s: %d rows%s", dataset, entry["cut"], entry["kept"], removed)
    log.info("%s: %d copies in the margins of neighbouring cells", dataset, counts["copies"])


def _placed(
    canonical: Canonical, paths: Iterable[str], cells: Sequence[int], nside: int, rows: int, scratch: Path, counts: dict
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
                counts["no_position"] += int(np.count_nonzero(~placed))
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
    frame: pd.DataFrame, own: np.ndarray, cells: Sequence[int], nside: int, margin_arcsec: float, counts: dict, schema: pa.Schema
) -> Iterator[tuple[int, pa.Table]]:
    """Yield (cell, rows with `in_margin`) for the cells of the run that the rows belong to or lie within the margin of."""
    inside = np.isin(own, cells)
    counts["placed"] += int(inside.sum())
    counts["outside"] += int((~inside).sum())
    index, cell = np.flatnonzero(inside), own[inside]
    copied = np.zeros(len(index), bool)
    if margin_arcsec > 0:
        near, foreign = _neighbours(frame, own, nside, margin_arcsec)
        wanted = np.isin(foreign, cells)
        counts["copies"] += int(wanted.sum())
        index, cell = np.concatenate([index, near[wanted]]), np.concatenate([cell, foreign[wanted]])
        copied = np.concatenate([copied, np.ones(int(wanted.sum()), bool)])
    order = np.argsort(cell, kind="stable")
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


def _flow(canonical: Canonical, spec: Mapping, counts: Mapping, paths: Sequence[str]) -> Flow:
    flow = canonical.flow()
    if spec["cell_by"] == "position":
        flow.cut("position known", flow.kept - counts["no_position"])
    before = flow.kept
    flow.cut("in a cell of this run", flow.kept - counts["outside"])
    if not flow.kept:
        if not canonical.rows:
            text = "holds no row"
        else:
            text = f"none of {before} rows lies in a cell of this run" if before else f"its filters leave none of {canonical.rows} rows"
        if not spec.get("may_be_empty"):
            raise InputError(f"{paths[0]} ({canonical.dataset})", text, "Check `cells.list` and the files of this dataset")
        log.warning("%s: %s", canonical.dataset, text)
    return flow


def _write(
    spill: Spill, canonical: Canonical, spec: Mapping, cells: Sequence[int], nside: int, outputs: Mapping, paths: Sequence[str]
) -> None:  # fmt: skip
    """Write every cell, sorted; on any error remove those already written."""
    meta = {**canonical.meta(), "in_margin": {"description": "Row of a neighbouring cell, copied because it lies near the border"}}
    written: list[Path] = []
    try:
        for cell in cells:
            table = spill.take(cell)
            if spec.get("sort"):
                table = table.sort_by([(name, "ascending") for name in spec["sort"]])
            _check_unique(table, canonical, paths)
            about = {"dataset": canonical.dataset, "reference": spec.get("reference", ""), "cell": int(cell), "nside": int(nside)}
            write_table(outputs[cell], table, meta, about)
            written.append(Path(outputs[cell]))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _check_unique(table: pa.Table, canonical: Canonical, paths: Sequence[str]) -> None:
    name = canonical.spec.get("unique")
    if not name:
        return
    values = table[name].to_pandas()
    repeated = values[values.duplicated()].unique()
    if len(repeated):
        file = paths[0] + (f" (and {len(paths) - 1} more)" if len(paths) > 1 else "")
        shown = ", ".join(str(v) for v in repeated[:5])
        remedy = "Remove the duplicate rows or files (is a file given twice?)"
        raise InputError(f"{file}, column {canonical.names.get(name) or name}", f"holds the same id more than once: {shown}", remedy)
