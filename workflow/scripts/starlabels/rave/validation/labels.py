"""Labels that the networks give back for the stars of training and test, beside APOGEE's (Section 3.4, Figures 6 to 8)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import write_json, write_table
from ..rows import training_rows
from ..statistics import linear_relation, residual_statistics
from .claims import FIG6_TEST, FIG6_TRAIN, TWINS, pair_claim

ROLES = ("train", "test")
BINS = 30                               # of the histograms along an axis
TAIL = 0.002                            # share at either end of the residuals that their histogram may leave out


def split_masks(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Masks (n,) of the splits: `train`, `test` and `test_clean` (test spectra of stars without a spectrum in training)."""
    train, test = ((frame["role"] == role).to_numpy(bool) for role in ROLES)
    return {"train": train, "test": test, "test_clean": test & ~frame["twin_in_train"].to_numpy(bool)}


def label_statistics(frame: pd.DataFrame, labels: list[str], bootstrap: int, seed: int) -> dict:
    """{label: {split: statistics of CNN minus APOGEE, and the straight line through CNN against APOGEE}}."""
    masks, out = split_masks(frame), {}
    for label in labels:
        reference, value = frame[label].to_numpy(np.float64), frame[f"{label}_cnn"].to_numpy(np.float64)
        out[label] = {}
        for split, mask in masks.items():
            found = residual_statistics((value - reference)[mask], bootstrap, seed)
            line = linear_relation(reference[mask], value[mask])
            out[label][split] = found | {k: line[k] for k in ("slope", "intercept", "r2", "correlation")}
    return out


def histograms(frame: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Counts along the axes of Figure 6.

    Returns
    -------
    DataFrame
        label, axis (`reference` and `predicted`, in the same bins, or `residual`), role, lo, hi, count; empty bins left out.
    """
    masks, parts = split_masks(frame), []
    for label in labels:
        reference, value = frame[label].to_numpy(np.float64), frame[f"{label}_cnn"].to_numpy(np.float64)
        both = np.linspace(*_range(np.concatenate([reference, value])), BINS + 1)
        residual = value - reference
        beyond = np.linspace(*_range(residual, TAIL), BINS + 1)
        for axis, values, edges in (("reference", reference, both), ("predicted", value, both), ("residual", residual, beyond)):
            for role in ROLES:
                count, _ = np.histogram(values[masks[role] & np.isfinite(values)], edges)
                full = count > 0
                parts.append(pd.DataFrame({
                    "label": label, "axis": axis, "role": role, "lo": edges[:-1][full], "hi": edges[1:][full], "count": count[full],
                }))
    return pd.concat(parts, ignore_index=True)


def _range(values: np.ndarray, tail: float = 0.0) -> tuple[float, float]:
    """Range of finite values; of residuals symmetric about zero, so that a bin edge lies there."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.quantile(values, [tail, 1 - tail])
    if tail:
        high = max(abs(low), abs(high))
        low = -high
    if not high > low:
        return float(low) - 0.5, float(low) + 0.5
    return float(low), float(high)


def run_labels(
    training_path, photometry_path, spectra_path, cfg: Mapping, simulated: bool, out_json, out_points, out_hist, seed: int = 42,
    paper: bool = True,
) -> dict:
    """Compare the labels from both networks with APOGEE's.

    Parameters
    ----------
    training_path : path
        `rave/samples/{variant}/training.parquet`.
    photometry_path, spectra_path : path
        `rave/predictions/{variant}/{network}/training.parquet`; the network of spectra alone may be None.
    out_json : path
        {`simulated`, `n` {split: spectra}, `networks` {network: {label: {split: statistics}}}, `claims`}. A split is `train`,
        `test` or `test_clean`; statistics are those of `residual_statistics` with slope, intercept, r2 and correlation.
    out_points : path
        One row a spectrum: rave_obs_id, role, twin_in_train, `<label>` and `<label>_cnn` (with photometry).
    out_hist : path
        As `histograms`.
    paper : bool
        Whether the sample is that of the paper's run (claims are given only then).

    Raises
    ------
    InputError
        When there is no training or no test spectrum.
    """
    labels, bootstrap = list(cfg["labels"]), int(cfg["validation"]["bootstrap"])
    frame = training_rows(training_path, photometry_path)
    counts = {split: int(mask.sum()) for split, mask in split_masks(frame).items()}
    for role in ROLES:
        if not counts[role]:
            raise InputError(f"{training_path}, column role", f"has no {role} row", "Check rave.training and rave.split")
    networks = {"photometry": label_statistics(frame, labels, bootstrap, seed)}
    if spectra_path is not None:
        networks["spectra"] = label_statistics(training_rows(training_path, spectra_path), labels, bootstrap, seed)
    content = {"simulated": bool(simulated), "bootstrap": bootstrap, "n": counts, "networks": networks, "claims": {}}
    if paper:
        own = networks["photometry"]
        content["claims"] = {
            "rave.fig6.train": pair_claim({p: own[p]["train"] for p in labels}, FIG6_TRAIN),
            "rave.fig6.test": pair_claim({p: own[p]["test"] for p in labels}, FIG6_TEST),
            "rave.twins": {"value": counts["test"] - counts["test_clean"], "paper": TWINS, "n_test": counts["test"]},
        }
    meta = {"simulated": bool(simulated)}
    columns = ["rave_obs_id", "role", "twin_in_train", *(c for p in labels for c in (p, f"{p}_cnn"))]
    write_table(out_points, frame[columns], meta=meta)
    write_table(out_hist, histograms(frame, labels), meta=meta)
    write_json(out_json, content)
    return content
