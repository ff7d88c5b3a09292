"""Table 1 of Guiglion et al. 2020: the columns of the catalogue, from the written file's own metadata (Section 10)."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import InputError
from ...io import read_meta


def table(inputs: dict, cfg: dict, simulated: bool) -> pd.DataFrame:
    """A row a column, in the file's order; input `catalogue`: rave_cnn.parquet."""
    path = inputs["catalogue"]
    meta = read_meta(path)
    if not meta["columns"]:
        raise InputError(path, "carries no description of its columns", "Delete it and run again")
    rows = []
    for number, field in enumerate(pq.read_schema(path), 1):               # the metadata's own order is alphabetical
        about = meta["columns"].get(field.name, {})
        unit = about.get("unit", "")
        rows.append((number, _format(field.type), unit or "-", field.name, about.get("description", "").removesuffix(f", {unit}")))
    return pd.DataFrame(rows, columns=["Col", "Format", "Units", "Label", "Explanations"])


def _format(kind: pa.DataType) -> str:
    """The paper's name of a type."""
    if pa.types.is_floating(kind):
        return "float"
    return "int" if pa.types.is_integer(kind) else "char"
