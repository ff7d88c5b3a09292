"""How far the label scale of each test survey lies from that of the training labels, measured on the stars that both have.

The labels of two spectroscopic surveys differ by more than their errors (LAMOST and APOGEE temperatures by some 50 K). A model
repeats the scale that it was trained on, so against another survey's labels its errors must be judged with that difference taken
off. It is measured label against label on the stars of the test surveys that are in the training sample as well: no prediction
enters, and none of these stars is in the test that is free of leakage.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...metrics import robust_sigma
from .panels import PARAMETERS

ID = "gaia_dr3_source_id"
MIN_COMMON = 30
CLASSES = ("dwarf", "giant")


def measure(frame: pd.DataFrame, min_common: int = MIN_COMMON) -> dict:
    """Training label minus test label on common stars.

    Parameters
    ----------
    frame : DataFrame
        Both samples of a data set (`role`, `survey`, `star_class`, star id, labels, `use_<label>`); [Fe/H] with the offset of
        Section 2.3 added.

    Returns
    -------
    dict
        survey -> parameter -> class -> {`n` common stars, `median`, `median_err` (1.2533 robust sigma / sqrt n), `used`: whether
        there are at least `min_common`}; empty where stars have no id.
    """
    if ID not in frame.columns:
        return {}
    train, test = frame[(frame["role"] == "train").to_numpy(bool)], frame[(frame["role"] == "test").to_numpy(bool)]
    found: dict = {}
    for parameter in PARAMETERS:
        use = f"use_{parameter}"
        if use not in frame.columns:
            continue
        known = train[train[use].to_numpy(bool)].set_index(ID)[parameter]
        rows = test[test[use].to_numpy(bool)]
        difference = (rows[ID].map(known[~known.index.duplicated()]) - rows[parameter]).to_numpy(np.float64)
        for survey in sorted(rows["survey"].unique()):
            for star_class in CLASSES:
                group = (rows["survey"] == survey).to_numpy(bool) & (rows["star_class"] == star_class).to_numpy(bool)
                common = difference[group & np.isfinite(difference)]
                found.setdefault(survey, {}).setdefault(parameter, {})[star_class] = _median(common, min_common)
    return found


def _median(difference: np.ndarray, min_common: int) -> dict:
    n = len(difference)
    error = 1.2533 * robust_sigma(difference) / np.sqrt(n) if n > 1 else np.nan
    return {"n": n, "median": float(np.median(difference)) if n else np.nan, "median_err": float(error), "used": n >= min_common}


def offset_of(frame: pd.DataFrame, parameter: str, scales: Mapping) -> np.ndarray:
    """What brings the labels of rows (n,) to the training scale; 0 where too few common stars say."""
    shift = np.zeros(len(frame))
    for survey, parameters in scales.items():
        for star_class, entry in parameters.get(parameter, {}).items():
            if entry["used"]:
                group = (frame["survey"] == survey).to_numpy(bool) & (frame["star_class"] == star_class).to_numpy(bool)
                shift[group] = entry["median"]
    return shift
