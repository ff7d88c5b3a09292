"""Photometric inputs and the min-max limits of labels and inputs (Sections 3.1 and 3.2)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..errors import InputError
from ..photometry import absolute_magnitude, column

#: The eight apparent magnitudes, in the order of the inputs (Section 3.2).
BANDS = ("gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2")
DISTANCE = "dist_starhorse"


def absolute_magnitudes(frame: pd.DataFrame, cfg: Mapping) -> dict[str, np.ndarray]:
    """`abs_<band>` of the eight bands: M = m + 5 log10(parallax / mas) - 10, not corrected for extinction.

    The parallax has no zero-point correction and counts as at least `parallax_floor` (B-14). With `distance: starhorse`
    (a variant) M = m + 5 - 5 log10(distance / pc). A missing value makes a missing magnitude.

    Parameters
    ----------
    frame : DataFrame (n rows)
        The magnitudes and `parallax` (mas) or `dist_starhorse` (pc).
    """
    if cfg.get("distance", "parallax") == "starhorse":
        distance = column(frame, DISTANCE, "distance: starhorse")
        parallax = 1000.0 / np.where(distance > 0, distance, np.nan)
    else:
        parallax = np.maximum(column(frame, "parallax"), cfg["parallax_floor"])
    return {f"abs_{band}": absolute_magnitude(column(frame, band), parallax) for band in BANDS}


def raw_inputs(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """The photometric inputs of a variant before scaling, float64 (n, inputs), in the order of `inputs`.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Rows of `rave/stars/{slice}.parquet` (apparent magnitudes, parallax, StarHorse).
    cfg : mapping
        `variants.merged(cfg, variant)`.
    """
    magnitudes = absolute_magnitudes(frame, cfg)
    values = [magnitudes[name] if name in magnitudes else column(frame, name, "rave.inputs") for name in cfg["inputs"]]
    return np.column_stack(values)


def limits(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, list[float]]:
    """{name: [smallest, largest]} of some columns.

    Raises
    ------
    InputError
        When a column has a missing value, or the same value in every row: it cannot be scaled.
    """
    out = {}
    for name in names:
        values = column(frame, name)
        low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError(f"the training sample, column {name}", "has missing values", "Check the cuts of rave.training")
        if low == high:
            found = f"is {low:g} in all {len(values)} rows"
            raise InputError(f"the training sample, column {name}", found, "It cannot be scaled: leave it out, or give more stars")
        out[name] = [float(low), float(high)]
    return out


def scaling_of(training: pd.DataFrame, cfg: Mapping) -> dict:
    """Limits of labels and inputs over the training rows, and of the boundary flags (B-16).

    Parameters
    ----------
    training : DataFrame
        Labels, inputs and `role`, as training.parquet.

    Returns
    -------
    dict
        `labels`, `inputs`, `flags`: {name: [min, max]}; the flags' limits are those of the labels over the training rows, or
        over the test rows too (`flags: all`).
    """
    train = training[training["role"] == "train"]
    if cfg["flags"] not in ("train", "all"):
        raise InputError("configuration key `rave.flags`", f"is {cfg['flags']!r}", "Use train or all")
    return {
        "labels": limits(train, cfg["labels"]),
        "inputs": limits(train, cfg["inputs"]),
        "flags": limits(train if cfg["flags"] == "train" else training, cfg["labels"]),
    }


def scaled(values: np.ndarray, bounds: Mapping[str, Sequence[float]], names: Sequence[str]) -> np.ndarray:
    """Columns brought to 0-1 by their limits, float64; values outside the limits leave 0-1.

    Parameters
    ----------
    values : ndarray (n, len(names))
    bounds : mapping
        {name: [min, max]}.
    """
    low, high = np.array([bounds[name] for name in names], dtype=np.float64).T
    return (np.asarray(values, dtype=np.float64) - low) / (high - low)


def unscaled(values: np.ndarray, bounds: Mapping[str, Sequence[float]], names: Sequence[str]) -> np.ndarray:
    """The inverse of `scaled`."""
    low, high = np.array([bounds[name] for name in names], dtype=np.float64).T
    return np.asarray(values, dtype=np.float64) * (high - low) + low
