"""Tables: Parquet as `starlabels.io` writes and reads it, against FITS through astropy and CSV through pandas."""

import hashlib
from pathlib import Path

import numpy as np

from .contest import Contestant, Setting, Task, contest
from .rows import Agreement, Row, compare

NAME = "tables"
SIZES = {
    "tiny": {"rows": 500, "rounds": 1, "writes": 1},
    "bench": {"rows": 1_000_000, "rounds": 3, "writes": 1},
    "large": {"rows": 5_000_000, "rounds": 3, "writes": 1},
}
COLUMNS, FEW = 30, 5
SINGLE = 20                  # columns of this number and above are in single precision
ENDINGS = {"parquet": "parquet", "fits": "fits", "csv": "csv"}
PEERS = {"fits": "FITS, astropy", "csv": "CSV, pandas"}


def table(rows: int):
    """An id, 19 columns in double and 10 in single precision, as catalogues have them; one value in a hundred is missing."""
    import pandas as pd

    rng = np.random.default_rng(9)
    columns = {"source_id": np.sort(rng.integers(2**40, 2**60, rows)), "ra": rng.uniform(0, 360, rows), "dec": rng.uniform(-90, 90, rows)}
    for k in range(3, COLUMNS):
        values = np.round(rng.normal(15, 2, rows), 4).astype(dtype_of(f"column_{k}"))
        values[rng.random(rows) < 0.01] = np.nan
        columns[f"column_{k}"] = values
    return pd.DataFrame(columns)


def writer(folder: str, rows: int, kind: str):
    """Write the whole table."""
    from astropy.table import Table

    from starlabels.io import write_table

    frame, path = table(rows), Path(folder) / f"table.{ENDINGS[kind]}"

    def run() -> str:
        if kind == "parquet":
            write_table(path, frame)
        elif kind == "fits":
            Table.from_pandas(frame).write(path, overwrite=True)
        else:
            frame.to_csv(path, index=False)
        return str(path)

    return run


def reader(folder: str, kind: str, few: bool):
    """Read the table, or five of its columns; what is compared is a digest of each column."""
    import pandas as pd
    from astropy.table import Table

    from starlabels.io import read_table

    path = Path(folder) / f"table.{ENDINGS[kind]}"
    names = ["source_id", "ra", "dec", "column_3", "column_29"] if few else None

    def run() -> pd.DataFrame:
        if kind == "parquet":
            return read_table(path, names)
        if kind == "fits":
            found = Table.read(path)
            return found[names].to_pandas() if few else found.to_pandas()
        return pd.read_csv(path, usecols=names)[names] if few else pd.read_csv(path)

    return Task(run, digests)


def dtype_of(name: str) -> str:
    """Type of a column."""
    if name == "source_id":
        return "int64"
    return "float32" if name.startswith("column_") and int(name[7:]) >= SINGLE else "float64"


def digests(frame) -> dict[str, str]:
    """A digest of each column's values; those of single precision are taken so again, which text does not know."""
    found = {}
    for name in frame.columns:
        values = frame[name].to_numpy().astype(dtype_of(name))          # a copy, in the machine's order of bytes
        if values.dtype.kind == "f":
            values[np.isnan(values)] = np.nan          # missing is missing, whatever its bits
        found[name] = hashlib.sha256(values.tobytes()).hexdigest()
    return found


def equal(ours: dict[str, str], theirs: dict[str, str]) -> Agreement:
    """Whether two tables hold the same values."""
    if list(ours) != list(theirs) or not ours:
        return Agreement(False, "other columns")
    wrong = [name for name in ours if ours[name] != theirs[name]]
    return Agreement(not wrong, f"values of {wrong[0]} differ" if wrong else f"values of {len(ours)} columns equal")


def run(setting: Setting) -> list[Row]:
    """Rows for writing, reading all columns, reading five."""
    size, place, rows = SIZES[setting.size], {"folder": str(setting.scratch)}, []
    kinds = ["parquet", *PEERS]
    written = contest({k: Contestant("benchmarks.tables:writer", {**place, "rows": size["rows"], "kind": k}) for k in kinds}, setting,
                      size["writes"], 0)
    megabytes = {k: Path(written[k][-1].result).stat().st_size / 1e6 for k in kinds}
    more, what = {"sizes": {**size, "columns": COLUMNS}}, f"{size['rows'] / 1e6:g} M x {COLUMNS}"
    judged: dict[str, Agreement] = {}
    for few in (False, True):
        readers = {k: Contestant("benchmarks.tables:reader", {**place, "kind": k, "few": few}) for k in kinds}
        found = contest(readers, setting, size["rounds"])
        for k, name in PEERS.items():
            agreement = equal(found["parquet"][-1].result, found[k][-1].result)
            judged.setdefault(k, agreement)
            case = f"{what}, read {FEW} columns" if few else f"{what}, read"
            rows.append(compare(NAME, case, ("Parquet, starlabels.io", name), found["parquet"], found[k], agreement, **more))
    first = [
        compare(NAME, f"{what}, write", ("Parquet, starlabels.io", name), written["parquet"], written[k], judged[k],
                note=f"files of {megabytes['parquet']:.0f} MB and {megabytes[k]:.0f} MB", **more)
        for k, name in PEERS.items()
    ]  # fmt: skip
    return first + rows
