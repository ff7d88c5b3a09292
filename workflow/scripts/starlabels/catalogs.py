"""Catalogues: native tables of an archive in, canonical tables out, one file a cell of the sky.

What a dataset is (names, units, sentinels, filters, ids) stands in config/datasets.yaml; nothing here knows a catalogue.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from .canonical import Canonical
from .catalog_rows import ROWS, collect, schema_of
from .counts import all_of
from .errors import InputError
from .io import write_json, write_table
from .spill import Spill


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
    with Spill(scratch_beside(selection), schema_of(canonical)) as spill:
        collect(canonical, paths, cells, nside, margin_arcsec, spill, rows)
        canonical.counts.check(paths)
        flow = canonical.counts.flow(paths)
        write_cells(spill.take, canonical, cells, nside, outputs, paths)
    write_json(selection, flow.to_list())
    canonical.counts.tell(flow)


def scratch_beside(path: str | Path) -> Path:
    """The scratch folder of the job that writes a file."""
    return Path(path).parent / f".{Path(path).name}.scratch"


def write_cells(
    take: Callable[[int], pa.Table], canonical: Canonical, cells: Sequence[int], nside: int, outputs: Mapping, paths: Sequence[str]
) -> None:  # fmt: skip
    """Write every cell, sorted; on any error remove those already written.

    Parameters
    ----------
    take : callable
        Cell -> its rows, in the order of the native files and of the rows in them.
    paths : sequence of str
        The native files, for messages.

    Raises
    ------
    InputError
        The same id twice where the entry calls it `unique`.
    """
    spec = canonical.spec
    meta = {**canonical.meta(), "in_margin": {"description": "Row of a neighbouring cell, copied because it lies near the border"}}
    written: list[Path] = []
    try:
        for cell in cells:
            table = take(cell)
            if spec.get("sort"):
                table = table.sort_by([(name, "ascending") for name in spec["sort"]])
            table = table.combine_chunks()                  # how many pieces it came in shows in the bytes of large tables
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
        shown = ", ".join(str(v) for v in repeated[:5])
        remedy = "Remove the duplicate rows or files (is a file given twice?)"
        where = f"{all_of(paths)}, column {canonical.counts.names.get(name) or name}"
        raise InputError(where, f"holds the same id more than once: {shown}", remedy)
