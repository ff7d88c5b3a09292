"""Catalogues of many native files: some files a job make a part, sorted by cell; other jobs make the cells of all parts.

The cells are those that one job would have written (catalogs.run_catalog), byte for byte, however the files and the cells are
shared out, and every check of the whole dataset is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .canonical import Canonical
from .catalog_rows import ROWS, collect, schema_of
from .catalogs import scratch_beside, write_cells
from .counts import Counts
from .errors import InputError
from .io import TableWriter, read_json, write_json
from .spill import Spill

GROUP_ROWS = 500_000          # rows of a row group at most; every cell begins a new one


def run_catalog_part(
    dataset: str, paths: Sequence[str | Path], spec: Mapping, cells: Sequence[int], nside: int, margin_arcsec: float,
    part: str | Path, counts: str | Path, rows: int = ROWS,
) -> None:  # fmt: skip
    """Read some of a dataset's native files and write their canonical rows, cell after cell.

    Memory: as `catalogs.run_catalog`, with the rows of one cell in these files.

    Parameters
    ----------
    dataset, spec, cells, nside, margin_arcsec, rows
        As in `catalogs.run_catalog`; `cells` are all cells of the run.
    paths : sequence of path
        These files; the parts of a dataset divide the sorted list of all its files.
    part : path
        Parquet: the rows by cell, each cell in row groups of its own; within a cell as they came.
    counts : path
        JSON: {"dataset", "files", "cells": [[cell, first row group, row groups, rows], ...], "counts": counts.Counts.to_dict()}.

    Raises
    ------
    InputError
        For anything wrong with the files or the entry; not what only the whole dataset can tell.
    """
    canonical, cells, paths = Canonical(dataset, spec), sorted(cells), sorted(str(p) for p in paths)
    with Spill(scratch_beside(part), schema_of(canonical)) as spill:
        collect(canonical, paths, cells, nside, margin_arcsec, spill, rows)
        index = _write_part(part, spill, cells)
    write_json(counts, {"dataset": dataset, "files": paths, "cells": index, "counts": canonical.counts.to_dict()})


def _write_part(part: str | Path, spill: Spill, cells: Sequence[int]) -> list[list[int]]:
    """Write the rows of all cells; where each is: [cell, first row group, row groups, rows]."""
    index, groups = [], 0
    with TableWriter(part) as writer:
        for cell in cells:
            table = spill.take(cell)
            for first in range(0, len(table), GROUP_ROWS):
                writer.write(table.slice(first, GROUP_ROWS))
            if len(table):
                count = -(-len(table) // GROUP_ROWS)
                index.append([int(cell), groups, count, len(table)])
                groups += count
        if not index:
            writer.write(spill.schema.empty_table())
    return index


def run_catalog_counts(dataset: str, counts: Sequence[str | Path], spec: Mapping, selection: str | Path) -> None:
    """Check what only the whole dataset can tell, and write the flow of its rows.

    Parameters
    ----------
    counts : sequence of path
        Of all parts, in their order.
    selection : path
        JSON: the flow, as `catalogs.run_catalog` writes it.

    Raises
    ------
    InputError
        See counts.Counts.check and flow.
    """
    whole, files = add_up(Canonical(dataset, spec).counts, counts)
    whole.check(files)
    flow = whole.flow(files)
    write_json(selection, flow.to_list())
    whole.tell(flow)


def add_up(whole: Counts, counts: Sequence[str | Path]) -> tuple[Counts, list[str]]:
    """The counts of all parts together, and the native files."""
    files: list[str] = []
    for path in counts:
        content = _read_counts(path)
        whole.add(content["counts"], str(path))
        files += content["files"]
    return whole, files


def _read_counts(path: str | Path) -> dict:
    content = read_json(path)
    if not isinstance(content, dict) or not {"files", "cells", "counts"} <= set(content):
        raise InputError(path, "holds no counts of a part of a catalogue", "Delete it and run again")
    return content


def run_catalog_merge(
    dataset: str, parts: Sequence[str | Path], counts: Sequence[str | Path], spec: Mapping, cells: Sequence[int], nside: int,
    outputs: Mapping[int, str | Path],
) -> None:  # fmt: skip
    """Write some of a dataset's cells from all its parts.

    Memory: one whole cell, as it is sorted.

    Parameters
    ----------
    parts, counts : sequence of path
        Of all parts, in their order.
    cells : sequence of int
        The cells to write.
    outputs : mapping
        Cell -> Parquet file.

    Raises
    ------
    InputError
        Duplicate ids where the entry calls them `unique`; parts that are damaged or of another configuration.
    """
    canonical = Canonical(dataset, spec)
    canonical.counts, files = add_up(canonical.counts, counts)
    rows = Parts(parts, counts, schema_of(canonical))
    write_cells(rows.take, canonical, sorted(cells), nside, outputs, files)


class Parts:
    """The rows of a cell from all parts; those of other cells are not read.

    Parameters
    ----------
    parts, counts : sequence of path
        In the order of the native files.
    schema : pyarrow.Schema
        Of the cells.
    """

    def __init__(self, parts: Sequence[str | Path], counts: Sequence[str | Path], schema: pa.Schema):
        self.schema = schema
        self._where: dict[int, list[tuple[str, int, int, int]]] = {}
        for part, path in zip(parts, counts, strict=True):
            for cell, first, groups, rows in _read_counts(path)["cells"]:
                self._where.setdefault(cell, []).append((str(part), first, groups, rows))

    def take(self, cell: int) -> pa.Table:
        """All rows of a cell, part after part.

        Raises
        ------
        InputError
            When a part is damaged, has other columns, or is not the one that was counted.
        """
        return pa.concat_tables([self.schema.empty_table(), *self._pieces(cell)])

    def _pieces(self, cell: int) -> Iterator[pa.Table]:
        remedy = "Delete it and run again"
        for part, first, groups, rows in self._where.get(cell, []):
            try:
                with pq.ParquetFile(part) as file:
                    if not file.schema_arrow.remove_metadata().equals(self.schema):
                        raise InputError(part, "has other columns than config/datasets.yaml says", remedy)
                    if first + groups > file.num_row_groups:
                        raise InputError(part, f"lacks rows of cell {cell}", remedy)
                    table = file.read_row_groups(range(first, first + groups))
            except FileNotFoundError as error:
                raise InputError(part, "does not exist", "Run the stage that makes it") from error
            except (pa.ArrowException, OSError) as error:
                raise InputError(part, f"is damaged ({error})", remedy) from error
            if len(table) != rows:
                raise InputError(part, f"holds {len(table)} rows of cell {cell} where {rows} were counted", remedy)
            yield table.replace_schema_metadata(None)
