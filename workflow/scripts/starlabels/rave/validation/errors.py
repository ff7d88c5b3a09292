"""Errors of the labels: the dispersion over the kept networks (Section 5; Figure 13).

They measure how far networks that start differently disagree on a spectrum, and say nothing of what all of them miss.
The dispersion of few networks is too small on average; `dispersion_bias` of the ensemble states by how much against eighty.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import read_json, read_table, write_json, write_table
from ...metrics import finite
from ..rows import iter_observed

BINS = 30
REACH = 0.99                 # share of a sample's errors that the panels show at least
PARAMETERS = ("teff", "logg", "mh")     # the abstract counts the others, [Fe/H] among them, as abundances


def gather(stars_paths: Iterable, prediction_paths: Iterable, training_prediction_path, cfg: Mapping) -> dict[str, pd.DataFrame]:
    """Errors (columns named as the labels) of the training, the test and the observed sample, the last above `validation.snr_min`."""
    columns = [f"{label}_cnn_err" for label in cfg["labels"]]
    labelled = read_table(training_prediction_path, ["role", *columns])
    parts = []
    for piece in iter_observed(stars_paths, prediction_paths, ["snr_rave"], columns):
        parts.append(piece.loc[piece["snr_rave"] > cfg["validation"]["snr_min"], columns])
    found = {role: labelled.loc[labelled["role"] == role, columns] for role in ("train", "test")}
    found["observed"] = pd.concat(parts, ignore_index=True)
    return {name: frame.set_axis(list(cfg["labels"]), axis=1) for name, frame in found.items()}


def median_with_interval(values: np.ndarray) -> dict:
    """n, median, its 16-84 % interval (from the ranks, no resampling) and the quartiles of the finite values."""
    x = np.sort(finite(values))
    if not len(x):
        return {"n": 0, "median": np.nan, "median_interval": [np.nan, np.nan], "p25": np.nan, "p75": np.nan}
    half = 0.5 * np.sqrt(len(x))                      # standard deviation of the number of values below the median
    low, high = (int(np.clip(round(0.5 * len(x) + side * half), 0, len(x) - 1)) for side in (-1, 1))
    p25, median, p75 = np.percentile(x, (25, 50, 75))
    interval = [float(x[low]), float(x[high])]
    return {"n": len(x), "median": float(median), "median_interval": interval, "p25": float(p25), "p75": float(p75)}


def histograms(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """label, sample, lo, hi, count, share (of all errors of the sample, those beyond the last bin included).

    The bins of a label reach from zero to where every sample has `REACH` of its errors.
    """
    parts = []
    for label in next(iter(frames.values())).columns:
        values = {name: finite(frame[label].to_numpy(np.float64)) for name, frame in frames.items()}
        top = max((float(np.quantile(x, REACH)) for x in values.values() if len(x)), default=0.0) or 1.0
        edges = np.linspace(0.0, top, BINS + 1)
        for name, x in values.items():
            count = np.histogram(x, edges)[0]
            parts.append(pd.DataFrame({
                "label": label, "sample": name, "lo": edges[:-1], "hi": edges[1:], "count": count, "share": count / max(len(x), 1),
            }))
    return pd.concat(parts, ignore_index=True)


def claims(summary: Mapping, cfg: Mapping) -> dict:
    """Section 5 and the abstract in numbers: the typical error is the median of the observed sample."""
    labels, observed = list(cfg["labels"]), summary["observed"]
    medians = {label: observed["labels"][label]["median"] for label in labels}
    abundances = [medians[label] for label in labels if label not in PARAMETERS and np.isfinite(medians[label])]
    n, snr_min = observed["n"], cfg["validation"]["snr_min"]
    value = {
        "teff": medians.get("teff"), "logg": medians.get("logg"),
        "abundances": [min(abundances), max(abundances)] if abundances else [np.nan, np.nan],
    }
    return {
        "rave.precision": {
            "value": value, "n": n, "paper": {"teff": 60, "logg": 0.06, "abundances": [0.02, 0.04]},
            "what": f"median dispersion over the kept networks, observed spectra with S/N > {snr_min}; abundances: least and largest",
        },
        "rave.n.fig13": {"value": n, "paper": 391035, "what": f"observed spectra with S/N > {snr_min}"},
    }


def run_errors(
    stars_paths: Iterable, prediction_paths: Iterable, training_prediction_path, ensemble_path, cfg: Mapping, simulated: bool,
    out_table, out_json,
) -> dict:
    """Distributions of the errors of Figure 13.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet` and `rave/predictions/main/photometry/{slice}.parquet`.
    training_prediction_path : path
        `rave/predictions/main/photometry/training.parquet` (with `role`).
    ensemble_path : path
        `rave/models/main/photometry/ensemble.json`.
    cfg : mapping
        The paper's configuration (`labels`, `validation`).
    out_table : path
        The table of `histograms`.
    out_json : path
        {samples: {train, test, observed: {n, labels: {label: {n, median, median_interval, p25, p75, median_for_80_networks}}}},
        ensemble: {n_networks, n_kept, dispersion_bias}, claims, simulated}.
    """
    ensemble = read_json(ensemble_path)
    bias = ensemble.get("dispersion_bias")
    frames = gather(stars_paths, prediction_paths, training_prediction_path, cfg)
    summary = {}
    for name, frame in frames.items():
        found = {label: median_with_interval(frame[label].to_numpy(np.float64)) for label in frame.columns}
        for entry in found.values():
            entry["median_for_80_networks"] = entry["median"] / bias if bias else np.nan
        summary[name] = {"n": len(frame), "labels": found}
    found = claims(summary, cfg)
    found["rave.precision"]["dispersion_bias"] = bias
    content = {
        "samples": summary, "ensemble": {key: ensemble.get(key) for key in ("n_networks", "n_kept", "dispersion_bias")},
        "snr_min": cfg["validation"]["snr_min"], "claims": found, "simulated": bool(simulated),
    }
    write_table(out_table, histograms(frames), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
