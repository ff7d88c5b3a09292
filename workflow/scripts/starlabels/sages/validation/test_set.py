"""The test set: predictions against spectroscopic labels (Figures 6 and 7; split as in the paper and free of leakage, A-9)."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_table, write_json
from .compare import Comparison, write_comparison
from .panels import PARAMETERS, numbers

log = logging.getLogger(__name__)


def parameters_of(frame: pd.DataFrame) -> list[str]:
    """Parameters that the samples have both as label and as prediction."""
    return [p for p in PARAMETERS if p in frame.columns and f"{p}_pred" in frame.columns]


def labels(frame: pd.DataFrame, unshifted: bool = False) -> dict[str, np.ndarray]:
    """Label of each parameter, NaN where it may not be used; `unshifted`: [Fe/H] before the offset of Section 2.3."""
    found = {}
    for parameter in parameters_of(frame):
        column = "feh_published" if unshifted and parameter == "feh" else parameter
        values = numbers(frame, column)
        use = frame[f"use_{parameter}"].to_numpy(bool) if f"use_{parameter}" in frame.columns else np.ones(len(frame), bool)
        found[parameter] = np.where(use, values, np.nan)
    return found


def predictions(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Prediction of each parameter."""
    return {p: numbers(frame, f"{p}_pred") for p in parameters_of(frame)}


def test_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the test sample."""
    return frame[(frame["role"] == "test").to_numpy(bool)].reset_index(drop=True)


test_rows.__test__ = False                    # a name that pytest would take for a test


def surveys_of(frame: pd.DataFrame, cfg: Mapping) -> list[str]:
    """Surveys in a sample, in the order of the configuration."""
    known = [*(cfg["samples"].get("test") or {}), *(cfg["samples"].get("train") or {})]
    there = set(frame["survey"].unique())
    return [s for s in dict.fromkeys(known) if s in there] + sorted(there - set(known))


def leakage_free(frame: pd.DataFrame) -> np.ndarray:
    """Mask of the rows whose star is in the training sample with no survey."""
    return ~frame["in_train"].to_numpy(bool) if "in_train" in frame.columns else np.ones(len(frame), bool)


def compare_rows(frame: pd.DataFrame, cfg: Mapping, unshifted: bool = False) -> Comparison:
    """Fill a comparison from rows of the samples with their predictions."""
    comparison = Comparison(cfg, parameters_of(frame))
    comparison.add(frame, labels(frame, unshifted), predictions(frame))
    return comparison


def run_test_set(sample_path, cfg: Mapping, data_set: int, simulated: bool, out_json, out_density, out_hist, seed: int = 42) -> dict:
    """Compare the predictions for the test sample with its labels.

    Parameters
    ----------
    sample_path : path
        `predictions/samples_set<k>.parquet`.
    out_json, out_density, out_hist : path
        Formats as in `compare.write_comparison`; the JSON also has `splits`: `literal` (the survey split as the paper does
        it; equal to `panels`), `leakage_free` (stars that no training row has), `by_survey` (each survey apart, and for
        a survey with an offset `<survey>_unshifted`), and `counts`.

    Raises
    ------
    InputError
        When the sample has no test row.
    """
    frame = test_rows(read_table(sample_path))
    if not len(frame):
        raise InputError(sample_path, "has no test star", "Check the cuts and the surveys under sages.samples.test")
    free = leakage_free(frame)
    by_survey, counts = {}, {"rows": len(frame), "stars": _stars(frame), "leakage_free_rows": int(free.sum())}
    offsets = cfg["samples"].get("test") or {}
    for survey in surveys_of(frame, cfg):
        rows = frame[(frame["survey"] == survey).to_numpy(bool)]
        counts[survey] = len(rows)
        by_survey[survey] = compare_rows(rows, cfg).statistics(seed=seed)
        if (offsets.get(survey) or {}).get("feh_offset"):
            by_survey[f"{survey}_unshifted"] = compare_rows(rows, cfg, unshifted=True).statistics(seed=seed)
    literal = compare_rows(frame, cfg)
    splits = {
        "literal": literal.statistics(seed=seed),
        "leakage_free": compare_rows(frame[free], cfg).statistics(seed=seed),
        "by_survey": by_survey,
    }
    log.info("test set of data set %d: %s", data_set, counts)
    extra = {"data_set": data_set, "splits": splits, "counts": counts}
    return write_comparison(literal, "spectroscopic", "this work", simulated, out_json, out_density, out_hist, seed, extra)


def _stars(frame: pd.DataFrame) -> int:
    for name in ("gaia_dr3_source_id", "star_id"):
        if name in frame.columns:
            return int(frame[name].nunique())
    return len(frame)


def run_same_stars(sample_paths: Mapping[int, str], cfg: Mapping, simulated: bool, out_json, seed: int = 42) -> dict:
    """Compare the data sets on the same test stars: is set 2 better, or only its stars (Sections 3.2 and 3.3)?

    Parameters
    ----------
    sample_paths : mapping
        Data set -> `predictions/samples_set<k>.parquet`; rows are joined by star and survey.
    out_json : path
        {`n_common`, `same`: {k: panels}, `own`: {k: panels}, `simulated`}: each set on the common stars and on all its own.
    """
    frames = {k: test_rows(read_table(path)) for k, path in sorted(sample_paths.items())}
    keys = {}
    for k, frame in frames.items():
        star = next((c for c in ("gaia_dr3_source_id", "star_id") if c in frame.columns), None)
        if star is None:
            raise InputError(sample_paths[k], "has no column gaia_dr3_source_id or star_id", "Stars cannot be told apart without one")
        keys[k] = pd.MultiIndex.from_arrays([frame[star], frame["survey"]])
    common = None
    for index in keys.values():
        common = index.unique() if common is None else common.intersection(index, sort=True)
    same, own = {}, {}
    for k, frame in frames.items():
        own[str(k)] = compare_rows(frame, cfg).statistics(seed=seed)
        same[str(k)] = compare_rows(frame[keys[k].isin(common)], cfg).statistics(seed=seed)
    content = {"n_common": len(common), "same": same, "own": own, "simulated": bool(simulated)}
    write_json(out_json, content)
    return content
