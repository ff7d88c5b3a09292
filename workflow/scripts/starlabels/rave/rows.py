"""Rows of the observed and the training sample joined with their predictions, one slice at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..io import read_table

ID = "rave_obs_id"


def pair_slices(stars_paths: Iterable, prediction_paths: Iterable) -> list[tuple[Path, Path]]:
    """(stars, predictions) of each slice, paired by file name and ordered by it.

    Raises
    ------
    InputError
        When a slice has one of the two only, or no file is given.
    """
    stars, predictions = ({Path(p).name: Path(p) for p in paths} for paths in (stars_paths, prediction_paths))
    if not stars:
        raise InputError("rave/stars", "no slice was given", "Run the stage that makes the stars")
    for name in sorted(stars.keys() ^ predictions.keys()):
        there, absent = ("rave/stars", "rave/predictions") if name in stars else ("rave/predictions", "rave/stars")
        raise InputError(absent, f"has no {name}, which {there} has", "Run the missing stage")
    return [(stars[name], predictions[name]) for name in sorted(stars)]


def iter_observed(
    stars_paths: Iterable, prediction_paths: Iterable, star_columns: Sequence[str], label_columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the observed stars with their predictions, a slice at a time, in the order of the spectra.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet` and `rave/predictions/{variant}/{network}/{slice}.parquet`, in any order.
    star_columns : sequence of str
        Columns of the stars wanted; `rave_obs_id` always comes first. Rows that are not `in_observed` are left out.
    label_columns : sequence of str, optional
        Columns of the predictions wanted; all by default.

    Yields
    ------
    DataFrame
        Possibly without rows, always with all columns.

    Raises
    ------
    InputError
        When slices do not pair, a column is absent, or a spectrum is listed twice.
    """
    wanted = [c for c in dict.fromkeys(star_columns) if c != ID]
    labels = None if label_columns is None else [ID, *(c for c in dict.fromkeys(label_columns) if c != ID)]
    for stars_path, prediction_path in pair_slices(stars_paths, prediction_paths):
        stars = read_table(stars_path, list(dict.fromkeys([ID, *wanted, "in_observed"])))
        stars = stars.loc[stars["in_observed"].to_numpy(bool), [ID, *wanted]]
        yield _join(stars, stars_path, read_table(prediction_path, labels), prediction_path)


def training_rows(training_path, prediction_path) -> pd.DataFrame:
    """Rows of a training table (training and test part) with the predictions for them.

    Returns
    -------
    DataFrame
        All columns of `training.parquet` and the prediction's columns that it has not, in the training table's order.

    Raises
    ------
    InputError
        When a spectrum has no prediction or is listed twice.
    """
    rows, predictions = read_table(training_path), read_table(prediction_path)
    predictions = predictions[[ID, *(c for c in predictions.columns if c not in rows.columns)]]
    joined = _join(rows, training_path, predictions, prediction_path)
    if len(joined) != len(rows):
        lost = rows.loc[~rows[ID].isin(predictions[ID]), ID].iloc[0]
        raise InputError(f"{prediction_path}, column {ID}", f"has no prediction for {lost}", "Delete it and run again")
    return joined


def _join(left: pd.DataFrame, left_path, right: pd.DataFrame, right_path) -> pd.DataFrame:
    for frame, path in ((left, left_path), (right, right_path)):
        twice = frame.loc[frame[ID].duplicated(), ID]
        if len(twice):
            raise InputError(f"{path}, column {ID}", f"lists {twice.iloc[0]} twice", "Delete it and run again")
    return left.merge(right, on=ID, how="inner", sort=False).reset_index(drop=True)


def parallax_good(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """Mask (n,): positive parallax with an error below `validation.parallax_error_max` of it (Sections 5, 6)."""
    ratio = frame["parallax_error_ratio"].to_numpy(np.float64)
    return (ratio >= 0) & (ratio < float(cfg["validation"]["parallax_error_max"]))


def normal(frame: pd.DataFrame) -> np.ndarray:
    """Mask (n,): all three classification flags are "n" or "o" (column `class_normal`)."""
    return frame["class_normal"].to_numpy(bool)
