"""Maps of [Mg/Fe] and [Si/Fe] like that of [alpha/M] (Section 8.2: the same pattern with slightly larger scatter)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ..validation.cartography import CELL, map_of, read_map

RATIOS = ("mg_fe", "si_fe")
BIN, LEAST = 0.1, 30            # dex of [Fe/H] and stars of a bin in which the scatter is measured


def scatter(frame: pd.DataFrame, ratio: str) -> float | None:
    """Root mean square deviation of a ratio from its mean at fixed [Fe/H], of the alpha-poor majority and the rich alike."""
    x, y = frame["feh_cnn"].to_numpy(np.float64), frame[f"{ratio}_cnn"].to_numpy(np.float64)
    number, total, n = np.floor(x / BIN).astype(np.int64), 0.0, 0
    for value in np.unique(number):
        part = y[number == value]
        if len(part) >= LEAST:
            total, n = total + float(np.sum((part - part.mean()) ** 2)), n + len(part)
    return float(np.sqrt(total / n)) if n else None


def run_maps(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_tables: Mapping[str, str],
    out_jsons: Mapping[str, str],
) -> dict:
    """One map a ratio, in the form of `validation.cartography`.

    Parameters
    ----------
    out_tables, out_jsons : mapping
        mg_fe and si_fe to their paths. The JSON has `order` (as the claim of Figure 25), `scatter` and `scatter_alpha` at fixed
        [Fe/H], and `larger_scatter` (than [alpha/M]; None: not measured).
    """
    frame = read_map(stars_paths, prediction_paths, cfg, ["alpha_m", *RATIOS])
    base, out = scatter(frame, "alpha_m"), {}
    for ratio in RATIOS:
        table, content = map_of(frame, ratio, cfg)
        own = scatter(frame, ratio)
        content |= {"cell": list(CELL), "scatter": own, "scatter_alpha": base,
                    "larger_scatter": None if own is None or base is None else own > base, "simulated": bool(simulated)}
        write_table(out_tables[ratio], table, meta={"simulated": bool(simulated)})
        write_json(out_jsons[ratio], content)
        out[ratio] = content
    return out
