"""Table 3 of Gu et al. 2025: the columns of the final catalogues, from the written files' own metadata (Section 4)."""

import pandas as pd
import pyarrow.parquet as pq

from ...errors import InputError
from ...io import read_meta
from .table2_cuts import paths_of

# Logarithms have no unit in the files' metadata; in print they have these.
UNIT = {"logg": "dex (cgs)", "logg_err": "dex", "[Fe/H]": "dex", "[Fe/H]_err": "dex"}


def table(inputs: dict, cfg: dict, simulated: bool) -> pd.DataFrame:
    """A row a column, in the files' order; input `catalogue`: the Parquet catalogues (a path or a list, one a data set)."""
    rows: dict[str, list] = {}
    for path in paths_of(inputs["catalogue"]):
        meta = read_meta(path)
        if not meta["columns"] or "data_set" not in meta:
            raise InputError(path, "carries no description of its columns", "Delete it and run again")
        for name in pq.read_schema(path).names:                # the metadata's own order is alphabetical
            about = meta["columns"].get(name, {})
            unit = about.get("unit", "") or UNIT.get(name, "")
            rows.setdefault(name, [about.get("description", ""), unit, []])[2].append(str(meta["data_set"]))
    found = [(name, text, unit or "-", ", ".join(sets)) for name, (text, unit, sets) in rows.items()]
    # what is not in the paper's table comes last, and says so
    found.sort(key=lambda row: row[1].startswith("Added"))
    return pd.DataFrame(found, columns=["Parameter", "Description", "Unit", "Data set"])
