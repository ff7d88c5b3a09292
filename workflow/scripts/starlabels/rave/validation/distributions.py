"""Signal-to-noise, magnitudes and extinction of the training, test and observed samples (Sections 2, 3.2; Figures 1 and 4)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_table, write_json, write_table
from ...metrics import Histogram1D, finite

BANDS = ("gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2")
QUANTITIES = ("snr_rave", *BANDS, "av_starhorse")
# width of the bins, and a grid wider than any value
WIDTH = {"snr_rave": 5.0, "av_starhorse": 0.05, **dict.fromkeys(BANDS, 0.25)}
GRID = {"snr_rave": (0.0, 1000.0), "av_starhorse": (-2.0, 20.0), **dict.fromkeys(BANDS, (-10.0, 30.0))}


def samples(stars_paths: Iterable, training_path) -> dict[str, pd.DataFrame]:
    """The quantities of the samples `observed`, `train`, `test` and `training_test` (both parts of the labelled sample).

    Raises
    ------
    InputError
        When the training table holds no training or no test row, or a column is absent.
    """
    parts = [read_table(path, [*QUANTITIES, "in_observed"]) for path in sorted(stars_paths, key=str)]
    if not parts:
        raise InputError("rave/stars", "no slice was given", "Run the stage that makes the stars")
    observed = pd.concat([part.loc[part["in_observed"].to_numpy(bool), list(QUANTITIES)] for part in parts], ignore_index=True)
    labelled = read_table(training_path, [*QUANTITIES, "role"])
    found = {"observed": observed, **{role: labelled[labelled["role"] == role] for role in ("train", "test")}, "training_test": labelled}
    for role in ("train", "test"):
        if not len(found[role]):
            raise InputError(f"{training_path}, column role", f"names no row {role!r}", "Check the cuts of `rave.training` and the split")
    return {name: frame[list(QUANTITIES)] for name, frame in found.items()}


def histograms(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Normalised histograms on a common grid.

    Returns
    -------
    DataFrame
        quantity, sample, lo, hi, count, share (of the sample's values, so that a sample's shares add up to one). Of each
        quantity the bins from the first to the last that any sample fills.
    """
    parts = []
    for quantity in QUANTITIES:
        counted = {}
        for name, frame in frames.items():
            counted[name] = Histogram1D(WIDTH[quantity], *GRID[quantity])
            counted[name].add(frame[quantity].to_numpy(np.float64))
        filled = np.flatnonzero(sum(h.counts for h in counted.values()))
        part = slice(filled[0], filled[-1] + 1) if len(filled) else slice(0, 0)
        for name, histogram in counted.items():
            table = histogram.table().iloc[part]
            total = max(int(histogram.counts.sum()), 1)
            parts.append(pd.DataFrame({
                "quantity": quantity, "sample": name, "lo": table["x_lo"].round(9), "hi": table["x_hi"].round(9),
                "count": table["count"], "share": table["count"] / total,
            }))
    return pd.concat(parts, ignore_index=True)


def run_distributions(stars_paths: Iterable, training_path, simulated: bool, out_table, out_json) -> dict:
    """Histograms of Figures 1 and 4, and what they hold in numbers.

    Parameters
    ----------
    stars_paths : iterable of path
        `rave/stars/{slice}.parquet`.
    training_path : path
        `rave/samples/main/training.parquet`.
    out_table : path
        The table of `histograms`.
    out_json : path
        {samples: {name: {n, quantities: {quantity: {n, median, p05, p95}}}}, simulated}.
    """
    frames = samples(stars_paths, training_path)
    content = {"samples": {}, "simulated": bool(simulated)}
    for name, frame in frames.items():
        found = {quantity: _spread(frame[quantity].to_numpy(np.float64)) for quantity in QUANTITIES}
        content["samples"][name] = {"n": len(frame), "quantities": found}
    write_table(out_table, histograms(frames), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _spread(values: np.ndarray) -> dict:
    values = finite(values)
    low, middle, high = np.percentile(values, (5, 50, 95)) if len(values) else (np.nan,) * 3
    return {"n": len(values), "median": float(middle), "p05": float(low), "p95": float(high)}
