"""V_phi against [M/H] in narrow ranges of [alpha/M] (Section 8.1): does the positive slope of the whole hide negative ones?"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ..validation.components import COMPONENTS, read_giants
from ..validation.gradients import gradient

EDGES = np.round(np.arange(-0.1, 0.4001, 0.05), 9)
LEAST = 50                 # stars of a range with a slope
TABLE = ["component", "alpha_lo", "alpha_hi", "n", "slope", "slope_error", "slope_lo", "slope_hi", "intercept"]


def slopes(frame: pd.DataFrame, bootstrap: int, seed: int) -> list[dict]:
    """A line for each range of [alpha/M] that holds enough stars."""
    alpha, out = frame["alpha_m_cnn"].to_numpy(np.float64), []
    for k, (lo, hi) in enumerate(zip(EDGES[:-1], EDGES[1:], strict=True)):
        part = frame[(alpha >= lo) & (alpha < hi)]
        if len(part) >= LEAST:
            line = gradient(part["mh_cnn"], part["v_phi"], bootstrap, seed + k)
            low, high = line["slope_interval"]
            out.append({"alpha_lo": lo, "alpha_hi": hi, "n": line["n"], "slope": line["slope"], "slope_error": line["slope_error"],
                        "slope_lo": low, "slope_hi": high, "intercept": line["intercept"]})
    return out


def run_mono_alpha(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """Slopes of V_phi with [M/H] in ranges of [alpha/M], for the giants of Figure 24.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        As for the components.
    out_table : path
        `TABLE`; component "all" holds every giant with an orbit.
    out_json : path
        {components {name: {whole (line), n_ranges, n_negative, weighted_mean (by the inverse variance), negative_below_positive}},
        simulated}. `negative_below_positive`: the whole rises while the mean of the ranges falls.
    """
    frame, _ = read_giants(stars_paths, prediction_paths, cfg)
    bootstrap = int(cfg["validation"]["bootstrap"])
    tables, content = [], {}
    for name in (*COMPONENTS, "all"):
        part = frame if name == "all" else frame[(frame["component"] == name).to_numpy(bool)]
        whole, rows = gradient(part["mh_cnn"], part["v_phi"], bootstrap, seed), slopes(part, bootstrap, seed)
        mean = _weighted(rows)
        known = whole["slope"] is not None and mean is not None
        content[name] = {
            "whole": whole, "n_ranges": len(rows), "n_negative": sum(r["slope"] < 0 for r in rows), "weighted_mean": mean,
            "negative_below_positive": bool(whole["slope"] > 0 > mean) if known else None,
        }
        tables.append(pd.DataFrame(rows, columns=TABLE[1:]).assign(component=name))
    table = pd.concat(tables, ignore_index=True)[TABLE]
    kinds = {c: "float64" for c in TABLE if c not in ("component", "n")} | {"component": "str", "n": "int64"}
    write_table(out_table, table.astype(kinds), meta={"simulated": bool(simulated)})
    out = {"components": content, "simulated": bool(simulated)}
    write_json(out_json, out)
    return out


def _weighted(rows: list[dict]) -> float | None:
    known = [(r["slope"], r["slope_error"]) for r in rows if r["slope_error"]]
    if not known:
        return None
    slope, error = np.array(known).T
    return float(np.sum(slope / error**2) / np.sum(1 / error**2))
